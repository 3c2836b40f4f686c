/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that come and go while the VM runs.
 *
 * A [device] section may have brought a whole IOMMU group along. Its functions leave QEMU one by
 * one; the host gets them back together, when the last one has left: a host driver that takes
 * one member while QEMU has the group open would make the group not viable under it.
 */
#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/session/session.h"
#include "qmp/error.h"
#include "qmp/hotplug.h"
#include "vfio/access.h"
#include "vfio/error.h"

/* device_add realises the device: that resets the card, which the kernel may wait a minute for. */
#define PLUG_TIMEOUT_MS 75000
/* getfd waits for nothing but QEMU's main loop. */
#define HAND_TIMEOUT_MS 10000

static void drop_lock(HvrSession *session, int group)
{
	g_autofree char *name = hvr_lock_name_group(group);
	HvrLock *lock = hvr_lock_find(session->locks, name);

	g_ptr_array_remove_fast(session->locks, lock);
	hvr_lock_release(lock);
}

static gboolean is_still_open(const GError *error)
{
	return g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY);
}

/* Give back what this VM has of a group that has left QEMU whole. The lock goes with it, also when
 * that fails, so that `release` can mend it; but not while QEMU has the group open, when the end of
 * the VM is what gives it back. */
static gboolean give_group_back(HvrSession *session, int group, gboolean keep, GError **error)
{
	GError *cause = NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(session->context->runtime, NULL);
	g_autoptr(GPtrArray) of_group = hvr_giveback_of_group(entries, group);
	g_autoptr(GPtrArray) ours = hvr_giveback_of_vm(of_group, session->vm->name);
	gboolean well = hvr_giveback(session->context, ours,
				     keep ? HVR_GIVEBACK_KEEP : HVR_GIVEBACK_RESTORE, &cause);

	if (!is_still_open(cause))
		drop_lock(session, group);
	if (cause)
		g_propagate_error(error, cause);
	return well;
}

void hvr_session_device_gone(HvrSession *session, const char *id)
{
	HvrVmDevice *device = hvr_session_device(session, id);
	GError *error = NULL;

	if (!device || !device->in_vm)
		return;
	device->in_vm = FALSE;
	hvr_events_tell_device(session->context->events, "unplugged", device->id, device->address);
	if (hvr_session_has_group(session, device->group)) {
		hvr_message("%s: left the VM; the rest of its IOMMU group %d is still in it",
			    device->address, device->group);
	} else if (!give_group_back(session, device->group, device->keep, &error)) {
		hvr_message_error(error);
		g_hash_table_replace(session->problems, g_strdup(id), error);
	} else {
		hvr_message("%s: left the VM and is %s", device->address,
			    device->keep		   ? "kept on vfio-pci"
			    : session->context->privileged ? "back with the host"
							   : "free");
	}
	hvr_session_save(session);
}

/* One unplug request, for all functions of a section. */
typedef struct {
	HvrSession *session;
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

static void unplug_note(Unplug *unplug, const GError *error)
{
	if (error && !unplug->error)
		unplug->error = g_error_copy(error);
}

static void unplug_settle(Unplug *unplug)
{
	if (--unplug->waiting > 0)
		return;
	unplug->done(unplug->error, unplug->user_data);
	g_clear_error(&unplug->error);
	g_free(unplug);
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
	Unplug *unplug = one->unplug;
	HvrVmDevice *device = hvr_session_device(unplug->session, one->id);

	if (error && !(device && is_unknown(unplug->session, device, error))) {
		if (device)
			device->keep = one->kept_before;
		unplug_note(unplug, error);
	} else {
		/* Gone by QEMU's word where its event was lost; else this has been done already. */
		hvr_session_device_gone(unplug->session, one->id);
		unplug_note(unplug, g_hash_table_lookup(unplug->session->problems, one->id));
	}
	g_free(one->id);
	g_free(one);
	unplug_settle(unplug);
}

static void unplug_one(Unplug *unplug, HvrVmDevice *device, guint timeout_ms, gboolean keep)
{
	UnplugOne *one = g_new(UnplugOne, 1);

	*one = (UnplugOne){ unplug, g_strdup(device->id), device->keep };
	device->keep = device->keep || keep;
	g_hash_table_remove(unplug->session->problems, device->id);
	unplug->waiting++;
	hvr_qmp_unplug_start(unplug->session->qmp, device->id, timeout_ms, on_unplugged, one);
}

static char *device_names(const HvrSession *session)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && g_str_equal(device->id, device->section))
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", device->id);
	}
	return g_string_free(text, FALSE);
}

