/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/plug-check.h"

#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

static void refuse_section(const HvrSession *session, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; session->profile && i < session->profile->devices->len; i++)
		g_ptr_array_add(names,
				((HvrProfileDevice *)session->profile->devices->pdata[i])->id);
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "the profile of VM '%s' has no [device %s]", session->vm->name, name);
	hvr_nearest_hint(error, name, (const char *const *)names->pdata);
	hvr_error_hint(error, "it has %s", *all ? all : "none");
}

static const HvrProfileDevice *find_section(const HvrSession *session, const char *name,
					    GError **error)
{
	for (guint i = 0; session->profile && i < session->profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(session->profile->devices, i);
		if (g_str_equal(device->id, name))
			return device;
	}
	refuse_section(session, name, error);
	return NULL;
}

static gboolean check_out(const HvrHotplug *hotplug, const char *name, GError **error)
{
	const HvrSession *session = hotplug->session;
	const HvrVmDevice *present = hvr_session_device(session, name);

	if (!hvr_hotplug_check_idle(hotplug, name, error))
		return FALSE;
	if (hvr_session_is_ending(session))
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    session->qemu_ended ? "VM '%s' has ended" : "VM '%s' ends",
			    session->vm->name);
	else if (present && present->in_vm)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "device '%s' is in VM '%s' already", name, session->vm->name);
	else
		return TRUE;
	return FALSE;
}

/* A guest is told of a slot whole: all of it can come, and nothing but all. */
static gboolean check_slot(const HvrHotplug *hotplug, const HvrProfileDevice *device,
			   const GPtrArray *sections, GError **error)
{
	const char *vm = hotplug->session->vm->name;

	for (guint i = 1; !device->with && i < sections->len; i++) {
		const HvrProfileDevice *other = g_ptr_array_index(sections, i);
		if (!check_out(hotplug, other->id, error))
			return FALSE;
	}
	if (!device->with)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "device '%s' is a function of the slot of '%s', and comes with it", device->id,
		    device->with);
	hvr_error_hint(error, "to put all of it there: hailo-vm-run plug %s %s", vm, device->with);
	return FALSE;
}

GPtrArray *hvr_plug_sections(const HvrHotplug *hotplug, const char *name, GError **error)
{
	const HvrSession *session = hotplug->session;
	const HvrProfileDevice *device = NULL;

	if (check_out(hotplug, name, error))
		device = find_section(session, name, error);
	if (!device)
		return NULL;
	g_autoptr(GPtrArray) sections = hvr_profile_slot_of(session->profile, device);
	if (!check_slot(hotplug, device, sections, error))
		return NULL;
	return g_steal_pointer(&sections);
}
