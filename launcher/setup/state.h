/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/plan.h"
#include "launcher/setup/tree.h"

/* Relative to the target. */
#define HVR_SETUP_FOLDER    "var/lib/hailo-vm-run"
#define HVR_SETUP_ORIGINALS HVR_SETUP_FOLDER "/originals"

/* A file that `setup` wrote, and what it replaced. */
typedef struct {
	HvrSetupPart part;
	char *path;
	guint after;
	char *sha256;	/* of what we wrote */
	char *previous; /* of what we had written before that; NULL: nothing */
	char *original; /* where the replaced file is kept, relative to the target; NULL: none */
	HvrSetupOwner owner; /* the original's */
} HvrSetupEntry;

/**
 * HvrSetupState - what `setup` has done to a system, in setup.ini of its folder. Written before
 * anything is done, so that a crash leaves nothing that `--undo` does not know.
 */
typedef struct {
	gboolean there;	    /* was loaded, and not empty */
	guint parts;	    /* what was chosen: parts and cards, */
	GPtrArray *cards;   /* of HvrSetupCard */
	char *cpu;	    /* maker of the target's processor, as named; NULL: this host's */
	GPtrArray *entries; /* of HvrSetupEntry */
	GPtrArray *actions; /* of HvrSetupAction, done */
	GPtrArray *folders; /* of char *: made by us, outermost first */
	char *boot;	    /* id of the boot in which kernel-args was last done; NULL: not known */
	guint pending;	    /* set of HvrSetupAfter that has still to be run */
} HvrSetupState;

/* Errors: HVR_LAUNCH_ERROR_INTERNAL when there is one that makes no sense. */
HvrSetupState *hvr_setup_state_load(int target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Fsynced; its folder must be there. */
gboolean hvr_setup_state_save(int target, const HvrSetupState *state,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Its file, the kept originals, and the folders that we made, as far as they are empty. */
gboolean hvr_setup_state_remove(int target, const HvrSetupState *state,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_setup_state_free(HvrSetupState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSetupState, hvr_setup_state_free)

/* (transfer none): NULL when we have not written it. */
HvrSetupEntry *hvr_setup_state_find(const HvrSetupState *state, const char *path);
/* The same; made when there is none. */
HvrSetupEntry *hvr_setup_state_entry(HvrSetupState *state, const char *path);
HvrSetupAction *hvr_setup_state_find_action(const HvrSetupState *state, const char *id);

/* Did we write @text there, now or just before? */
gboolean hvr_setup_entry_is_ours(const HvrSetupEntry *entry, const char *text);
/* Of a text. (transfer full) */
char *hvr_setup_sha256(const char *text) G_GNUC_WARN_UNUSED_RESULT;
