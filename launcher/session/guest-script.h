/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"
#include "qmp/agent.h"

/* @error: NULL: it ended with status 0. Borrowed. Told once, never from inside
 * hvr_guest_script_begin(). */
typedef void (*HvrGuestScriptDone)(const GError *error, gpointer user_data);

/**
 * HvrGuestScript - a script that the guest's shell runs, by its agent, beside the main loop; for
 * what a session has to have done in its guest before it is anybody's. What users run in theirs is
 * launcher/guest/.
 */
typedef struct {
	char *text;
	HvrAgent *agent; /* NULL: it is over */
	gint64 pid;	 /* of the guest's shell */
	int status;	 /* of the same; -1: it has not run to its end */
	gint64 until_us;
	guint pause_ms; /* until it is asked after again */
	guint timer;
	/* The caller's, behind hvr_guest_script_begin(): a guest that has no /bin/sh, as Windows,
	 * is told the time by its agent at least; what it came to is an error all the same */
	gboolean tells_time;
	GError *failure; /* known before there was anything to wait for */
	HvrGuestScriptDone done;
	gpointer user_data;
} HvrGuestScript;

/**
 * hvr_guest_script_begin - have the guest run the script with /bin/sh, as the agent's user, who is
 * root as a rule.
 * @script: its memory must outlive the session
 * @text: less than HVR_AGENT_INPUT_MAX_BYTES; copied
 * @timeout_ms: for all of it; the guest's shell runs on when it is over
 * Errors: HVR_QMP_ERROR: of the agent, or it is not there; HVR_LAUNCH_ERROR_UNAVAILABLE: the
 * script's status is not 0, with what it said last on its standard error
 */
void hvr_guest_script_begin(HvrGuestScript *script, HvrSession *session, const char *text,
			    guint timeout_ms, HvrGuestScriptDone done, gpointer user_data);

/* Nobody is told any more. Of one that was never begun (all 0) nothing is to be ended. */
void hvr_guest_script_end(HvrGuestScript *script);
