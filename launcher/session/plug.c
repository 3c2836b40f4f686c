/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card comes into a running VM.
 *
 *   the card is chosen and locked
 *   a worker decides the rest and prepares it, journalled
 *   device_add, one function of its group after the other; behind the first QEMU shares the lock
 *
 * What the worker has prepared is read in the journal. A function that QEMU does not take goes back
 * to the host.
 */
#include "launcher/session/plug.h"

#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback.h"
#include "launcher/process/worker.h"
#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/report/nearest.h"
#include "launcher/session/verdict.h"
#include "qmp/error.h"
#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/kmsg.h"

/* device_add realises the device: that resets the card, which the kernel may wait a minute for. */
#define PLUG_TIMEOUT_MS 75000
/* getfd waits for nothing but QEMU's main loop. */
#define HAND_TIMEOUT_MS 10000

/* One plug request: the functions that are to be added, one after the other. */
typedef struct {
	HvrHotplug *hotplug;
	HvrSession *session;
	const HvrProfileDevice *device;
	gboolean qemu_has_lock; /* from its start on */
	HvrDecision decision;	/* here only its claim; all of it in the worker */
	HvrWorker *worker;	/* that prepares the cards; NULL: it has ended */
	int group;
	GPtrArray *cards;    /* of HvrJournalEntry: what was prepared for QEMU */
	guint next;	     /* index in @cards */
	HvrVmDevice *adding; /* in the VM's record, for cards[next]; NULL: not yet */
	HvrKmsg *kmsg;	     /* the kernel's words since the last device_add; NULL: not to be had */
	GError *failure;
	HvrSessionDone done;
	gpointer user_data;
} Plug;

static Plug *plug_new(HvrHotplug *hotplug, const HvrProfileDevice *device, HvrSessionDone done,
		      gpointer user_data)
{
	Plug *plug = g_new(Plug, 1);

	*plug = (Plug){ .hotplug = hotplug,
			.session = hotplug->session,
			.device = device,
			.done = done,
			.user_data = user_data };
	g_ptr_array_add(hotplug->plugs, (gpointer)device);
	return plug;
}

static void plug_end(Plug *plug)
{
	hvr_session_save(plug->session);
	g_ptr_array_remove_fast(plug->hotplug->plugs, (gpointer)plug->device);
	plug->done(plug->failure, plug->user_data);
	hvr_decision_clear(&plug->decision);
	g_clear_pointer(&plug->cards, g_ptr_array_unref);
	hvr_kmsg_free(plug->kmsg);
	g_clear_error(&plug->failure);
	g_free(plug);
}

/* One that QEMU has open all the same (it may be adding it yet, but was too slow to say so) is in
 * the VM until it is unplugged. */
static void on_given_back(const GError *error, gpointer user_data)
{
	Plug *plug = user_data;

	if (plug->adding && !g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY))
		plug->adding->in_vm = FALSE;
	plug_end(plug);
}

/* Is another function of the group in the VM? */
static gboolean has_others(const Plug *plug)
{
	for (guint i = 0; i < plug->session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(plug->session->vm->devices, i);
		if (device != plug->adding && device->in_vm && device->group == plug->group)
			return TRUE;
	}
	return FALSE;
}

/* The function that could not be added goes back, unless others of its group are in the VM, with
 * which it then leaves. Until it is known to be closed it counts as in the VM: its event, should it
 * come at last, is not missed. */
static void plug_give_back(Plug *plug, const GError *error)
{
	plug->failure = g_error_copy(error);
	if (!has_others(plug)) {
		hvr_hotplug_give_back(plug->hotplug, plug->group, NULL, on_given_back, plug);
		return;
	}
	if (plug->adding)
		plug->adding->in_vm = FALSE;
	plug_end(plug);
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

/* Its own port, if @id was in the VM before: a guest knows a card by the slot that it is in, which
 * is HailoRT's name for it. Else a spare one that is nobody's, or one whose card has left. */
static char *free_port(const HvrSession *session, const char *id)
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

static void plug_next(Plug *plug);

static void on_handed(HvrQmpClient *client, JsonNode *result, const GError *error,
		      gpointer user_data)
{
	Plug *plug = user_data;

	if (error)
		hvr_message("warning: QEMU does not take the lock of the card: %s", error->message);
	plug_next(plug);
}

/* As those of the cards that QEMU began with, this lock, too, is held for as long as QEMU lives.
 * Behind the first function, not before: if we are killed in between, the group is open, which
 * nobody can miss; the other way round a card that is in no VM would be locked by one. */
static void hand_lock(Plug *plug)
{
	HvrSession *session = plug->session;
	g_autofree char *group = hvr_lock_name_group(plug->group);
	g_autofree char *name = g_strconcat("hvr-", group, NULL);
	HvrLock *lock = hvr_lock_find(session->locks, group);
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) fd = -1;

	/* The card may have left again meanwhile. */
	if (!hvr_session_has_group(session, plug->group)) {
		plug_next(plug);
		return;
	}
	if (hvr_lock_name_qemu(lock, &session->vm->qemu, &error))
		fd = hvr_lock_open_for_qemu(lock, &error);
	if (fd < 0) {
		hvr_message_warning(error);
		plug_next(plug);
		return;
	}
	hvr_qmp_client_give_fd(session->qmp, name, fd, HAND_TIMEOUT_MS, on_handed, plug);
}

