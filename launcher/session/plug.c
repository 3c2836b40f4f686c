/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card comes into a running VM.
 *
 *   the card is chosen and locked
 *   a worker decides the rest and prepares it, journalled
 *   device_add, one function after the other; behind the first of a group QEMU shares its lock
 *
 * Sections that are the functions of one slot come together. Function 0 comes last of them: with it
 * QEMU tells the guest, and takes no other behind it (do_pci_register_device() in QEMU's
 * hw/pci/pci.c).
 *
 * What the worker has prepared is read in the journal. A function that QEMU does not take goes back
 * to the host.
 */
#include "launcher/session/plug.h"

#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/session/plug-check.h"
#include "launcher/session/plug-order.h"
#include "launcher/session/plug-port.h"
#include "launcher/session/prepare.h"
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
	GPtrArray *sections;  /* of const HvrProfileDevice: those of the slot, function 0 first */
	HvrDecision decision; /* here only its claim; all of it in the worker */
	HvrPrepare prepare;
	GArray *groups;		 /* of int */
	gboolean qemu_has_locks; /* of all groups, from its start on */
	HvrPlugPort slot;	 /* the port of the slot; without a name: not chosen yet */
	GPtrArray *cards;	 /* of HvrJournalEntry: what was prepared for QEMU */
	guint next;		 /* index in @cards */
	HvrVmDevice *adding;	 /* in the VM's record, for cards[next]; NULL: not yet */
	HvrKmsg *kmsg; /* the kernel's words since the last device_add; NULL: not to be had */
	GError *failure;
	guint returning; /* groups on their way back, and whoever sends them there */
	HvrSessionDone done;
	gpointer user_data;
} Plug;

/* One of its groups on the way back. */
typedef struct {
	Plug *plug;
	int group;
} PlugReturn;

/* Function 0 of the slot, whose name was asked for. */
static const HvrProfileDevice *first_section(const Plug *plug)
{
	return g_ptr_array_index(plug->sections, 0);
}

static void plug_end(Plug *plug)
{
	hvr_session_save(plug->session);
	for (guint i = 0; i < plug->sections->len; i++)
		g_ptr_array_remove_fast(plug->hotplug->plugs, plug->sections->pdata[i]);
	plug->done(plug->failure, plug->user_data);
	hvr_decision_clear(&plug->decision);
	g_clear_pointer(&plug->cards, g_ptr_array_unref);
	hvr_kmsg_free(plug->kmsg);
	g_clear_error(&plug->failure);
	g_ptr_array_unref(plug->sections);
	g_array_unref(plug->groups);
	g_free(plug->slot.port);
	g_free(plug);
}

static void plug_returned(Plug *plug)
{
	if (--plug->returning == 0)
		plug_end(plug);
}

/* One that QEMU has open all the same (it may be adding it yet, but was too slow to say so) is in
 * the VM until it is unplugged. */
static void on_given_back(const GError *error, gpointer user_data)
{
	g_autofree PlugReturn *way = user_data;
	Plug *plug = way->plug;

	if (plug->adding && plug->adding->group == way->group &&
	    !g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY))
		plug->adding->in_vm = FALSE;
	plug_returned(plug);
}

/* Is another function of the group in the VM? */
static gboolean has_others(const Plug *plug, int group)
{
	for (guint i = 0; i < plug->session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(plug->session->vm->devices, i);
		if (device != plug->adding && device->in_vm && device->group == group)
			return TRUE;
	}
	return FALSE;
}

/* The function that could not be added goes back, and what was to come behind it, unless others of
 * its group are in the VM, with which it then leaves. Until it is known to be closed it counts as
 * in the VM: its event, should it come at last, is not missed. */
