/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as an address, a stable path, and a place in sysfs.
 *
 * What must hold: what was parsed is printed in a form that parses to the same; a normalised path
 * is its own normal form; what comes from sysfs is normal already; none of them holds a ".." or
 * anything else that would lead out of a folder.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "vfio/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *text)
{
	char buffer[HVR_PCI_ADDRESS_SIZE];
	HvrPciAddress address, again;

	if (!hvr_pci_address_parse(text, &address))
		return;
	hvr_pci_address_format(&address, buffer);
	g_assert_true(hvr_pci_address_parse(buffer, &again));
	g_assert_cmpint(hvr_pci_address_compare(&address, &again), ==, 0);
	g_assert_cmpint(address.slot, <=, 31);
	g_assert_cmpint(address.function, <=, 7);
}

/* Takes ownership of @path; NULL is fine. */
static void check_normal(char *path)
{
	g_autofree char *normal = path;
	g_autofree char *again = NULL;

	if (!normal)
		return;
	again = hvr_pci_path_normalise(normal);
	g_assert_cmpstr(again, ==, normal);
	g_assert_cmpint(strspn(normal, "0123456789abcdef:./"), ==, strlen(normal));
	g_assert_null(strstr(normal, ".."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);

	check_address(text);
	check_normal(hvr_pci_path_normalise(text));
	check_normal(hvr_pci_path_from_sysfs(text));
	return 0;
}
