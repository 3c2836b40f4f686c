/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/state.h"

typedef enum {
	HVR_CHANGE_WRITE,  /* a file: new, or another text */
	HVR_CHANGE_REMOVE, /* a file of ours */
	HVR_CHANGE_RUN,	   /* a command */
} HvrSetupChangeKind;

/* One step, with all that is to be shown of it. */
typedef struct {
	HvrSetupChangeKind kind;
	HvrSetupPart part;
	char *path;	     /* of a file, relative to the target */
	char *old;	     /* its text now; NULL: it is not there */
	char *text;	     /* ... and then */
	HvrSetupOwner owner; /* ... and whose it is then */
	HvrSetupOwner old_owner;
	gboolean undo; /* takes back what state knows; else something for state to know */
	gboolean keep; /* what it replaces is somebody else's, and is kept */
	guint after;
	char **argv;		/* of a command */
	HvrSetupAction *action; /* the one that is done or taken back; NULL: leaves no trace */
} HvrSetupChange;

/* What changes are looked for in. Nothing is owned. */
typedef struct {
	int target;
	const HvrSetupState *state; /* what we did there */
	guint parts;		    /* set of those that it is about */
	gboolean force; /* also files that are not ours, or that somebody changed since */
} HvrSetupScope;

/**
 * hvr_setup_changes_make - the difference between @plan and what is there. Reads, changes nothing.
 * What we wrote for the scope's parts and @plan no longer has goes. With force, what was never ours
 * is kept for undo.
 * Returns: (transfer full): array of HvrSetupChange; empty when all is as planned
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE for a file that must not be touched
 */
GPtrArray *hvr_setup_changes_make(const HvrSetupScope *scope, const HvrSetupPlan *plan,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_changes_undo - what takes back all that we did for the scope's parts.
 * Otherwise as above.
 */
GPtrArray *hvr_setup_changes_undo(const HvrSetupScope *scope, const HvrSetupSystem *system,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All that has to be made anew behind @changes. */
guint hvr_setup_changes_after(const GPtrArray *changes);
