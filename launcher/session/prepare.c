/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/prepare.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher/host/execute.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* In the worker, for whoever started it. */
static void tell_failed(const HvrPrepare *prepare, const HvrPciFunction *failed)
{
	const HvrClaim *claim = prepare->decision->claim;
	const HvrClaimedCard *card = failed ? hvr_claim_card_of(claim, failed) : NULL;
	guint index = 0;

	if (!card || !g_ptr_array_find(claim->cards, card, &index) ||
	    pwrite(prepare->failed, &index, sizeof(index), 0) != sizeof(index))
		g_debug("which card it was is not known");
}

/* In the worker. A plan that is there was made for these cards. Else all is looked at for a VM that
 * runs, whatever was known before it did. */
static gboolean work(gpointer data, GError **error)
{
	HvrPrepare *prepare = data;
	HvrDecision *decision = prepare->decision;
	const HvrSession *session = prepare->hotplug->session;
	const HvrOwnership ownership = { .vm = session->vm->name,
					 .owner = session->vm->supervisor };
	const HvrDecideFor whom = { .vm = session->vm->name, .running = TRUE };
	const HvrPciFunction *failed = NULL;

	if (!decision->plan) {
		decision->facts = NULL;
		decision->parts = NULL;
		if (!hvr_decide(session->context, session->profile, &whom, decision, error)) {
			tell_failed(prepare, decision->blamed);
			return FALSE;
		}
	}
	if (hvr_execute(session->context, decision->plan, &ownership, &failed, error))
		return TRUE;
	tell_failed(prepare, failed);
	return FALSE;
}

/* NULL: no card's fault */
static const HvrClaimedCard *find_failed(const HvrPrepare *prepare)
{
	const GPtrArray *cards = prepare->decision->claim->cards;
	guint index = 0;

	if (pread(prepare->failed, &index, sizeof(index), 0) == sizeof(index) && index < cards->len)
		return g_ptr_array_index(cards, index);
	return NULL;
}

/* Choosing and locking wait for no driver. */
static gboolean choose(HvrPrepare *prepare, GError **error)
{
	const HvrSession *session = prepare->hotplug->session;
	const HvrDecideFor whom = { .devices = prepare->devices, .vm = session->vm->name };
	const HvrPciFunction *failed = NULL;
	g_autoptr(GError) cause = NULL;

	do {
		g_clear_error(&cause);
		failed = NULL;
		if (!hvr_decide_cards(session->context, &whom, prepare->decision, error))
			return FALSE;
		if (prepare->fits(prepare, &failed, &cause))
			return TRUE;
	} while (failed && hvr_decide_next(prepare->decision, failed, &cause));
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

/* The locks of its groups are the session's, where @theirs, or the claim's, and given up with it.
 */
static void move_locks(const HvrPrepare *prepare, gboolean theirs)
{
	const HvrClaim *claim = prepare->decision->claim;
	GPtrArray *session = prepare->hotplug->session->locks;

	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		g_autofree char *name = hvr_lock_name_group(card->function->group);
		GPtrArray *from = theirs ? claim->locks : session;
		guint index = 0;
		HvrLock *lock = hvr_lock_find(from, name);
		if (lock && g_ptr_array_find(from, lock, &index))
			g_ptr_array_add(theirs ? session : claim->locks,
					g_ptr_array_steal_index(from, index));
	}
}

static void on_prepared(const GError *error, gpointer data);

static gboolean start(HvrPrepare *prepare, GError **error)
{
	const HvrClaimedCard *first = g_ptr_array_index(prepare->decision->claim->cards, 0);

	if (ftruncate(prepare->failed, 0) < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a file in memory: %s", g_strerror(errno));
		return FALSE;
	}
	prepare->worker = hvr_worker_start(g_strdup_printf("preparing '%s'", first->device->id),
					   work, on_prepared, prepare);
	g_ptr_array_add(prepare->hotplug->preparing, prepare->worker);
	return TRUE;
}

/* All is where it was: may another card do? Not one for a VM that goes. */
static gboolean is_for_another(HvrPrepare *prepare, const GError *error)
{
	const HvrClaimedCard *card = find_failed(prepare);
	GError *why = g_error_copy(error);
	gboolean theirs = prepare->decision->claim->locks->len == 0;

	if (card && !hvr_session_is_ending(prepare->hotplug->session)) {
		move_locks(prepare, FALSE);
		if (hvr_decide_next(prepare->decision, card->function, &why))
			return TRUE;
		if (theirs)
			move_locks(prepare, TRUE);
	}
	g_error_free(why);
	return FALSE;
}

static void finish(HvrPrepare *prepare, const GError *error)
{
	if (prepare->decision->claim)
		g_ptr_array_set_size(prepare->decision->claim->locks, 0);
	hvr_fd_close(prepare->failed);
	prepare->failed = -1;
	prepare->done(error, prepare->user_data);
}

/* One that failed has undone what it did; what one that was ended has left the journal says. */
static void on_prepared(const GError *error, gpointer data)
{
	HvrPrepare *prepare = data;
	gboolean cut = g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL);
	g_autoptr(GError) none = NULL;

	g_ptr_array_remove_fast(prepare->hotplug->preparing, prepare->worker);
	if (!error || cut)
		move_locks(prepare, TRUE);
	if (!error || cut || !is_for_another(prepare, error)) {
		finish(prepare, error);
		return;
	}
	prepare->anew = TRUE;
	if (!choose(prepare, &none)) {
		finish(prepare, none);
		return;
	}
	g_auto(GStrv) lines = g_strsplit(error->message, "\n", 2);
	hvr_message("another card is taken, as %s", lines[0]);
	if (!start(prepare, &none))
		finish(prepare, none);
}

gboolean hvr_prepare_begin(HvrPrepare *prepare, GError **error)
{
	prepare->failed = memfd_create("hvr-prepare", MFD_CLOEXEC);
	if (prepare->decision->claim || choose(prepare, error))
		if (start(prepare, error))
			return TRUE;
	hvr_fd_close(prepare->failed);
	return FALSE;
}
