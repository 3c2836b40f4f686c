/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run that saves a guest, and any number that go on with it. Each is an ordinary run, of a
 * profile whose disks are those of the state.
 */
#include "launcher/session/warm.h"

#include "launcher/process/interrupt.h"
#include "launcher/process/open.h"
#include "launcher/process/read.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/run.h"
#include "launcher/session/warm-state.h"
#include "launcher/warm/draft.h"
#include "launcher/warm/overlay.h"
#include "vfio/fd.h"

/* What is kept beside the guest's RAM: devices, the screen's memory, what it has written. */
#define EXTRA_BYTES (G_GUINT64_CONSTANT(256) << 20)

#define DROPPED "the state was dropped by somebody else meanwhile"

/* One run of the bent profile. */
static gboolean run_bent(HvrWarmVm *warm, const char *folder, HvrRunOptions *options,
			 GError **error)
{
	HvrWarmBent bent = { .disks = NULL };

	hvr_warm_bend(&bent, warm->profile, folder, options->warm->save >= 0);
	options->vm_lock = g_steal_pointer(&warm->vm_lock);
	gboolean well = hvr_run(warm->context, warm->profile, options, error);
	hvr_warm_unbend(&bent, warm->profile);
	return well;
}

/* [transfer full] */
static char *read_script(const HvrWarmVm *warm, const HvrUser *user, GError **error)
{
	static const char what[] = "[guest] warm-script";
	const char *why = NULL;
	HvrOpen file = { .path = warm->profile->guest.warm_script, .how = HVR_OPEN_READ, .fd = -1 };

	(void)hvr_open(user, &file, 1);
	g_auto(HvrFd) fd = file.fd;
	if (fd < 0) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, what, user, &file);
		return NULL;
	}
	char *text = hvr_read_whole(fd, NULL, &why);
	if (text)
		return text;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "%s: '%s': %s", what,
		    file.path, why);
	return NULL;
}

/* It runs for nobody: no terminal, nobody who waits. */
static gboolean boot_and_save(HvrWarmVm *warm, const HvrWarmDraft *draft, int state,
			      gboolean *out_hears, GError **error)
{
	g_autofree char *script = NULL;
	if (warm->profile->guest.warm_script && !(script = read_script(warm, draft->user, error)))
		return FALSE;
	HvrRunWarm how = { .save = state, .restore = -1, .script = script };
	HvrRunOptions options = { .mode = HVR_RUN_SUPERVISE,
				  .ready_fd = -1,
				  .wait_ready_s = warm->options->wait_ready_s,
				  .attached = warm->options->attached,
				  .warm = &how };
	gboolean well = run_bent(warm, draft->path, &options, error);

	warm->stopped = how.stopped;
	*out_hears = how.hears;
	g_clear_error(&how.problem);
	if (!well)
		return FALSE;
	if (how.done)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "the guest ended before it was ready, and is not saved");
	return FALSE;
}

/* Borrows them. */
static GPtrArray *list_macs(const HvrProfile *profile)
{
	GPtrArray *macs = g_ptr_array_new();

	for (guint i = 0; i < profile->nets->len; i++)
		g_ptr_array_add(macs, ((HvrProfileNet *)profile->nets->pdata[i])->mac);
	return macs;
}

/* Not before the new one is there: a boot may fail. */
static gboolean drop_same(const HvrWarmVm *warm, GError **error)
{
	GError *cause = NULL;

	if (hvr_warm_store_drop(&warm->store, warm->key, &cause) || !cause)
		return TRUE;
	g_propagate_error(error, cause);
	return FALSE;
}

