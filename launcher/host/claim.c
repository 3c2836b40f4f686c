/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From "a card" to "this card, and nobody else has it".
 *
 * The lock comes before the look: only who has the group's lock may believe what it sees of the
 * group. All groups of a VM are taken or none, so two that want the same two never both wait.
 */
#include "launcher/host/claim.h"

#include "launcher/host/health.h"
#include "launcher/host/inuse.h"
#include "launcher/host/waiting.h"
#include "launcher/host/wish.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/progress.h"
#include "launcher/runtime/lock-watch.h"
#include "launcher/runtime/queue.h"
#include "vfio/error.h"

/* How often a card is asked after that a process of the host uses. */
#define ASK_AGAIN_US G_USEC_PER_SEC

static HvrClaim *claim_new(void)
{
	HvrClaim *claim = g_new(HvrClaim, 1);

	claim->cards = g_ptr_array_new_with_free_func(g_free);
	claim->locks = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	claim->passed = g_ptr_array_new_with_free_func(g_free);
	return claim;
}

void hvr_claim_free(HvrClaim *claim)
{
	if (!claim)
		return;
	g_ptr_array_unref(claim->cards);
	g_ptr_array_unref(claim->locks);
	g_ptr_array_unref(claim->passed);
	g_free(claim);
}

static void add_card(HvrClaim *claim, const HvrProfileDevice *device,
		     const HvrPciFunction *function)
{
	HvrClaimedCard *card = g_new(HvrClaimedCard, 1);

	*card = (HvrClaimedCard){ .device = device, .function = function };
	g_ptr_array_add(claim->cards, card);
}

const HvrClaimedCard *hvr_claim_card_of(const HvrClaim *claim, const HvrPciFunction *function)
{
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (card->function == function ||
		    (function->group >= 0 && card->function->group == function->group))
			return card;
	}
	return NULL;
}

gboolean hvr_claim_has(const HvrClaim *claim, const HvrPciFunction *function)
{
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (card->function == function)
			return TRUE;
	}
	return FALSE;
}

/* For whom cards are chosen, and what was met on the way. */
typedef struct {
	const HvrContext *context;
	const HvrClaimFor *whom;
	const HvrInventory *inventory;
	gboolean lock;	   /* FALSE: it is only looked */
	GPtrArray *busy;   /* of char *: the locks that somebody else had */
	HvrTicket *ticket; /* NULL: does not wait */
} Claiming;

static gboolean is_busy(const GError *error)
{
	return hvr_exit_status(error) == HVR_EXIT_BUSY;
}

/* Where another card may do; else the judge has more to say of it. */
static gboolean answers(const HvrContext *context, const HvrProfileDevice *device,
			const HvrPciFunction *function, GError **error)
{
	return device->pick == HVR_PICK_ONLY || hvr_health_answers(context, function, error);
}

/* Lock the function's group, if more than a look is wanted, and see that nobody outside of this
 * program uses the card itself: whether the rest of its group may be touched is the plan's
 * business. */
static gboolean take_function(const Claiming *claiming, HvrClaim *claim,
			      const HvrProfileDevice *device, const HvrPciFunction *function,
			      GError **error)
{
	const HvrContext *context = claiming->context;
	if (!claiming->lock)
		return hvr_claim_is_free(context, function, error) &&
		       answers(context, device, function, error);

	g_autofree char *name = hvr_lock_name_group(function->group);
	GError *cause = NULL;

	/* Without a group there is nothing to lock; judging that is the plan's business. */
	if (function->group < 0 || hvr_lock_find(claim->locks, name))
		return TRUE;
	if (!hvr_queue_turn(context, claiming->ticket, function->group, claiming->busy, &cause)) {
		g_propagate_prefixed_error(error, cause, "%s: ", function->name);
		return FALSE;
	}
	HvrLock *lock =
		hvr_lock_try(&context->host, context->runtime, name, claiming->whom->vm, &cause);
	if (!lock) {
		g_ptr_array_add(claiming->busy, g_steal_pointer(&name));
		g_propagate_prefixed_error(error, cause, "%s: ", function->name);
		return FALSE;
	}
	/* In this order: nobody who has the card keeps us waiting for its config space. */
	if (!hvr_inuse_check(&context->host, function, error) ||
	    !answers(context, device, function, error)) {
		hvr_lock_release(lock);
		return FALSE;
	}
	g_ptr_array_add(claim->locks, lock);
	return TRUE;
}

