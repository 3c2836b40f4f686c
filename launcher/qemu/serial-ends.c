/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/qemu/serial-ends.h"

#include <errno.h>
#include <fcntl.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "qmp/connect.h"
#include "vfio/fd.h"

gboolean hvr_serial_ends_make(int folder, HvrSerialEnds *ends, int *out_listening, GError **error)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;

	*ends = (HvrSerialEnds)HVR_SERIAL_ENDS_NONE;
	ends->record = openat(folder, HVR_VM_SERIAL_LOG, flags, 0600);
	if (ends->record < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot record the serial port: %s", g_strerror(errno));
		return FALSE;
	}
	*out_listening = hvr_runtime_listen(folder, HVR_VM_PORT, error);
	if (*out_listening < 0)
		return FALSE;
	ends->port = hvr_qmp_connect(folder, HVR_VM_PORT, error);
	if (ends->port < 0)
		return FALSE;
	ends->clients = hvr_runtime_listen(folder, HVR_VM_SERIAL, error);
	if (ends->clients < 0)
		return FALSE;
	ends->consoles = hvr_runtime_listen(folder, HVR_VM_CONSOLE, error);
	return ends->consoles >= 0;
}

void hvr_serial_ends_clear(HvrSerialEnds *ends)
{
	hvr_fd_close(ends->port);
	hvr_fd_close(ends->record);
	hvr_fd_close(ends->clients);
	hvr_fd_close(ends->consoles);
	hvr_fd_close(ends->file);
	*ends = (HvrSerialEnds)HVR_SERIAL_ENDS_NONE;
}
