/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/plug-port.h"

#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline.h"

static gboolean port_taken(const HvrSession *session, const char *port)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && g_str_equal(device->port, port))
			return TRUE;
	}
	return FALSE;
}

/* Has one that is in the VM, or was, this for its own? */
static gboolean port_owned(const HvrSession *session, const char *port)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (g_str_equal(device->port, port))
			return TRUE;
	}
	return FALSE;
}

char *hvr_plug_port(const HvrSession *session, const char *id)
{
	const HvrVmDevice *before = hvr_session_device(session, id);

	if (before && !port_taken(session, before->port))
		return g_strdup(before->port);
	for (guint i = 0; i < HVR_MACHINE_SPARE_PORTS; i++) {
		g_autofree char *port = hvr_cmdline_spare_port(i);
		if (!port_owned(session, port))
			return g_steal_pointer(&port);
	}
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (!port_taken(session, device->port))
			return g_strdup(device->port);
	}
	return NULL;
}
