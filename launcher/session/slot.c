/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/slot.h"

#include "launcher/report/error.h"

/* Whose slot is behind @port: of who is in the VM, else of who came last. A port may have had
 * others before. NULL: nobody's */
static const HvrVmDevice *find_first(const HvrSession *session, const char *port)
{
	const HvrVmDevice *first = NULL;

	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->function == 0 && g_str_equal(device->port, port) &&
		    (device->in_vm || !first || !first->in_vm))
			first = device;
	}
	return first;
}

gboolean hvr_slot_check_first(const HvrSession *session, const char *name, GError **error)
{
	const HvrVmDevice *device = hvr_session_device(session, name);
	const HvrVmDevice *first = NULL;

	if (device && device->function)
		first = find_first(session, device->port);
	if (!first)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "device '%s' is a function of the slot of '%s', and leaves with it", name,
		    first->id);
	hvr_error_hint(error, "to take all of it out: hailo-vm-run unplug %s %s", session->vm->name,
		       first->id);
	return FALSE;
}

gboolean hvr_slot_leaves_with(const HvrSession *session, const HvrVmDevice *device,
			      const char *section)
{
	const HvrVmDevice *own = hvr_session_device(session, device->section);
	const HvrVmDevice *first = NULL;

	if (own && own->function)
		first = find_first(session, own->port);
	return g_str_equal(device->section, section) || (first && g_str_equal(first->id, section));
}

gboolean hvr_slot_has_others(const HvrSession *session, const HvrVmDevice *device)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *other = g_ptr_array_index(session->vm->devices, i);
		if (other != device && other->in_vm && g_str_equal(other->port, device->port))
			return TRUE;
	}
	return FALSE;
}