/* QEMU's answer with what it means here. [transfer full] */
static GError *explain(const Plug *plug, const GError *error)
{
	GError *told = g_error_copy(error);

	if (g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE))
		hvr_verdict_explain(plug->session, hvr_diagnose_answer(error->message), plug->kmsg,
				    &told);
	return told;
}

static void on_plugged(HvrQmpClient *client, JsonNode *result, const GError *error,
		       gpointer user_data)
{
	Plug *plug = user_data;
	const HvrJournalEntry *card = g_ptr_array_index(plug->cards, plug->next);

	if (error) {
		g_autoptr(GError) told = explain(plug, error);
		plug_give_back(plug, told);
		return;
	}
	plug->adding = NULL;
	hvr_events_tell_device(plug->session->context->events, "plugged", card->id, card->name);
	if (plug->next++ == 0 && !plug->qemu_has_lock)
		hand_lock(plug);
	else
		plug_next(plug);
}

/* NULL: it has none of its own, and came along with another card. */
static const HvrProfileDevice *section_of(const HvrSession *session, const char *id)
{
	for (guint i = 0; session->profile && i < session->profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(session->profile->devices, i);
		if (g_str_equal(device->id, id))
			return device;
	}
	return NULL;
}

static void plug_next(Plug *plug)
{
	HvrSession *session = plug->session;

	if (plug->next == plug->cards->len) {
		plug_end(plug);
		return;
	}
	if (plug->next > 0 && !hvr_session_has_group(session, plug->group)) {
		plug->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
					    "device '%s' left again before all of it was in",
					    plug->device->id);
		plug_end(plug);
		return;
	}
	const HvrJournalEntry *entry = g_ptr_array_index(plug->cards, plug->next);
	const HvrPlanCard card = { .id = entry->id,
				   .address = entry->address,
				   .access = hvr_access_of_group(entry->group),
				   .device = section_of(session, entry->id) };
	g_autofree char *port = free_port(session, card.id);
	if (!port) {
		g_autoptr(GError) error =
			g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "VM '%s' has no free port left", session->vm->name);
		plug_give_back(plug, error);
		return;
	}
	HvrVmDevice *old = hvr_session_device(session, card.id);
	if (old)
		g_ptr_array_remove(session->vm->devices, old);
	const HvrProfileDevice *owner = card.device ? card.device : plug->device;
	plug->adding = hvr_vm_device_new(card.id, owner->id, entry->name, port, plug->group);
	plug->adding->keep = owner->after == HVR_AFTER_KEEP;
	g_ptr_array_add(session->vm->devices, plug->adding);
	hvr_session_save(session); /* whoever stands in for us can then take it out */
	hvr_kmsg_free(plug->kmsg);
	plug->kmsg = hvr_kmsg_open(&session->context->host);
	hvr_qmp_client_execute(session->qmp, "device_add", hvr_cmdline_card_properties(&card, port),
			       PLUG_TIMEOUT_MS, on_plugged, plug);
}

/* In the worker. */
static gboolean prepare(gpointer data, GError **error)
{
	Plug *plug = data;
	const HvrSession *session = plug->session;
	HvrOwnership ownership = { .vm = session->vm->name, .owner = session->vm->supervisor };
	HvrDecideFor whom = { .vm = session->vm->name, .running = TRUE };

	return hvr_decide(session->context, session->profile, &whom, &plug->decision, error) &&
	       hvr_execute(session->context, plug->decision.plan, &ownership, NULL, error);
}