static void plug_give_back(Plug *plug, const GError *error)
{
	plug->failure = g_error_copy(error);
	plug->returning = 1;
	for (guint i = 0; i < plug->groups->len; i++) {
		int group = g_array_index(plug->groups, int, i);
		if (has_others(plug, group)) {
			if (plug->adding && plug->adding->group == group)
				plug->adding->in_vm = FALSE;
			continue;
		}
		PlugReturn *way = g_new(PlugReturn, 1);
		*way = (PlugReturn){ .plug = plug, .group = group };
		plug->returning++;
		hvr_hotplug_give_back(plug->hotplug, group, NULL, on_given_back, way);
	}
	plug_returned(plug);
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
static void hand_lock(Plug *plug, int number)
{
	HvrSession *session = plug->session;
	g_autofree char *group = hvr_lock_name_group(number);
	g_autofree char *name = g_strconcat("hvr-", group, NULL);
	HvrLock *lock = hvr_lock_find(session->locks, group);
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) fd = -1;

	/* The card may have left again meanwhile. */
	if (!hvr_session_has_group(session, number)) {
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

/* Has a function of this group been added? */
static gboolean was_added(const Plug *plug, int group)
{
	for (guint i = 0; i < plug->next; i++)
		if (((HvrJournalEntry *)plug->cards->pdata[i])->group == group)
			return TRUE;
	return FALSE;
}

/* Functions of the slot that came before one that did not. */
static gboolean is_torn(const Plug *plug)
{
	const HvrVmDevice *first = hvr_session_device(plug->session, first_section(plug)->id);

	return plug->sections->len > 1 && plug->next > 0 && (!first || first == plug->adding);
}

/* QEMU's answer with what it means here. [transfer full] */
static GError *explain(const Plug *plug, const GError *error)
{
	GError *told = g_error_copy(error);

	if (g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE))
		hvr_verdict_explain(plug->session, hvr_diagnose_answer(error->message), plug->kmsg,
				    &told);
	if (is_torn(plug))
		hvr_error_hint(&told,
			       "without function 0 the guest does not see the rest of the slot; to "
			       "take it out: hailo-vm-run unplug %s %s",
			       plug->session->vm->name, first_section(plug)->id);
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
	gboolean first = !was_added(plug, card->group);
	plug->next++;
	if (first && !plug->qemu_has_locks)
		hand_lock(plug, card->group);
	else
		plug_next(plug);
}

/* Of the slot, or of a companion's own. */
static gboolean choose_port(Plug *plug, const HvrPlanCard *card, const HvrJournalEntry *entry,
			    HvrPlugPort *out_port, GError **error)
{
	HvrBars bars;

	if (card->device) {
		*out_port = plug->slot;
		out_port->port = g_strdup(plug->slot.port);
		return TRUE;
	}
	hvr_bars_read(&plug->session->context->host, entry->name, &bars);
	return hvr_plug_port(plug->session, card->id, &bars, out_port, error);
}

/* In the VM's record, before QEMU is told: whoever stands in for us can then take it out. */
static void record(Plug *plug, const HvrPlanCard *card, const HvrJournalEntry *entry,
		   const HvrPlugPort *port)
{
	HvrSession *session = plug->session;
	const HvrProfileDevice *section = hvr_plug_section_of(plug->sections, entry);
	HvrVmDevice *old = hvr_session_device(session, card->id);

	if (old)
		g_ptr_array_remove(session->vm->devices, old);
	plug->adding =
		hvr_vm_device_new(card->id, section->id, entry->name, port->port, entry->group);
	plug->adding->prefetchable = port->windows.prefetchable;
	plug->adding->memory = port->windows.memory;
	plug->adding->keep = section->after == HVR_AFTER_KEEP;
	if (card->device)
		plug->adding->function = card->device->function;
	g_ptr_array_add(session->vm->devices, plug->adding);
	hvr_session_save(session);
}

/* A card is no use to a guest that goes, and would be reset once more for it. */
static gboolean check_stays(const HvrSession *session, GError **error)
{
	if (!hvr_session_is_ending(session))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "VM '%s' ends",
		    session->vm->name);
	return FALSE;
}

static void plug_next(Plug *plug)
{
	HvrSession *session = plug->session;
	g_autoptr(GError) error = NULL;

	if (plug->next == plug->cards->len) {
		plug_end(plug);
		return;
	}
	if (!check_stays(session, &error)) {
		plug_give_back(plug, error);
		return;
	}
	const HvrJournalEntry *entry = g_ptr_array_index(plug->cards, plug->next);
	if (was_added(plug, entry->group) && !hvr_session_has_group(session, entry->group)) {
		plug->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
					    "device '%s' left again before all of it was in",
					    first_section(plug)->id);
		plug_end(plug);
		return;
	}
	HvrPlanCard card = { .id = entry->id,
			     .address = entry->address,
			     .access = hvr_access_of_group(entry->group) };
	const HvrProfileDevice *section = hvr_plug_section_of(plug->sections, entry);
	if (g_str_equal(entry->id, section->id))
		card.device = section;
	HvrPlugPort found = { 0 };
	if (!choose_port(plug, &card, entry, &found, &error)) {
		plug_give_back(plug, error);
		return;
	}
	g_autofree char *port = found.port;
	record(plug, &card, entry, &found);
	hvr_kmsg_free(plug->kmsg);
	plug->kmsg = hvr_kmsg_open(&session->context->host);
	hvr_qmp_client_execute(session->qmp, "device_add", hvr_cmdline_card_properties(&card, port),
			       PLUG_TIMEOUT_MS, on_plugged, plug);
}

