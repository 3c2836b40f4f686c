/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that leave the VM, and their way back.
 *
 * A [device] section may have brought a whole IOMMU group along. Its functions leave QEMU one by
 * one; the host gets them back together, when the last one has left: a host driver that takes
 * one member while QEMU has the group open would make the group not viable under it.
 *
 *   unplug asks QEMU --DEVICE_DELETED--> the device is out --the last of its group--> HvrReturn
 *
 * An HvrReturn is a worker that goes by the journal, and all who wait for its end. A request to
 * unplug is one of them, if there is a return when its device has left.
 */
#include "launcher/session/hotplug.h"

#include "launcher/host/giveback.h"
#include "launcher/host/whereabouts.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/report/nearest.h"
#include "launcher/session/slot.h"
#include "qmp/error.h"
#include "qmp/hotplug.h"
#include "vfio/access.h"
#include "vfio/error.h"

/* Somebody who is told of a return's end. */
typedef struct {
	HvrSessionDone done;
	gpointer user_data;
} Waiter;

/* A group on its way back to the host. */
typedef struct {
	HvrHotplug *hotplug;
	int group;
	const HvrVmDevice *last; /* that left QEMU, or NULL */
	GPtrArray *entries;	 /* of HvrJournalEntry: what the VM has of it */
	GArray *waiters;	 /* of Waiter */
	gboolean again;		 /* asked for once more since it began */
} HvrReturn;

static HvrReturn *find_return(const HvrHotplug *hotplug, int group)
{
	for (guint i = 0; i < hotplug->returns->len; i++) {
		HvrReturn *way = g_ptr_array_index(hotplug->returns, i);
		if (way->group == group)
			return way;
	}
	return NULL;
}

static void wait_for(HvrReturn *way, HvrSessionDone done, gpointer user_data)
{
	const Waiter waiter = { .done = done, .user_data = user_data };

	g_array_append_val(way->waiters, waiter);
}

/* In the worker. */
static gboolean give_back(gpointer data, GError **error)
{
	const HvrReturn *way = data;
	HvrGivebackMode mode = HVR_GIVEBACK_RESTORE;

	if (way->last && way->last->keep)
		mode = HVR_GIVEBACK_KEEP;
	return hvr_giveback(way->hotplug->session->context, way->entries, mode, error);
}

/* What the journal has of the group before the worker finishes it. */
static GPtrArray *entries_of(const HvrReturn *way)
{
	const HvrSession *session = way->hotplug->session;
	g_autoptr(GPtrArray) entries = hvr_journal_list(session->context->runtime, NULL);
	GPtrArray *ours = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);

	while (entries->len) {
		HvrJournalEntry *entry = g_ptr_array_steal_index(entries, 0);
		if (entry->group == way->group && g_strcmp0(entry->vm, session->vm->name) == 0)
			g_ptr_array_add(ours, entry);
		else
			hvr_journal_entry_free(entry);
	}
	return ours;
}

/* By a look at the host, while the group is still ours. */
static void tell_where(const HvrReturn *way)
{
	const HvrHost *host = &way->hotplug->session->context->host;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(host, NULL);

	for (guint i = 0; inventory && i < way->entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(way->entries, i);
		gboolean as_before = FALSE;
		g_autofree char *where = hvr_whereabouts(host, inventory, entry, &as_before);
		if (way->last && g_str_equal(way->last->address, entry->name))
			hvr_message("%s%s: left the VM and %s",
				    as_before ? "" : "warning: ", entry->name, where);
		else if (!as_before)
			hvr_message("warning: %s: %s", entry->name, where);
	}
}

static void tell_back(const HvrReturn *way)
{
	if (way->last && way->last->keep)
		hvr_message("%s: left the VM and is kept on vfio-pci", way->last->address);
	else if (way->entries->len)
		tell_where(way);
	else if (way->last)
		hvr_message("%s: left the VM and is free", way->last->address);
}

static void start_worker(HvrReturn *way);

static void on_given_back(const GError *error, gpointer data)
{
	HvrReturn *way = data;
	HvrSession *session = way->hotplug->session;
	gboolean still_open = g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY);

	if (still_open && way->again) {
		way->again = FALSE;
		start_worker(way);
		return;
	}
	if (error)
		hvr_message_error(error);
	else
		tell_back(way);
	if (!still_open) {
		g_autofree char *name = hvr_lock_name_group(way->group);
		HvrLock *lock = hvr_lock_find(session->locks, name);
		g_ptr_array_remove_fast(session->locks, lock);
		hvr_lock_release(lock);
	}
	g_ptr_array_remove_fast(way->hotplug->returns, way);
	for (guint i = 0; i < way->waiters->len; i++) {
		const Waiter *waiter = &g_array_index(way->waiters, Waiter, i);
		waiter->done(error, waiter->user_data);
	}
	g_array_unref(way->waiters);
	g_ptr_array_unref(way->entries);
	g_free(way);
}