static GError *no_such_device(const HvrSession *session, const char *name)
{
	g_autofree char *names = device_names(session);
	GError *error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
				    "VM '%s' has no device '%s'", session->vm->name, name);

	hvr_error_hint(&error, "it has %s", *names ? names : "none");
	return error;
}

void hvr_session_unplug(HvrSession *session, const char *device, guint timeout_ms, gboolean keep,
			HvrSessionDone done, gpointer user_data)
{
	Unplug *unplug = g_new0(Unplug, 1);

	/* One for the loop itself: a request cannot end while it is still being made. */
	*unplug = (Unplug){ session, 1, NULL, done, user_data };
	for (guint i = 0; i < session->vm->devices->len; i++) {
		HvrVmDevice *candidate = g_ptr_array_index(session->vm->devices, i);
		if (candidate->in_vm && g_str_equal(candidate->section, device))
			unplug_one(unplug, candidate, timeout_ms, keep);
	}
	if (unplug->waiting == 1)
		unplug->error = no_such_device(session, device);
	unplug_settle(unplug);
}

/* One plug request: the functions that are to be added, one after the other. */
typedef struct {
	HvrSession *session;
	const HvrProfileDevice *device;
	HvrDecision decision;
	guint handed; /* descriptors of the group's lock that QEMU has */
	guint next;   /* index in the plan's cards */
	HvrSessionDone done;
	gpointer user_data;
} Plug;

static void plug_free(Plug *plug)
{
	hvr_decision_clear(&plug->decision);
	g_free(plug);
}

static gboolean port_taken(const HvrSession *session, const char *port)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && g_str_equal(device->port, port))
			return TRUE;
	}
	return FALSE;
}

/* A spare port, or one whose card has left. */
static char *free_port(const HvrSession *session)
{
	for (guint i = 0; i < HVR_CMDLINE_SPARE_PORTS; i++) {
		g_autofree char *port = hvr_cmdline_spare_port(i);
		if (!port_taken(session, port))
			return g_steal_pointer(&port);
	}
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (!port_taken(session, device->port))
			return g_strdup(device->port);
	}
	return NULL;
}

static void plug_end(Plug *plug, const GError *error)
{
	hvr_session_save(plug->session);
	plug->done(error, plug->user_data);
	plug_free(plug);
}

/* The function that could not be added goes back, unless others of its group are in the VM, with
 * which it then leaves. One that QEMU has open all the same (it may be adding it yet, but was too
 * slow to say so) is in the VM until it is unplugged. */
static void plug_undo(Plug *plug, HvrVmDevice *device)
{
	HvrSession *session = plug->session;
	const HvrClaimedCard *card = g_ptr_array_index(plug->decision.claim->cards, 0);
	int group = card->function->group;
	g_autoptr(GError) cause = NULL;

	if (device)
		device->in_vm = FALSE;
	if (hvr_session_has_group(session, group) || give_group_back(session, group, FALSE, &cause))
		return;
	if (device)
		device->in_vm = is_still_open(cause);
	hvr_message_error(cause);
}

static void hand_lock(Plug *plug);
static void plug_next(Plug *plug);

static void on_handed(HvrQmpClient *client, JsonNode *result, const GError *error,
		      gpointer user_data)
{
	Plug *plug = user_data;

	if (error) {
		hvr_message("warning: QEMU does not take the lock of the card: %s", error->message);
		plug_next(plug);
		return;
	}
	plug->handed++;
	hand_lock(plug);
}

/* QEMU inherited the locks of the cards that it began with; this one it is given, so that it, too,
 * is held for as long as QEMU lives. Behind the first function, not before: if we are killed in
 * between, the group is open, which nobody can miss; the other way round a card that is in no VM
 * would be locked by one. */
static void hand_lock(Plug *plug)
{
	const HvrClaimedCard *card = g_ptr_array_index(plug->decision.claim->cards, 0);
	g_autofree char *group = hvr_lock_name_group(card->function->group);
	g_autofree char *name = g_strdup_printf("hvr-%s-%u", group, plug->handed);
	HvrLock *lock = hvr_lock_find(plug->session->locks, group);
	int fds[2];

	/* The card may have left again meanwhile. */
	if (!lock || plug->handed == G_N_ELEMENTS(fds)) {
		plug_next(plug);
		return;
	}
	hvr_lock_fds(lock, fds);
	hvr_qmp_client_give_fd(plug->session->qmp, name, fds[plug->handed], HAND_TIMEOUT_MS,
			       on_handed, plug);
}

