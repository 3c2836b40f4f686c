/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest is now, and which of the states in the store is its own.
 */
#include "launcher/session/warm-state.h"

#include "launcher/host/qemu-data.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "launcher/warm/key.h"
#include "launcher/warm/nets.h"

#define SAVE_ANEW "'hailo-vm-run warm PROFILE' saves it anew"

/* Of a guest that may wake up several times. */
static void bend(HvrWarmVm *warm)
{
	HvrProfile *profile = warm->profile;

	warm->throw_away = profile->firmware.throw_away;
	profile->firmware.throw_away = TRUE;
	profile->cards_later = TRUE;
	hvr_profile_make_macs(profile);
}

void hvr_warm_vm_unbend(HvrWarmVm *warm)
{
	HvrProfile *profile = warm->profile;

	if (!profile->cards_later)
		return;
	profile->firmware.throw_away = warm->throw_away;
	profile->cards_later = FALSE;
	hvr_profile_make_macs(profile);
}

void hvr_warm_vm_clear(HvrWarmVm *warm)
{
	hvr_warm_vm_unbend(warm);
	if (warm->vm_lock)
		hvr_lock_release(warm->vm_lock);
	hvr_decision_clear(&warm->decision);
	hvr_warm_store_clear(&warm->store);
	g_free(warm->about);
	g_free(warm->key);
}

/* Of the VM with these cards. Changes nothing. */
static gboolean look(HvrWarmVm *warm, const GPtrArray *devices, GError **error)
{
	const HvrDecideFor whom = { .devices = devices, .vm = warm->profile->name, .look = TRUE };

	hvr_decision_clear(&warm->decision);
	warm->decision = (HvrDecision){ 0 };
	return hvr_decide(warm->context, warm->profile, &whom, &warm->decision, error);
}

gboolean hvr_warm_vm_would_run(HvrWarmVm *warm)
{
	g_autoptr(GError) error = NULL;

	if (look(warm, warm->profile->devices, &error))
		return TRUE;
	g_debug("it would not run: %s", error->message);
	return FALSE;
}

gboolean hvr_warm_vm_would_boot(HvrWarmVm *warm)
{
	hvr_warm_vm_unbend(warm);
	return hvr_warm_vm_would_run(warm);
}

/* Looks at the guest as it is now. [transfer full] */
static char *describe(HvrWarmVm *warm, GError **error)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const HvrDecision *decision = &warm->decision;

	if (!look(warm, none, error))
		return NULL;
	g_autoptr(GPtrArray) roms =
		hvr_qemu_data_folders(warm->context, decision->facts->user,
				      decision->facts->qemu_path, warm->options != NULL, error);
	if (!roms)
		return NULL;
	const HvrWarmGuest guest = { .context = warm->context,
				     .profile = warm->profile,
				     .facts = decision->facts,
				     .parts = decision->parts,
				     .plan = decision->plan,
				     .roms = roms };
	return hvr_warm_describe(&guest, error);
}

gboolean hvr_warm_vm_begin(HvrWarmVm *warm, GError **error)
{
	if (!hvr_context_open_runtime(warm->context, TRUE, error))
		return FALSE;
	bend(warm);
	warm->about = describe(warm, error);
	if (!warm->about)
		return FALSE;
	warm->key = hvr_warm_key(warm->about);
	if (!hvr_warm_store_open(warm->context, TRUE, &warm->store, error))
		return FALSE;
	hvr_warm_store_sweep(&warm->store);
	return TRUE;
}

/* Was it saved of this profile, as we would save it? */
static gboolean is_ours(const HvrWarmVm *warm, const HvrWarmManifest *manifest)
{
	g_autofree char *profile = hvr_text_safe(warm->profile->file);

	return manifest->uid == (guint)warm->decision.facts->user->uid &&
	       g_str_equal(manifest->profile, profile);
}

/* Why the state that there is of this VM does not fit; NULL: there is none. [transfer full] */
char *hvr_warm_vm_why_not(const HvrWarmVm *warm)
{
	g_autoptr(GPtrArray) entries = hvr_warm_store_list(&warm->store);

	for (guint i = 0; i < entries->len; i++) {
		const HvrWarmEntry *entry = g_ptr_array_index(entries, i);
		if (!is_ours(warm, entry->manifest))
			continue;
		g_autofree char *before = hvr_warm_store_about(&warm->store, entry->manifest->key);
		g_autofree char *what = hvr_warm_difference(before ? before : "", warm->about);
		return g_strdup_printf("the guest was saved with another one of this: %s", what);
	}
	return NULL;
}