/* What the journal says that QEMU is to get of the group: the section's own card first. */
static GPtrArray *prepared_cards(const Plug *plug)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(plug->session->context->runtime, NULL);
	GPtrArray *cards = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);

	while (entries->len) {
		HvrJournalEntry *entry = g_ptr_array_steal_index(entries, 0);
		if (entry->group != plug->group || !entry->id ||
		    g_strcmp0(entry->vm, plug->session->vm->name) != 0)
			hvr_journal_entry_free(entry);
		else if (g_str_equal(entry->id, plug->device->id))
			g_ptr_array_insert(cards, 0, entry);
		else
			g_ptr_array_add(cards, entry);
	}
	return cards;
}

static void on_prepared(const GError *error, gpointer data);

/* Only looks and locks, neither of which waits for a driver; a worker does the rest. */
static void plug_begin(Plug *plug)
{
	HvrSession *session = plug->session;
	g_autoptr(GPtrArray) devices = g_ptr_array_new();
	const HvrDecideFor whom = { .devices = devices, .vm = session->vm->name };

	g_ptr_array_add(devices, (gpointer)plug->device);
	if (!hvr_decide_cards(session->context, &whom, &plug->decision, &plug->failure)) {
		plug_end(plug);
		return;
	}
	const HvrClaimedCard *card = g_ptr_array_index(plug->decision.claim->cards, 0);
	plug->group = card->function->group;
	plug->worker = hvr_worker_start(g_strdup_printf("preparing '%s'", plug->device->id),
					prepare, on_prepared, plug);
	g_ptr_array_add(plug->hotplug->preparing, plug->worker);
}

/* The card that was chosen could not be prepared, and is where it was: may another one do? */
static gboolean plug_another(Plug *plug, const GError *error)
{
	const HvrClaimedCard *card = g_ptr_array_index(plug->decision.claim->cards, 0);
	GError *why = g_error_copy(error);

	if (!g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY) &&
	    hvr_decide_next(&plug->decision, card->function, &why)) {
		g_auto(GStrv) lines = g_strsplit(error->message, "\n", 2);
		hvr_message("another card is taken, as %s", lines[0]);
		plug_begin(plug);
		return TRUE;
	}
	g_error_free(why);
	return FALSE;
}

/* A worker that failed has undone what it did, and the locks are given up. One that was ended has
 * left what the journal says. */
static void on_prepared(const GError *error, gpointer data)
{
	Plug *plug = data;
	gboolean cut = g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL);

	g_ptr_array_remove_fast(plug->hotplug->preparing, plug->worker);
	if (error && !cut && plug_another(plug, error))
		return;
	if (error && !cut) {
		plug->failure = g_error_copy(error);
		plug_end(plug);
		return;
	}
	/* The locks are the session's from here on. */
	GPtrArray *locks = plug->decision.claim->locks;
	while (locks->len)
		g_ptr_array_add(plug->session->locks, g_ptr_array_steal_index(locks, 0));
	if (cut) {
		plug_give_back(plug, error);
		return;
	}
	plug->cards = prepared_cards(plug);
	plug_next(plug);
}

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
	const HvrProfileDevice *device = section_of(session, name);

	if (!device)
		refuse_section(session, name, error);
	return device;
}

static gboolean check_out(const HvrHotplug *hotplug, const char *name, GError **error)
{
	const HvrSession *session = hotplug->session;
	const HvrVmDevice *present = hvr_session_device(session, name);

	if (!hvr_hotplug_check_idle(hotplug, name, error))
		return FALSE;
	if (session->qemu_ended)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has ended", session->vm->name);
	else if (present && present->in_vm)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "device '%s' is in VM '%s' already", name, session->vm->name);
	else
		return TRUE;
	return FALSE;
}

void hvr_plug(HvrHotplug *hotplug, const char *name, HvrSessionDone done, gpointer user_data)
{
	HvrSession *session = hotplug->session;
	const HvrProfileDevice *device = NULL;
	g_autoptr(GError) error = NULL;

	if (check_out(hotplug, name, &error))
		device = find_section(session, name, &error);
	if (!device) {
		done(error, user_data);
		return;
	}
	plug_begin(plug_new(hotplug, device, done, user_data));
}

void hvr_plug_prepared(HvrHotplug *hotplug, const HvrProfileDevice *device, int group,
		       HvrSessionDone done, gpointer user_data)
{
	Plug *plug = plug_new(hotplug, device, done, user_data);

	plug->group = group;
	plug->qemu_has_lock = TRUE;
	plug->cards = prepared_cards(plug);
	plug_next(plug);
}