gboolean hvr_claim_is_free(const HvrContext *context, const HvrPciFunction *function,
			   GError **error)
{
	g_autofree char *name = hvr_lock_name_group(function->group);
	g_auto(HvrLockHolder) holder = { 0 };
	const char *vm = "?";

	if (function->group < 0 || context->captured)
		return TRUE;
	if (context->runtime >= 0 &&
	    hvr_lock_holder(&context->host, context->runtime, name, &holder)) {
		if (holder.vm)
			vm = holder.vm;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "%s: in use by VM '%s', pid %d", function->name, vm,
			    (int)holder.pid.pid);
		return FALSE;
	}
	return hvr_inuse_check(&context->host, function, error);
}

static void tried_free(gpointer data)
{
	HvrTriedCard *tried = data;

	g_clear_error(&tried->why);
	g_free(tried);
}

GPtrArray *hvr_tried_new(void)
{
	return g_ptr_array_new_with_free_func(tried_free);
}

void hvr_tried_add(GPtrArray *tried, const HvrPciFunction *function, GError *why)
{
	HvrTriedCard *card = g_new(HvrTriedCard, 1);

	*card = (HvrTriedCard){ .address = function->address, .why = why };
	g_ptr_array_add(tried, card);
}

/* Why it failed before; NULL: it was not tried. */
static const GError *tried_before(const Claiming *claiming, const HvrPciFunction *function)
{
	const GPtrArray *tried = claiming->whom->tried;

	for (guint i = 0; tried && i < tried->len; i++) {
		const HvrTriedCard *card = g_ptr_array_index(tried, i);
		if (hvr_pci_address_compare(&card->address, &function->address) == 0)
			return card->why;
	}
	return NULL;
}

/* Why none of a section's cards will do. */
typedef struct {
	GString *reasons;
	GPtrArray *all; /* of GError */
	gboolean busy;	/* one of them, at least: it is worth waiting */
	gboolean other; /* one is neither busy nor forbidden */
} Failures;

static void add_failure(Failures *failures, const GError *why)
{
	int status = hvr_exit_status(why);
	g_auto(GStrv) lines = g_strsplit(why->message, "\n", 2);

	if (failures->reasons->len)
		g_string_append(failures->reasons, "; ");
	g_string_append(failures->reasons, lines[0] ? lines[0] : "?");
	g_ptr_array_add(failures->all, g_error_copy(why));
	failures->busy = failures->busy || status == HVR_EXIT_BUSY;
	failures->other = failures->other || status != HVR_EXIT_PERMISSION;
}

static void set_none_left(const HvrWish *wish, const Failures *failures, GError **error)
{
	const char *id = wish->device->id, *reasons = failures->reasons->str;
	HvrLaunchError code =
		failures->other ? HVR_LAUNCH_ERROR_UNAVAILABLE : HVR_LAUNCH_ERROR_PERMISSION;

	if (failures->all->len == 0)
		hvr_wish_set_too_few(wish, error);
	else if (failures->busy)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "device '%s': no card is free: %s", id, reasons);
	else if (failures->all->len == 1) /* of a single one all is told, with what to do */
		g_propagate_error(error, g_error_copy(g_ptr_array_index(failures->all, 0)));
	else
		g_set_error(error, HVR_LAUNCH_ERROR, code, "device '%s': no card will do: %s", id,
			    reasons);
}

/* Is it the card's fault, so that another one may do? Else it is ours, as a lack of descriptors. */
static gboolean is_of_card(const GError *error)
{
	return is_busy(error) || error->domain == HVR_VFIO_ERROR ||
	       g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE) ||
	       hvr_exit_status(error) == HVR_EXIT_PERMISSION;
}

/* One card of @wish. FALSE without an error: the next one. */
static gboolean try_card(const Claiming *claiming, HvrClaim *claim, const HvrWish *wish,
			 const HvrPciFunction *function, Failures *failures, GError **error)
{
	const GError *before = tried_before(claiming, function);
	GError *cause = NULL;

	if (before) {
		add_failure(failures, before);
		return FALSE;
	}
	if (take_function(claiming, claim, wish->device, function, &cause)) {
		add_card(claim, wish->device, function);
		return TRUE;
	}
	if (wish->device->pick == HVR_PICK_ONLY || !is_of_card(cause)) {
		g_propagate_error(error, cause);
		return FALSE;
	}
	add_failure(failures, cause);
	if (!is_busy(cause))
		g_ptr_array_add(claim->passed, g_strdup(cause->message));
	g_error_free(cause);
	return FALSE;
}

