/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three spellings of the same place:
 *
 *   address      0000:02:00.0                                    renumbered by any new bridge
 *   sysfs path   devices/pci0000:00/0000:00:1c.4/0000:02:00.0    the kernel's
 *   stable path  00:1c.4/00.0                                    slots only, from the root bus
 *
 * The parsers accept exactly what the kernel prints, in either case, and nothing around it: an
 * address becomes part of a path, so it is checked here before it gets near one. An address that
 * has been parsed is always printed by the formatters below, never passed on as the text it was.
 */
#include <string.h>

#include "vfio/address.h"

#define SLOT_MAX     0x1f
#define FUNCTION_MAX 7

/* Reads @min to @max hexadecimal digits. Returns: what follows them, or NULL. */
static const char *take_hex(const char *text, guint min, guint max, guint32 *out_value)
{
	guint32 value = 0;
	guint n = 0;

	while (n < max && g_ascii_isxdigit(text[n])) {
		value = value << 4 | (guint32)g_ascii_xdigit_value(text[n]);
		n++;
	}
	if (n < min)
		return NULL;

	*out_value = value;
	return text + n;
}

static const char *take_char(const char *text, char c)
{
	if (!text || *text != c)
		return NULL;
	return text + 1;
}

/* "1c.4" */
static const char *take_slot(const char *text, HvrPciAddress *address)
{
	guint32 slot, function;

	text = take_char(take_hex(text, 2, 2, &slot), '.');
	if (!text)
		return NULL;
	text = take_hex(text, 1, 1, &function);
	if (!text || slot > SLOT_MAX || function > FUNCTION_MAX)
		return NULL;

	address->slot = (guint8)slot;
	address->function = (guint8)function;
	return text;
}

/* "0000:00:1c.4" or "00:1c.4", which is the same. */
static const char *take_address(const char *text, HvrPciAddress *address)
{
	guint32 bus;
	const char *behind_domain = take_char(take_hex(text, 4, 8, &address->domain), ':');

	if (behind_domain)
		text = behind_domain;
	else
		address->domain = 0;
	text = take_char(take_hex(text, 2, 2, &bus), ':');
	if (!text)
		return NULL;

	address->bus = (guint8)bus;
	return take_slot(text, address);
}

gboolean hvr_pci_address_parse(const char *text, HvrPciAddress *out_address)
{
	HvrPciAddress address = { 0 };
	const char *end = take_address(text, &address);

	if (!end || *end != '\0')
		return FALSE;

	*out_address = address;
	return TRUE;
}

const char *hvr_pci_address_format(const HvrPciAddress *address, char buffer[HVR_PCI_ADDRESS_SIZE])
{
	g_snprintf(buffer, HVR_PCI_ADDRESS_SIZE, "%04x:%02x:%02x.%x", address->domain, address->bus,
		   address->slot, address->function);
	return buffer;
}

/* Less than 0, 0 or more, as strcmp(3). */
static int compare_numbers(guint32 a, guint32 b)
{
	return (a > b) - (a < b);
}

int hvr_pci_address_compare(const HvrPciAddress *a, const HvrPciAddress *b)
{
	if (a->domain != b->domain)
		return compare_numbers(a->domain, b->domain);
	if (a->bus != b->bus)
		return compare_numbers(a->bus, b->bus);
	if (a->slot != b->slot)
		return compare_numbers(a->slot, b->slot);
	return compare_numbers(a->function, b->function);
}

/* The first step of a stable path is an address on a root bus, the others are slots. */
static void append_step(GString *path, const HvrPciAddress *address)
{
	if (path->len > 0)
		g_string_append_c(path, '/');
	else if (address->domain != 0)
		g_string_append_printf(path, "%04x:%02x:", address->domain, address->bus);
	else
		g_string_append_printf(path, "%02x:", address->bus);

	g_string_append_printf(path, "%02x.%x", address->slot, address->function);
}

char *hvr_pci_path_normalise(const char *text)
{
	g_autoptr(GString) path = g_string_new(NULL);
	HvrPciAddress step = { 0 };

	text = take_address(text, &step);
	while (text) {
		append_step(path, &step);
		if (*text == '\0')
			return g_strdup(path->str);
		text = take_char(text, '/');
		if (text)
			text = take_slot(text, &step);
	}
	return NULL;
}

/* "pci0000:00", the folder of a root bus. */
static gboolean is_root_bus(const char *name)
{
	guint32 domain, bus;
	const char *rest;

	if (!g_str_has_prefix(name, "pci"))
		return FALSE;
	rest = take_char(take_hex(name + strlen("pci"), 4, 8, &domain), ':');
	if (!rest)
		return FALSE;
	rest = take_hex(rest, 2, 2, &bus);
	return rest && (*rest == '/' || *rest == '\0');
}

/* What follows the last root bus on the way, or NULL. */
static const char *below_root_bus(const char *target)
{
	const char *found = NULL;

	for (const char *name = target; name; name = strchr(name, '/')) {
		name += *name == '/';
		if (is_root_bus(name))
			found = strchr(name, '/');
	}
	return found;
}

char *hvr_pci_path_from_sysfs(const char *target)
{
	g_autoptr(GString) path = g_string_new(NULL);
	const char *rest = below_root_bus(target);
	HvrPciAddress step = { 0 };

	while (rest && *rest == '/') {
		rest = take_address(rest + 1, &step);
		if (rest)
			append_step(path, &step);
	}
	if (!rest || *rest != '\0' || path->len == 0)
		return NULL;
	return g_strdup(path->str);
}
