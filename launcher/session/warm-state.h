/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/decide.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/session/run-options.h"
#include "launcher/warm/store.h"

/**
 * HvrWarmVm - a VM that is to begin warm: what its guest is now, as a state is known by it.
 * While there is one its profile is that of a guest that may wake up several times: its cards come
 * later, UEFI's variables are thrown away, and MAC addresses that are made are the VM's own.
 */
typedef struct {
	HvrContext *context;
	HvrProfile *profile;
	const HvrRunOptions *options;
	HvrLock *vm_lock; /* for the first run; NULL: it takes the name itself */
	HvrDecision decision;
	HvrWarmStore store;
	gboolean stopped;    /* before it was saved, or went on, somebody had it end */
	gboolean shown;	     /* when it went on, who waits for the VM was told so */
	gboolean throw_away; /* as it was, see hvr_warm_vm_bend() */
	char *about, *key;
} HvrWarmVm;

/**
 * hvr_warm_vm_begin - look at the guest, and open the store.
 * @vm: all 0 but context and profile, options where it will run, and the store, which is none
 * Errors: of hvr_decide(), hvr_warm_describe(), hvr_warm_store_open()
 */
gboolean hvr_warm_vm_begin(HvrWarmVm *warm, GError **error);

/* The profile is as it was; hvr_warm_vm_clear() does it, too. */
void hvr_warm_vm_unbend(HvrWarmVm *warm);
void hvr_warm_vm_clear(HvrWarmVm *warm);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrWarmVm, hvr_warm_vm_clear)

/* Why the state that there is of its profile does not fit; NULL: there is none. [transfer full] */
char *hvr_warm_vm_why_not(const HvrWarmVm *warm) G_GNUC_WARN_UNUSED_RESULT;
/* The same as an error, HVR_LAUNCH_ERROR_UNAVAILABLE, with what to do. [transfer full] */
GError *hvr_warm_vm_error(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE, with HVR_LAUNCH_ERROR_UNAVAILABLE: a guest without an agent, or with one that runs no
 * commands, would have a MAC address of another VM on a network that others are on, where two with
 * one address are worse than a boot. */
gboolean hvr_warm_vm_check_macs(const HvrWarmVm *warm, const HvrWarmFound *found, GError **error);

/* Could the VM run, of the profile as it is just now, by a look at what there is? */
gboolean hvr_warm_vm_would_run(HvrWarmVm *warm);

/**
 * hvr_warm_vm_would_boot - could the VM run without any state, by a look at what there is now?
 * The profile is as it was from here on: hvr_warm_vm_unbend().
 */
gboolean hvr_warm_vm_would_boot(HvrWarmVm *warm);

/* FALSE, with HVR_LAUNCH_ERROR_UNAVAILABLE: the guest is another one than hvr_warm_vm_begin() saw.
 */
gboolean hvr_warm_vm_check_unchanged(HvrWarmVm *warm, GError **error);

/* Drops the states of its profile, but for the one that it has now. What cannot be is a warning. */
void hvr_warm_vm_drop_old(const HvrWarmVm *warm);

typedef enum {
	HVR_WARM_LOOK_FITS,    /* a state is there, and would be tried */
	HVR_WARM_LOOK_NONE,    /* none yet: the first start saves one */
	HVR_WARM_LOOK_ANOTHER, /* one is there, of another guest */
	HVR_WARM_LOOK_FAILED,  /* it cannot be saved, or is damaged */
} HvrWarmLook;

/**
 * hvr_warm_look - what would hvr_warm_run() begin with? Changes nothing.
 * @profile: as it was when this returns
 * @error: set with HVR_WARM_LOOK_ANOTHER and _FAILED: why it would boot, with a hint
 */
HvrWarmLook hvr_warm_look(HvrContext *context, HvrProfile *profile, GError **error);
