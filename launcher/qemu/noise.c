/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that are mistakes of QEMU's own. Each is known whole, but for the numbers in it: what is
 * not known is shown.
 */
#include "launcher/qemu/noise.h"

#include <string.h>

/* Behind the program's name, what stands before, between and behind the numbers of a line. */
static const struct {
	const char *parts[4]; /* fewer end with NULL */
	const char *why;
} rows[] = {
	/* QEMU 10 and 11: vfio_kvm_device_del_fd() (hw/vfio/helpers.c) does not ask whether there
	 * is KVM at all, vfio_kvm_device_add_fd() does. */
	{ { "group ID ", ": KVM VFIO device isn't created yet" },
	  "a card left, and without KVM there was nothing to take it from" },
	/* QEMU 11.1 as it ends: it takes its screens from a SPICE server that cannot give them
	 * back. */
	{ { "warning: Spice: ../server/reds.cpp:",
	    ":spice_server_remove_interface: VD_INTERFACE_REMOVING unsupported" },
	  "SPICE ends with QEMU, whatever is still in it" },
	/* tcp_chr_accept_server_sync() (chardev/char-socket.c) says so before it looks whether
	 * somebody waits already: see serial-ends.h. */
	{ { "-chardev socket,id=hvr-console,fd=",
	    ",server=on,wait=on: info: QEMU waiting for connection on: "
	    "disconnected:unix:/proc/self/fd/",
	    "/port.sock,server=on" },
	  "the supervisor has connected already" },
	{ { "-chardev socket,id=hvr-console,fd=",
	    ",server=on,wait=on,logfile=/dev/fdset/1,logappend=on: info: QEMU waiting for "
	    "connection on: disconnected:unix:/proc/self/fd/",
	    "/port.sock,server=on" },
	  "the supervisor has connected already" },
};

/* Are these all its parts, with a number between each two? */
static gboolean is_made_of(const char *words, const char *const *parts, gsize n)
{
	for (gsize i = 0; i < n && parts[i]; i++) {
		gsize digits = i > 0 ? strspn(words, "0123456789") : 0;

		if ((i > 0 && digits == 0) || !g_str_has_prefix(words + digits, parts[i]))
			return FALSE;
		words += digits + strlen(parts[i]);
	}
	return *words == '\0';
}

const char *hvr_noise(const char *line)
{
	const char *colon = strstr(line, ": ");

	if (!colon || memchr(line, ' ', (gsize)(colon - line)))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (is_made_of(colon + strlen(": "), rows[i].parts, G_N_ELEMENTS(rows[i].parts)))
			return rows[i].why;
	return NULL;
}

/* swtpm's mainLoop() (src/swtpm/mainloop.c) as it ends, also behind a QEMU that has quit. */
const char *hvr_noise_of_server(const char *line)
{
	return strcmp(line, "swtpm: Data client disconnected") == 0 ? "a TPM ends with QEMU" : NULL;
}