static void start_worker(HvrReturn *way)
{
	g_clear_pointer(&way->entries, g_ptr_array_unref);
	way->entries = entries_of(way);
	hvr_worker_start(g_strdup_printf("giving back IOMMU group %d", way->group), give_back,
			 on_given_back, way);
}

static HvrReturn *begin_return(HvrHotplug *hotplug, int group, const HvrVmDevice *last)
{
	HvrReturn *way = find_return(hotplug, group);

	if (way) {
		way->again = TRUE;
		return way;
	}
	way = g_new(HvrReturn, 1);
	*way = (HvrReturn){ .hotplug = hotplug,
			    .group = group,
			    .last = last,
			    .waiters = g_array_new(FALSE, FALSE, sizeof(Waiter)) };
	g_ptr_array_add(hotplug->returns, way);
	start_worker(way);
	return way;
}

void hvr_hotplug_give_back(HvrHotplug *hotplug, int group, const HvrVmDevice *last,
			   HvrSessionDone done, gpointer user_data)
{
	wait_for(begin_return(hotplug, group, last), done, user_data);
}

static void device_gone(HvrHotplug *hotplug, HvrVmDevice *device)
{
	HvrSession *session = hotplug->session;

	if (!device->in_vm)
		return;
	device->in_vm = FALSE;
	hvr_events_tell_device(session->context->events, "unplugged", device->id, device->address);
	if (hvr_session_has_group(session, device->group))
		hvr_message("%s: left the VM; the rest of its IOMMU group %d is still in it",
			    device->address, device->group);
	else
		begin_return(hotplug, device->group, device);
	hvr_session_save(session);
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	HvrHotplug *hotplug = user_data;
	/* Events of a device's children come without "device". */
	const char *id = hvr_json_get_string(data, "device");

	if (!id || !g_str_equal(name, "DEVICE_DELETED"))
		return;
	HvrVmDevice *device = hvr_session_device(hotplug->session, id);
	if (device)
		device_gone(hotplug, device);
}

HvrHotplug *hvr_hotplug_new(HvrSession *session)
{
	HvrHotplug *hotplug = g_new(HvrHotplug, 1);

	*hotplug = (HvrHotplug){ .session = session,
				 .returns = g_ptr_array_new(),
				 .plugs = g_ptr_array_new(),
				 .preparing = g_ptr_array_new() };
	hotplug->subscription = hvr_qmp_client_subscribe(session->qmp, on_event, NULL, hotplug);
	return hotplug;
}

void hvr_hotplug_finish(HvrHotplug *hotplug)
{
	if (hotplug->returns->len || hotplug->plugs->len)
		hvr_message("waiting for cards that are on their way in or out");
	for (guint i = 0; i < hotplug->preparing->len; i++)
		hvr_worker_interrupt(g_ptr_array_index(hotplug->preparing, i));
	while (hotplug->returns->len || hotplug->plugs->len)
		g_main_context_iteration(NULL, TRUE);
}

void hvr_hotplug_free(HvrHotplug *hotplug)
{
	if (!hotplug)
		return;
	hvr_hotplug_finish(hotplug);
	hvr_qmp_client_unsubscribe(hotplug->session->qmp, hotplug->subscription);
	g_ptr_array_unref(hotplug->returns);
	g_ptr_array_unref(hotplug->plugs);
	g_ptr_array_unref(hotplug->preparing);
	g_free(hotplug);
}

static gboolean is_on_its_way(const HvrHotplug *hotplug, const char *section)
{
	const GPtrArray *devices = hotplug->session->vm->devices;

	for (guint i = 0; i < hotplug->plugs->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(hotplug->plugs, i);
		if (g_str_equal(device->id, section))
			return TRUE;
	}
	for (guint i = 0; i < devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(devices, i);
		if (g_str_equal(device->section, section) && find_return(hotplug, device->group))
			return TRUE;
	}
	return FALSE;
}

gboolean hvr_hotplug_check_idle(const HvrHotplug *hotplug, const char *section, GError **error)
{
	if (!is_on_its_way(hotplug, section))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "device '%s' is on its way into VM '%s' or out of it", section,
		    hotplug->session->vm->name);
	hvr_error_hint(error, "try again when that is over");
	return FALSE;
}

/* One unplug request, for all functions of a section. */
typedef struct {
	HvrHotplug *hotplug;
	guint waiting;
	GError *error; /* the first */
	HvrSessionDone done;
	gpointer user_data;
} Unplug;