static gboolean grant(const Claiming *claiming, HvrClaim *claim, const HvrWish *wish,
		      GError **error)
{
	g_autoptr(GString) reasons = g_string_new(NULL);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	Failures failures = { .reasons = reasons, .all = all };

	if (wish->error) {
		g_propagate_error(error, g_error_copy(wish->error));
		return FALSE;
	}
	for (guint i = 0; i < wish->found->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(wish->found, i);
		GError *cause = NULL;
		if (hvr_claim_has(claim, function))
			continue;
		if (try_card(claiming, claim, wish, function, &failures, &cause))
			return TRUE;
		if (!cause)
			continue;
		g_propagate_error(error, cause);
		return FALSE;
	}
	set_none_left(wish, &failures, error);
	return FALSE;
}

static int compare_in_profile(gconstpointer a, gconstpointer b, gpointer data)
{
	const HvrClaimedCard *const *left = a, *const *right = b;
	guint i = 0, k = 0;

	g_ptr_array_find(data, (*left)->device, &i);
	g_ptr_array_find(data, (*right)->device, &k);
	return (int)i - (int)k;
}

static void sort_as_profile(HvrClaim *claim, const GPtrArray *devices)
{
	g_ptr_array_sort_with_data(claim->cards, compare_in_profile, (gpointer)devices);
}

/* What is offered is looked at each time: whoever waits for a card may see it held meanwhile. */
static GPtrArray *make_wishes(const Claiming *claiming, GError **error)
{
	const GPtrArray *devices = claiming->whom->devices;
	g_autoptr(HvrOffer) offer = NULL;

	/* A VM without a card is not kept from running by a list of them. */
	if (devices->len) {
		offer = hvr_offer_look(claiming->context, claiming->inventory, error);
		if (!offer)
			return NULL;
	}
	return hvr_wishes_new(devices, claiming->inventory, offer);
}

static HvrClaim *claim_all(const Claiming *claiming, GError **error)
{
	g_autoptr(HvrClaim) claim = claim_new();
	g_autoptr(GPtrArray) wishes = make_wishes(claiming, error);

	if (!wishes)
		return NULL;
	for (guint i = 0; i < wishes->len; i++)
		if (!grant(claiming, claim, g_ptr_array_index(wishes, i), error))
			return NULL;
	sort_as_profile(claim, claiming->whom->devices);
	return g_steal_pointer(&claim);
}

HvrClaim *hvr_claim_look(const HvrContext *context, const HvrClaimFor *whom,
			 const HvrInventory *inventory, GError **error)
{
	const Claiming claiming = { .context = context, .whom = whom, .inventory = inventory };

	return claim_all(&claiming, error);
}

/* The first that is free, answers and is not to be avoided, else the first; NULL with @error:
 * @claim has them all, or none does. */
static const HvrPciFunction *choose(const HvrContext *context, const HvrClaim *claim,
				    const HvrWish *wish, GHashTable *avoid, GError **error)
{
	const HvrPciFunction *first = NULL;

	if (wish->error) {
		g_propagate_error(error, g_error_copy(wish->error));
		return NULL;
	}
	for (guint i = 0; i < wish->found->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(wish->found, i);
		if (hvr_claim_has(claim, function))
			continue;
		if (!(avoid && g_hash_table_contains(avoid, function)) &&
		    hvr_claim_is_free(context, function, NULL) &&
		    hvr_health_answers(context, function, NULL))
			return function;
		if (!first)
			first = function;
	}
	if (!first)
		hvr_wish_set_too_few(wish, error);
	return first;
}

HvrClaim *hvr_claim_choose(const HvrContext *context, const GPtrArray *devices,
			   const HvrInventory *inventory, const HvrClaimHow *how)
{
	HvrClaim *claim = claim_new();
	g_autoptr(GPtrArray) wishes = hvr_wishes_new(devices, inventory, how->offer);

	for (guint i = 0; i < wishes->len; i++) {
		const HvrWish *wish = g_ptr_array_index(wishes, i);
		GError *error = NULL;
		const HvrPciFunction *function = choose(context, claim, wish, how->avoid, &error);
		if (function)
			add_card(claim, wish->device, function);
		else
			how->refused(wish->device, error, how->data);
	}
	sort_as_profile(claim, devices);
	return claim;
}

