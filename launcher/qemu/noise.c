/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that are mistakes of QEMU's own. Each is known whole, but for the numbers in it: what is
 * not known is shown.
 */
#include "launcher/qemu/noise.h"

#include <string.h>

/* Behind the program's name, a line of which nothing but numbers is left out. */
static const struct {
	const char *begin, *end, *why;
} rows[] = {
	/* QEMU 10 and 11: vfio_kvm_device_del_fd() (hw/vfio/helpers.c) does not ask whether there
	 * is KVM at all, vfio_kvm_device_add_fd() does. */
	{ "group ID ", ": KVM VFIO device isn't created yet",
	  "a card left, and without KVM there was nothing to take it from" },
	/* QEMU 11.1 as it ends: it takes its screens from a SPICE server that cannot give them
	 * back. */
	{ "warning: Spice: ../server/reds.cpp:",
	  ":spice_server_remove_interface: VD_INTERFACE_REMOVING unsupported",
	  "SPICE ends with QEMU, whatever is still in it" },
};

/* Is nothing in it but a number? */
static gboolean is_number(const char *text, gsize length)
{
	return length > 0 && strspn(text, "0123456789") >= length;
}

const char *hvr_noise(const char *line)
{
	const char *colon = strstr(line, ": ");
	const char *words = colon ? colon + strlen(": ") : "";

	if (!colon || memchr(line, ' ', (gsize)(colon - line)))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize begin = strlen(rows[i].begin), end = strlen(rows[i].end);
		gsize length = strlen(words);

		if (length > begin + end && g_str_has_prefix(words, rows[i].begin) &&
		    g_str_has_suffix(words, rows[i].end) &&
		    is_number(words + begin, length - begin - end))
			return rows[i].why;
	}
	return NULL;
}