static void on_plugged(HvrQmpClient *client, JsonNode *result, const GError *error,
		       gpointer user_data)
{
	Plug *plug = user_data;
	const HvrPlanCard *card = g_ptr_array_index(plug->decision.plan->cards, plug->next);

	if (error) {
		plug_undo(plug, hvr_session_device(plug->session, card->id));
		plug_end(plug, error);
		return;
	}
	char address[HVR_PCI_ADDRESS_SIZE];
	hvr_events_tell_device(plug->session->context->events, "plugged", card->id,
			       hvr_pci_address_format(&card->address, address));
	if (plug->next++ == 0)
		hand_lock(plug);
	else
		plug_next(plug);
}

static void forget_device(HvrSession *session, const char *id)
{
	HvrVmDevice *old = hvr_session_device(session, id);

	if (old)
		g_ptr_array_remove(session->vm->devices, old);
}

static void plug_next(Plug *plug)
{
	HvrSession *session = plug->session;

	if (plug->next == plug->decision.plan->cards->len) {
		plug_end(plug, NULL);
		return;
	}
	const HvrPlanCard *card = g_ptr_array_index(plug->decision.plan->cards, plug->next);
	g_autofree char *port = free_port(session);
	if (!port) {
		g_autoptr(GError) error =
			g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "VM '%s' has no free port left", session->vm->name);
		plug_undo(plug, NULL);
		plug_end(plug, error);
		return;
	}
	char address[HVR_PCI_ADDRESS_SIZE];
	const HvrClaimedCard *claimed = g_ptr_array_index(plug->decision.claim->cards, 0);
	forget_device(session, card->id);
	HvrVmDevice *device = hvr_vm_device_new(card->id, plug->device->id,
						hvr_pci_address_format(&card->address, address),
						port, claimed->function->group);
	device->keep = plug->device->after == HVR_AFTER_KEEP;
	g_ptr_array_add(session->vm->devices, device);
	hvr_session_save(session); /* whoever stands in for us can then take it out */
	hvr_qmp_client_execute(session->qmp, "device_add", hvr_cmdline_card_properties(card, port),
			       PLUG_TIMEOUT_MS, on_plugged, plug);
}

static const HvrProfileDevice *find_section(const HvrSession *session, const char *name)
{
	for (guint i = 0; session->profile && i < session->profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(session->profile->devices, i);
		if (g_str_equal(device->id, name))
			return device;
	}
	return NULL;
}

static gboolean plug_prepare(Plug *plug, GError **error)
{
	HvrSession *session = plug->session;
	const HvrContext *context = session->context;
	g_autoptr(GPtrArray) devices = g_ptr_array_new();
	HvrOwnership ownership = { session->vm->name, session->vm->supervisor };

	HvrDecideFor whom = { devices, session->vm->name, FALSE, HVR_CLAIM_NO_WAIT, TRUE };

	g_ptr_array_add(devices, (gpointer)plug->device);
	return hvr_decide(context, session->profile, &whom, &plug->decision, error) &&
	       hvr_execute(context, plug->decision.plan, &ownership, error);
}

void hvr_session_plug(HvrSession *session, const char *device, HvrSessionDone done,
		      gpointer user_data)
{
	g_autoptr(GError) error = NULL;
	Plug *plug = g_new0(Plug, 1);
	HvrVmDevice *present = hvr_session_device(session, device);

	*plug = (Plug){ .session = session, .done = done, .user_data = user_data };
	plug->device = find_section(session, device);
	if (present && present->in_vm)
		g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "device '%s' is in VM '%s' already", device, session->vm->name);
	else if (!plug->device)
		g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "the profile of VM '%s' has no [device %s]", session->vm->name, device);
	if (error || !plug_prepare(plug, &error)) {
		done(error, user_data);
		plug_free(plug);
		return;
	}
	/* The locks are the session's from here on. */
	for (guint i = plug->decision.claim->locks->len; i > 0; i--)
		g_ptr_array_add(session->locks,
				g_ptr_array_steal_index(plug->decision.claim->locks, i - 1));
	plug_next(plug);
}