/* @anew: in place of one that has the same key, which is there until then */
static gboolean save(HvrWarmVm *warm, gboolean anew, GError **error)
{
	const HvrProfile *profile = warm->profile;
	g_autoptr(GPtrArray) macs = list_macs(profile);
	HvrWarmName name = { .key = warm->key,
			     .about = warm->about,
			     .vm = profile->stem,
			     .name = profile->name,
			     .macs = macs,
			     .profile = profile->file };
	g_autoptr(HvrUser) user = NULL;
	g_auto(HvrWarmDraft) draft = HVR_WARM_DRAFT_NONE;
	g_auto(HvrFd) state = -1;

	/* the decision's own goes when the guest is looked at again */
	user = hvr_user_find(profile->user, warm->context->privileged, error);
	if (!user || !hvr_warm_draft_begin(&draft, &warm->store, user,
					   profile->memory_bytes + EXTRA_BYTES, error))
		return FALSE;
	state = hvr_warm_draft_file(&draft, HVR_WARM_STATE, error);
	if (state < 0 || !hvr_warm_overlays_make(&draft, profile, error))
		return FALSE;
	hvr_message("VM '%s' is booted without its cards, to be saved when it is ready",
		    profile->name);
	if (!boot_and_save(warm, &draft, state, &name.hears, error) ||
	    !hvr_warm_vm_check_unchanged(warm, error) || (anew && !drop_same(warm, error)) ||
	    !hvr_warm_draft_finish(&draft, &name, error))
		return FALSE;
	hvr_message("VM '%s' is saved: it is state %.12s", profile->name, warm->key);
	hvr_warm_vm_drop_old(warm);
	return TRUE;
}

/* Makes a state where there has been none. FALSE without an error: there is none that fits. */
static gboolean find(HvrWarmVm *warm, HvrWarmFound *found, char **out_why, GError **error)
{
	guint uid = (guint)warm->decision.facts->user->uid;
	GError *cause = NULL;

	if (hvr_warm_store_find(&warm->store, warm->key, uid, found, &cause))
		return TRUE;
	if (cause) {
		hvr_warm_store_drop(&warm->store, warm->key, NULL);
		g_propagate_error(error, cause);
		return FALSE;
	}
	*out_why = hvr_warm_vm_why_not(warm);
	if (*out_why || !save(warm, FALSE, error) || !hvr_interrupt_check_all(error))
		return FALSE;
	if (hvr_warm_store_find(&warm->store, warm->key, uid, found, &cause))
		return TRUE;
	if (cause)
		g_propagate_error(error, cause);
	else
		*out_why = g_strdup(DROPPED);
	return FALSE;
}

/* The state is as it was saved, and QEMU does not take it: it never will. */
static void forget(const HvrWarmVm *warm)
{
	g_autoptr(GError) error = NULL;

	if (!hvr_warm_store_drop(&warm->store, warm->key, &error) && error)
		hvr_message_warning(error);
}

/* So would the next one, and what starts without waiting for the guest would end each time. */
static void note_stays(const HvrWarmVm *warm)
{
	g_autoptr(GError) error = NULL;

	if (!hvr_warm_store_note_stays(&warm->store, warm->key, &error) && error)
		hvr_message_warning(error);
}

/* By a look. What QEMU, or a process of the host's, has against the VM may be over the next time,
 * and is no reason to throw a state away. */
static gboolean has_bad_disks(HvrWarmVm *warm, const HvrWarmFound *found)
{
	HvrWarmBent bent = { .disks = NULL };

	hvr_warm_bend(&bent, warm->profile, found->path, FALSE);
	gboolean well = hvr_warm_vm_would_run(warm);
	hvr_warm_unbend(&bent, warm->profile);
	return !well;
}

/* Neither has the guest gone on, nor has QEMU said that it cannot. Is it for the state's sake,
 * which somebody has dropped before QEMU had it open, or whose disks are none any more? Then it is
 * told as that: what was said of a disk is about no file of the profile's. A card that is busy, or
 * a guest that is late, would be so another time. */
static gboolean is_to_blame(HvrWarmVm *warm, const HvrWarmFound *found, GError **cause)
{
	GError *told = NULL;

	if (warm->stopped || hvr_interrupt_pending() || hvr_exit_status(*cause) == HVR_EXIT_BUSY)
		return FALSE;
	gboolean there = hvr_warm_found_is_there(found);
	gboolean bad = there && has_bad_disks(warm, found);
	if (!there) {
		told = hvr_warm_vm_error(DROPPED);
	} else if (hvr_warm_vm_would_boot(warm)) {
		g_autofree char *line = hvr_error_line(*cause, "");
		told = hvr_warm_vm_error(line);
		g_prefix_error(&told, "the state cannot be used: ");
		if (bad)
			forget(warm);
	}
	if (!told)
		return FALSE;
	g_clear_error(cause);
	*cause = told;
	return TRUE;
}

