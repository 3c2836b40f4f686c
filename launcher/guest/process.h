/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/* What is to be started. Nothing is owned. */
typedef struct {
	const char *const *argv;
	const guint8 *input; /* at most HVR_AGENT_INPUT_MAX_BYTES */
	gsize input_bytes;
	gboolean capture; /* the agent keeps its output */
} HvrGuestProcess;

/* Returns: its pid, or 0 with @error in HVR_QMP_ERROR */
gint64 hvr_guest_start(HvrGuest *guest, const HvrGuestProcess *process,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Why @name was not started. @cause: (transfer full). Errors: as hvr_guest_run() */
void hvr_guest_explain_start(const HvrGuest *guest, const char *name, GError **error,
			     GError *cause);

/**
 * hvr_guest_ask_status - what has become of it. When it has ended, the agent has forgotten it.
 * @out_exited: FALSE: it still runs, and @out_result is untouched
 * Errors: in HVR_QMP_ERROR
 */
gboolean hvr_guest_ask_status(HvrGuest *guest, gint64 pid, gboolean *out_exited,
			      HvrGuestResult *out_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks until one that is quickly done has ended. Errors: as hvr_guest_ask_status(); _REMOTE when
 * that takes longer than @most_ms */
gboolean hvr_guest_await(HvrGuest *guest, gint64 pid, guint most_ms, HvrGuestResult *out_result,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