/* Those that this VM had, but for the new one. */
void hvr_warm_vm_drop_old(const HvrWarmVm *warm)
{
	g_autoptr(GPtrArray) entries = hvr_warm_store_list(&warm->store);

	for (guint i = 0; i < entries->len; i++) {
		const HvrWarmEntry *entry = g_ptr_array_index(entries, i);
		g_autoptr(GError) error = NULL;
		if (!is_ours(warm, entry->manifest) || g_str_equal(entry->manifest->key, warm->key))
			continue;
		if (!hvr_warm_store_drop(&warm->store, entry->manifest->key, &error) && error)
			hvr_message_warning(error);
	}
}

gboolean hvr_warm_vm_check_unchanged(HvrWarmVm *warm, GError **error)
{
	g_autofree char *about = describe(warm, error);

	if (!about)
		return FALSE;
	if (g_str_equal(about, warm->about))
		return TRUE;
	g_autofree char *what = hvr_warm_difference(warm->about, about);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "while the guest booted this has changed, and it is not saved: %s", what);
	return FALSE;
}

/* Why a state does not fit, with what to do. */
GError *hvr_warm_vm_error(const char *text)
{
	GError *error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s", text);

	hvr_error_hint(&error, SAVE_ANEW);
	return error;
}

gboolean hvr_warm_vm_check_macs(const HvrWarmVm *warm, const HvrWarmFound *found, GError **error)
{
	static const char *const whys[] = {
		[HVR_WARM_AGENT_DEAF] = "with an agent that runs no commands keeps its MAC address",
		[HVR_WARM_AGENT_HEARS] = NULL,
		[HVR_WARM_AGENT_STAYS] = "kept its MAC address when it was told another",
	};
	const HvrWarmManifest *manifest = found->manifest;
	const HvrProfileNet *net = hvr_warm_nets_find(warm->profile, manifest->macs);
	const char *why = "without an agent keeps its MAC address";

	if (warm->profile->guest.agent)
		why = whys[manifest->agent];
	if (!net || !why)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[net %s] the guest was saved as VM '%s' and %s", net->id, manifest->name, why);
	if (warm->profile->guest.agent && manifest->agent == HVR_WARM_AGENT_DEAF)
		hvr_error_hint(error, "have the agent in the guest allow guest-exec");
	return FALSE;
}

/* The store may be missing, which is none, too. */
static HvrWarmLook look_for_state(HvrWarmVm *warm, GError **error)
{
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	guint uid = (guint)warm->decision.facts->user->uid;
	GError *cause = NULL;

	if (hvr_warm_store_find(&warm->store, warm->key, uid, &found, &cause))
		return hvr_warm_vm_check_macs(warm, &found, error) ? HVR_WARM_LOOK_FITS
								   : HVR_WARM_LOOK_FAILED;
	if (cause) {
		g_propagate_error(error, cause);
		return HVR_WARM_LOOK_FAILED;
	}
	g_autofree char *text = hvr_warm_vm_why_not(warm);
	if (!text)
		return HVR_WARM_LOOK_NONE;
	g_propagate_error(error, hvr_warm_vm_error(text));
	return HVR_WARM_LOOK_ANOTHER;
}

HvrWarmLook hvr_warm_look(HvrContext *context, HvrProfile *profile, GError **error)
{
	g_auto(HvrWarmVm)
		warm = { .context = context, .profile = profile, .store = HVR_WARM_STORE_NONE };
	GError *cause = NULL;

	bend(&warm);
	warm.about = describe(&warm, error);
	if (!warm.about)
		return HVR_WARM_LOOK_FAILED;
	warm.key = hvr_warm_key(warm.about);
	if (hvr_warm_store_open(context, FALSE, &warm.store, &cause))
		return look_for_state(&warm, error);
	if (!cause)
		return HVR_WARM_LOOK_NONE;
	g_propagate_error(error, cause);
	return HVR_WARM_LOOK_FAILED;
}
