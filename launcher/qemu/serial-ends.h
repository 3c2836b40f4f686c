/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrSerialEnds - what whoever stays with a VM has of its serial port. Each -1: there is none.
 *
 * QEMU has the other side of @port: a socket in the VM's folder that listens, and to which @port
 * has been connected before QEMU is started. QEMU accepts that one as it makes the character device
 * (wait=on: tcp_chr_accept_server_sync() in chardev/char-socket.c), so nothing that the firmware
 * says can be lost; with wait=off its main loop accepts, once it runs, and what is said before is
 * not taken (tcp_chr_write()). And it listens again when that connection is gone
 * (tcp_chr_disconnect_locked()), so a VM that has lost its supervisor goes on, and can be joined
 * there. A log file that it writes beside has all of it all the same (qemu_chr_write_buffer() in
 * chardev/char.c).
 */
typedef struct {
	int port;     /* connected */
	int record;   /* serial.log, open for reading and appending */
	int clients;  /* serial.sock, which listens */
	int consoles; /* console.sock, likewise */
	int file;     /* what QEMU writes for [serial] mode = file */
} HvrSerialEnds;

#define HVR_SERIAL_ENDS_NONE                                                                       \
	{                                                                                          \
		.port = -1, .record = -1, .clients = -1, .consoles = -1, .file = -1                \
	}

/**
 * hvr_serial_ends_make - make all of it in @folder, vms/NAME.
 * @out_listening: the listening socket of the port, for QEMU; the caller closes it
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE, G_IO_ERROR; what was made by then stays in both
 */
gboolean hvr_serial_ends_make(int folder, HvrSerialEnds *ends, int *out_listening,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Closes what is there. */
void hvr_serial_ends_clear(HvrSerialEnds *ends);