/* @out_why: (transfer full): why the guest did not go on; NULL: it did, or is not to be tried
 * otherwise */
static gboolean go_on(HvrWarmVm *warm, const HvrWarmFound *found, GError **out_why, GError **error)
{
	HvrRunWarm how = { .save = -1,
			   .restore = found->state,
			   .name = found->manifest->name,
			   .macs = found->manifest->macs };
	HvrRunOptions options = *warm->options;
	GError *cause = NULL;

	options.warm = &how;
	gboolean well = run_bent(warm, found->path, &options, &cause);
	warm->shown = how.shown;
	warm->stopped = how.stopped;
	if (how.problem && !hvr_interrupt_pending()) {
		if (!how.good)
			forget(warm);
		if (how.stays)
			note_stays(warm);
		*out_why = g_steal_pointer(&how.problem);
	} else if (cause && !how.done && is_to_blame(warm, found, &cause)) {
		*out_why = g_error_copy(cause);
	}
	g_clear_error(&how.problem);
	if (cause)
		g_propagate_error(error, cause);
	return well;
}

/* Nor does a VM come up again behind the back of whoever has just stopped it. */
static gboolean may_boot(const HvrWarmVm *warm)
{
	return warm->profile->warm != HVR_WARM_REQUIRE && !warm->stopped &&
	       !hvr_interrupt_pending();
}

static gboolean boot(HvrWarmVm *warm, GError **error)
{
	HvrRunOptions options = *warm->options;

	hvr_warm_vm_unbend(warm);
	options.vm_lock = g_steal_pointer(&warm->vm_lock);
	return hvr_run(warm->context, warm->profile, &options, error);
}

/* Takes @why, or the line @text. */
static gboolean boot_instead(HvrWarmVm *warm, GError *why, const char *text, GError **error)
{
	if (!why)
		why = hvr_warm_vm_error(text);
	if (!may_boot(warm)) {
		g_prefix_error(&why, "no warm start: ");
		g_propagate_error(error, why);
		return FALSE;
	}
	g_autofree char *line = hvr_error_line(why, "");
	hvr_message("VM '%s' boots, as there is no warm start: %s", warm->profile->name, line);
	g_error_free(why);
	return boot(warm, error);
}

gboolean hvr_warm_run(HvrContext *context, HvrProfile *profile, const HvrRunOptions *options,
		      GError **error)
{
	g_auto(HvrWarmVm) warm = { .context = context,
				   .profile = profile,
				   .options = options,
				   .vm_lock = options->vm_lock,
				   .store = HVR_WARM_STORE_NONE };
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	g_autofree char *text = NULL;
	GError *why = NULL, *cause = NULL;

	if (!hvr_warm_vm_begin(&warm, &why) || !find(&warm, &found, &text, &why) ||
	    !hvr_warm_vm_check_macs(&warm, &found, &why))
		return boot_instead(&warm, why, text, error);
	gboolean well = go_on(&warm, &found, &why, &cause);
	/* Whoever has seen a VM that runs has seen it end: there is no second one for them. */
	if (why && may_boot(&warm) && !warm.shown) {
		g_clear_error(&cause);
		return boot_instead(&warm, why, NULL, error);
	}
	g_clear_error(&why);
	if (cause)
		g_propagate_error(error, cause);
	return well;
}

gboolean hvr_warm_save(HvrContext *context, HvrProfile *profile, const HvrRunOptions *options,
		       GError **error)
{
	g_auto(HvrWarmVm) warm = { .context = context,
				   .profile = profile,
				   .options = options,
				   .vm_lock = options->vm_lock,
				   .store = HVR_WARM_STORE_NONE };

	if (!hvr_warm_vm_begin(&warm, error))
		return FALSE;
	return save(&warm, TRUE, error);
}