typedef struct {
	Unplug *unplug;
	char *id;
	gboolean kept_before; /* what a request that came to nothing leaves */
} UnplugOne;

static void unplug_settle(Unplug *unplug)
{
	if (--unplug->waiting > 0)
		return;
	unplug->done(unplug->error, unplug->user_data);
	g_clear_error(&unplug->error);
	g_free(unplug);
}

static void on_settled(const GError *error, gpointer user_data)
{
	UnplugOne *one = user_data;
	Unplug *unplug = one->unplug;

	if (error && !unplug->error)
		unplug->error = g_error_copy(error);
	g_free(one->id);
	g_free(one);
	unplug_settle(unplug);
}

/* QEMU has no such device: its answer to a device_add came too late, and was a refusal. While it
 * has the group open, the device is about to go, and the event still to come. */
static gboolean is_unknown(const HvrSession *session, const HvrVmDevice *device,
			   const GError *error)
{
	gboolean open = FALSE;

	return g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_NOT_FOUND) &&
	       hvr_access_is_open(&session->context->host, hvr_access_of_group(device->group),
				  &open, NULL) &&
	       !open;
}

static void on_unplugged(const GError *error, gpointer user_data)
{
	UnplugOne *one = user_data;
	HvrHotplug *hotplug = one->unplug->hotplug;
	HvrVmDevice *device = hvr_session_device(hotplug->session, one->id);

	if (!device || (error && !is_unknown(hotplug->session, device, error))) {
		if (device)
			device->keep = one->kept_before;
		on_settled(error, one);
		return;
	}
	/* Gone by QEMU's word where its event was lost; else this has been done already. */
	device_gone(hotplug, device);
	HvrReturn *way = find_return(hotplug, device->group);
	if (way)
		wait_for(way, on_settled, one);
	else
		on_settled(NULL, one);
}

/* The devices that are in the VM, each by its section. [transfer container] */
static GPtrArray *names_in(const HvrSession *session)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && g_str_equal(device->id, device->section))
			g_ptr_array_add(names, device->id);
	}
	g_ptr_array_add(names, NULL);
	return names;
}

static GError *no_such_device(const HvrSession *session, const char *name)
{
	g_autoptr(GPtrArray) names = names_in(session);
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	const HvrVmDevice *device = hvr_session_device(session, name);
	const char *vm = session->vm->name;
	GError *error = NULL;

	if (device && !device->in_vm) {
		g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "device '%s' is not in VM '%s'", name, vm);
		hvr_error_hint(&error, "to put it there: hailo-vm-run plug %s %s", vm, name);
		return error;
	}
	g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "VM '%s' has no device '%s'",
		    vm, name);
	hvr_nearest_hint(&error, name, (const char *const *)names->pdata);
	hvr_error_hint(&error, "it has %s", *all ? all : "none");
	return error;
}

static void ask_for(HvrSession *session, const HvrVmDevice *device, guint timeout_ms,
		    UnplugOne *one)
{
	if (hvr_slot_has_others(session, device))
		hvr_qmp_unplug_start_together(session->qmp, device->id, timeout_ms, on_unplugged,
					      one);
	else
		hvr_qmp_unplug_start(session->qmp, device->id, timeout_ms, on_unplugged, one);
}

void hvr_hotplug_unplug(HvrHotplug *hotplug, const char *device, guint timeout_ms, gboolean keep,
			HvrSessionDone done, gpointer user_data)
{
	HvrSession *session = hotplug->session;
	GPtrArray *devices = session->vm->devices;
	Unplug *unplug = g_new(Unplug, 1);

	/* One for the loop itself: a request cannot end while it is still being made. */
	*unplug =
		(Unplug){ .hotplug = hotplug, .waiting = 1, .done = done, .user_data = user_data };
	gboolean idle = hvr_hotplug_check_idle(hotplug, device, &unplug->error) &&
			hvr_slot_check_first(session, device, &unplug->error);
	for (guint i = 0; idle && i < devices->len; i++) {
		HvrVmDevice *candidate = g_ptr_array_index(devices, i);
		if (!candidate->in_vm || !hvr_slot_leaves_with(session, candidate, device))
			continue;
		UnplugOne *one = g_new(UnplugOne, 1);
		*one = (UnplugOne){ .unplug = unplug,
				    .id = g_strdup(candidate->id),
				    .kept_before = candidate->keep };
		candidate->keep = candidate->keep || keep;
		unplug->waiting++;
		ask_for(session, candidate, timeout_ms, one);
	}
	if (idle && unplug->waiting == 1)
		unplug->error = no_such_device(session, device);
	unplug_settle(unplug);
}