/*
 * Until trying again may help. Of a lock's end there is an event; a process of the host that uses
 * a card says nothing when it stops, so then (no lock was in the way) it is asked after again.
 * FALSE at the deadline (monotonic; 0: none).
 */
static gboolean wait_for_change(HvrLockWatch *watch, const GPtrArray *busy, gint64 deadline_us)
{
	gint64 next_us = g_get_monotonic_time() + ASK_AGAIN_US;

	if (busy->len || (deadline_us && next_us > deadline_us))
		return hvr_waiting_wait(watch, busy, deadline_us);
	(void)hvr_waiting_wait(watch, busy, next_us);
	return TRUE;
}

/* A place in the queue for every group that would do. */
static HvrTicket *join_queue(const Claiming *claiming, GError **error)
{
	g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GPtrArray) wishes = make_wishes(claiming, error);

	if (!wishes)
		return NULL;
	for (guint i = 0; i < wishes->len; i++) {
		const HvrWish *wish = g_ptr_array_index(wishes, i);
		for (guint k = 0; wish->found && k < wish->found->len; k++) {
			const HvrPciFunction *function = g_ptr_array_index(wish->found, k);
			g_array_append_val(groups, function->group);
		}
	}
	return hvr_queue_join(claiming->context, groups, claiming->whom->vm, error);
}

static HvrClaim *wait_in_queue(Claiming *claiming, HvrLockWatch *watch, gint64 deadline_us,
			       GError **error)
{
	const HvrContext *context = claiming->context;
	g_autofree char *told = NULL;

	while (hvr_interrupt_check(error)) {
		g_autoptr(GError) cause = NULL;
		g_ptr_array_set_size(claiming->busy, 0);
		HvrClaim *claim = claim_all(claiming, &cause);
		if (claim)
			return claim;
		if (is_busy(cause))
			hvr_waiting_tell(context, claiming->inventory, claiming->busy, cause,
					 &told);
		hvr_waiting_show_place(context);
		if (is_busy(cause) && wait_for_change(watch, claiming->busy, deadline_us))
			continue;
		if (hvr_interrupt_check(error))
			g_propagate_error(error, g_steal_pointer(&cause));
		break;
	}
	return NULL;
}

static HvrClaim *claim_waiting(Claiming *claiming, gint64 deadline_us, GError **error)
{
	/* Watching starts before the first try: a lock that frees in between is not missed. */
	const HvrContext *context = claiming->context;
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&context->host, context->runtime, error);
	if (!watch)
		return NULL;
	g_autoptr(HvrTicket) ticket = join_queue(claiming, error);
	if (!ticket)
		return NULL;

	claiming->ticket = ticket;
	hvr_waiting_begin();
	HvrClaim *claim = wait_in_queue(claiming, watch, deadline_us, error);
	hvr_progress_end();
	return claim;
}

HvrClaim *hvr_claim_take(const HvrContext *context, const HvrClaimFor *whom,
			 const HvrInventory *inventory, GError **error)
{
	g_autoptr(GPtrArray) busy = g_ptr_array_new_with_free_func(g_free);
	Claiming claiming = {
		.context = context, .whom = whom, .inventory = inventory, .lock = TRUE, .busy = busy
	};
	g_autoptr(GError) cause = NULL;
	gint64 deadline_us = 0;

	if (whom->wait_s > 0)
		deadline_us = g_get_monotonic_time() + (gint64)whom->wait_s * G_USEC_PER_SEC;
	HvrClaim *claim = claim_all(&claiming, &cause);
	if (claim)
		return claim;
	if (whom->wait_s != HVR_CLAIM_NO_WAIT && is_busy(cause))
		return claim_waiting(&claiming, deadline_us, error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

gboolean hvr_claim_look_again(HvrClaim *claim, const HvrInventory *inventory, GError **error)
{
	for (guint i = 0; i < claim->cards->len; i++) {
		HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		const HvrPciFunction *now = hvr_inventory_find(inventory, &card->function->address);
		if (!now || now->vendor != card->function->vendor ||
		    now->device != card->function->device || now->group != card->function->group) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "%s: it was replaced while it was being chosen",
				    card->function->name);
			hvr_error_hint(error, "try again");
			return FALSE;
		}
		card->function = now;
	}
	return TRUE;
}
