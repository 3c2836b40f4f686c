/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel's log, read for what the Hailo driver says in it.
 *
 * Its lines begin with the driver's name and the card's address, as dev_printk() has them. Two
 * kinds do not, since drivers of 4.19 and 4.20 print them with pr_warn(): they are about the card
 * that is being probed. A new probe, and a module that was loaded anew, are the driver's next try:
 * what it said of the one before does not count any more.
 */
#include "launcher/guest/verify-log.h"

#include <string.h>

#define ADDRESS_LENGTH 12 /* "0000:01:00.0" */

/* A guest may name as many as it likes. */
#define CARDS_MAX 16

typedef struct {
	GPtrArray *complaints;
	char *probed; /* whom the driver tried last; NULL: nobody */
} Reader;

static void complaint_free(gpointer data)
{
	HvrVerifyComplaint *complaint = data;

	g_free(complaint->device);
	g_free(complaint->line);
	g_free(complaint);
}

static gboolean is_address(const char *at)
{
	static const char shape[] = "xxxx:xx:xx.x";

	for (gsize i = 0; i < ADDRESS_LENGTH; i++) {
		if (shape[i] == 'x' && !g_ascii_isxdigit(at[i]))
			return FALSE;
		if (shape[i] != 'x' && at[i] != shape[i])
			return FALSE;
	}
	return TRUE;
}

/* The text behind "<4>", "[    1.234567]" and "[   T12]". */
static const char *skip_time(const char *line)
{
	for (;;) {
		const char *end = NULL;

		line += strspn(line, " \t");
		if (line[0] == '[')
			end = strchr(line, ']');
		else if (line[0] == '<')
			end = strchr(line, '>');
		if (!end)
			return line;
		line = end + 1;
	}
}

/* Is it the Hailo driver that says it, or the kernel of it? */
static gboolean is_ours(const char *line)
{
	return g_str_has_prefix(line, "hailo") ||
	       g_str_has_prefix(line, "Failed to write file hailo/");
}

/* (transfer full): whom a line is about; NULL: it does not say */
static char *find_device(const char *line)
{
	for (const char *at = line; (at = strchr(at, ' ')); at++)
		if (is_address(at + 1))
			return g_ascii_strdown(at + 1, ADDRESS_LENGTH);
	return NULL;
}

static gboolean begins_probe(const char *line)
{
	/* The second and third for a log that has lost its begin. */
	return strstr(line, ": Probing on:") || strstr(line, ": Probing: Allocate memory") ||
	       strstr(line, ": Probing: Device enabled");
}

/* Also what is said of nobody: it was about an earlier try. */
static void forget(Reader *reader, const char *device)
{
	for (guint i = reader->complaints->len; i > 0; i--) {
		const HvrVerifyComplaint *complaint = g_ptr_array_index(reader->complaints, i - 1);
		if (!complaint->device || g_str_equal(complaint->device, device))
			g_ptr_array_remove_index(reader->complaints, i - 1);
	}
}

static void begin_probe(Reader *reader, const char *device)
{
	forget(reader, device);
	for (guint i = 0; i < reader->complaints->len; i++) {
		HvrVerifyComplaint *complaint = g_ptr_array_index(reader->complaints, i);
		complaint->old = TRUE;
	}
	g_free(reader->probed);
	reader->probed = g_strdup(device);
}

/* @device: (nullable) */
static HvrVerifyComplaint *find_complaint(const Reader *reader, const char *device)
{
	for (guint i = 0; i < reader->complaints->len; i++) {
		HvrVerifyComplaint *complaint = g_ptr_array_index(reader->complaints, i);
		if (g_strcmp0(complaint->device, device) == 0)
			return complaint;
	}
	return NULL;
}

/* @device: (nullable) */
static void complain(Reader *reader, const char *device, const char *line,
		     const HvrVerifyKnown *known)
{
	HvrVerifyComplaint *complaint = find_complaint(reader, device);

	if (!complaint && reader->complaints->len >= CARDS_MAX)
		return;
	if (!complaint) {
		complaint = g_new0(HvrVerifyComplaint, 1);
		complaint->device = g_strdup(device);
		g_ptr_array_add(reader->complaints, complaint);
	}
	complaint->old = FALSE;
	if (complaint->known && complaint->known <= known)
		return; /* an earlier row tells more */
	g_free(complaint->line);
	complaint->line = g_strdup(line);
	complaint->known = known;
}

static void read_line(Reader *reader, const char *line)
{
	g_autofree char *device = find_device(line);

	if (g_str_has_prefix(line, "hailo: Init module.")) {
		g_ptr_array_set_size(reader->complaints, 0);
		g_clear_pointer(&reader->probed, g_free);
		return;
	}
	if (device && begins_probe(line)) {
		begin_probe(reader, device);
		return;
	}
	if (device && strstr(line, ": Remove: Releasing board")) {
		forget(reader, device);
		return;
	}
	const HvrVerifyKnown *known = hvr_verify_known(HVR_VERIFY_LOG, line, NULL);
	if (known)
		complain(reader, device ? device : reader->probed, line, known);
}

GPtrArray *hvr_verify_log(const char *log)
{
	Reader reader = { .complaints = g_ptr_array_new_with_free_func(complaint_free) };

	for (const char *at = log; at && *at;) {
		gsize length = strcspn(at, "\n");
		g_autofree char *line = g_strndup(at, length);
		const char *text = skip_time(line);
		if (is_ours(text))
			read_line(&reader, text);
		at += length + (at[length] == '\n');
	}
	g_free(reader.probed);
	return reader.complaints;
}

GPtrArray *hvr_verify_pci(const char *text)
{
	GPtrArray *devices = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	/* "0100\t1e602864\t..." is bus, slot and function, then vendor and device. */
	for (char **line = lines; *line; line++) {
		guint64 where = 0;
		if (strlen(*line) < 9 || (*line)[4] != '\t' || !g_str_has_prefix(*line + 5, "1e60"))
			continue;
		(*line)[4] = '\0';
		if (!g_ascii_string_to_unsigned(*line, 16, 0, 0xffff, &where, NULL))
			continue;
		g_ptr_array_add(devices,
				g_strdup_printf("%02x:%02x.%x", (guint)(where >> 8),
						(guint)(where >> 3 & 0x1f), (guint)(where & 7)));
	}
	return devices;
}

gboolean hvr_verify_pci_has(const GPtrArray *pci, const char *device)
{
	for (guint i = 0; i < pci->len; i++)
		if (g_str_has_suffix(device, g_ptr_array_index(pci, i)))
			return TRUE;
	return FALSE;
}