/* A port for all that goes into the slot. */
static gboolean find_room(Plug *plug, const HvrClaim *claim, GError **error)
{
	g_array_set_size(plug->groups, 0);
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (g_ptr_array_find(plug->sections, card->device, NULL) &&
		    !hvr_plug_has_group(plug->groups, card->function->group))
			g_array_append_val(plug->groups, card->function->group);
	}
	g_clear_pointer(&plug->slot.port, g_free);
	return hvr_plug_port_of_slot(plug->session, plug->sections, claim, &plug->slot, error);
}

static gboolean fits(HvrPrepare *prepare, const HvrPciFunction **out_failed, GError **error)
{
	const HvrClaim *claim = prepare->decision->claim;
	GError *cause = NULL;

	if (find_room(prepare->user_data, claim, &cause))
		return TRUE;
	/* Where no port is free there is none for another card, either. */
	if (!g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY))
		*out_failed = ((const HvrClaimedCard *)claim->cards->pdata[0])->function;
	g_propagate_error(error, cause);
	return FALSE;
}

/* What was prepared has an entry: where it has none somebody has given it back meanwhile. */
static void plug_all(Plug *plug)
{
	if (plug->cards->len) {
		plug_next(plug);
		return;
	}
	plug->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "device '%s' was prepared, and is not any more",
				    first_section(plug)->id);
	plug_end(plug);
}

static void on_prepared(const GError *error, gpointer user_data)
{
	Plug *plug = user_data;

	if (g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL)) {
		plug_give_back(plug, error);
		return;
	}
	if (error) {
		plug->failure = g_error_copy(error);
		plug_end(plug);
		return;
	}
	plug->cards = hvr_plug_prepared(plug->session, plug->sections, plug->groups);
	plug_all(plug);
}

/* @sections: (transfer full) */
static Plug *plug_new(HvrHotplug *hotplug, GPtrArray *sections, HvrSessionDone done,
		      gpointer user_data)
{
	Plug *plug = g_new(Plug, 1);

	*plug = (Plug){ .hotplug = hotplug,
			.session = hotplug->session,
			.sections = sections,
			.groups = g_array_new(FALSE, FALSE, sizeof(int)),
			.done = done,
			.user_data = user_data };
	for (guint i = 0; i < sections->len; i++)
		g_ptr_array_add(hotplug->plugs, sections->pdata[i]);
	return plug;
}

void hvr_plug(HvrHotplug *hotplug, const char *name, HvrSessionDone done, gpointer user_data)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *sections = hvr_plug_sections(hotplug, name, &error);

	if (!sections) {
		done(error, user_data);
		return;
	}
	Plug *plug = plug_new(hotplug, sections, done, user_data);
	plug->prepare = (HvrPrepare){ .hotplug = hotplug,
				      .devices = sections,
				      .decision = &plug->decision,
				      .fits = fits,
				      .done = on_prepared,
				      .user_data = plug };
	if (!hvr_prepare_begin(&plug->prepare, &plug->failure))
		plug_end(plug);
}

void hvr_plug_late(HvrHotplug *hotplug, const char *name, const HvrPlugLate *late,
		   HvrSessionDone done, gpointer user_data)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *sections = hvr_plug_sections(hotplug, name, &error);

	if (!sections) {
		done(error, user_data);
		return;
	}
	Plug *plug = plug_new(hotplug, sections, done, user_data);
	plug->qemu_has_locks = late->qemu_has_locks;
	if (!find_room(plug, late->claim, &error)) {
		plug_give_back(plug, error);
		return;
	}
	plug->cards = hvr_plug_prepared(plug->session, plug->sections, plug->groups);
	plug_all(plug);
}
