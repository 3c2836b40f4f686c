/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How what is done in a guest is said to its agent; nobody but this folder includes it. */

#include "launcher/guest/guest.h"
#include "qmp/agent.h"

/* For one answer. QEMU's agent takes its time over megabytes of output, under TCG half a minute. */
#define HVR_GUEST_ANSWER_MS 60000

/* How often it is asked what has become of something: at first, and in the end. */
#define HVR_GUEST_ASK_FIRST_MS 5
#define HVR_GUEST_ASK_LAST_MS  500

/* How long what was killed may take to end. */
#define HVR_GUEST_GRACE_MS 10000

/* No pid yet: a signal is not for the command, but what was begun for it is to be taken back. */
#define HVR_GUEST_PID_COMING (-1)

struct HvrGuest {
	int folder; /* vms/NAME */
	char *name;
	HvrAgent *agent; /* NULL: given up for now */
	gint64 since_us; /* when the channel was taken */
	guint signals;	 /* how often somebody wanted us to stop */
	gboolean woken;	 /* what hvr_guest_wait() waits for, beside the time and a signal */
	int signal_number;
	gint64 pid; /* of the command under way; 0: none */
	gint64 deadline_us;
	guint cancel_timer;
	gboolean cancelled; /* by it */
	guint patience_ms;  /* how long an answer may take even behind the deadline */
};

/* 0: none. */
void hvr_guest_set_deadline(HvrGuest *guest, guint timeout_ms);

/* What is left of the time for one answer: at least a little, so that what was done is undone. */
guint hvr_guest_left_ms(const HvrGuest *guest, guint most_ms);

/* Until the time is over, a signal comes, or somebody sets @guest->woken. */
void hvr_guest_wait(HvrGuest *guest, guint ms);

/* From what the conversation came to, to what the user is told: who cannot, and what helps.
 * @cause: (transfer full): in HVR_QMP_ERROR */
void hvr_guest_explain(const HvrGuest *guest, GError **error, GError *cause);

/* Takes the channel where it was given up, and makes sure that an agent is behind it. */
gboolean hvr_guest_reach(HvrGuest *guest, guint timeout_ms,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_guest_pause - wait, as hvr_guest_wait(), before something is asked again.
 * The channel serves one client at a time: over a long wait it is given up, so that a command that
 * runs for hours keeps nobody else out.
 * Errors: in HVR_QMP_ERROR, as those of hvr_guest_share()
 */
gboolean hvr_guest_pause(HvrGuest *guest, guint ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets somebody else have the channel for a moment, where we have had it for long. */
gboolean hvr_guest_share(HvrGuest *guest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One command of the agent's. @arguments: (transfer full). Errors: as hvr_agent_call(). */
JsonNode *hvr_guest_ask(HvrGuest *guest, const char *command, JsonObject *arguments,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An answer that does not have what it must have. */
GError *hvr_guest_nonsense(const char *command);

/* Members of an answer, which may be anything: FALSE, or empty, for what is absent or not that. */
gboolean hvr_guest_get_int(JsonNode *answer, const char *name, gint64 *out);
gboolean hvr_guest_get_true(JsonNode *answer, const char *name);
GByteArray *hvr_guest_get_bytes(JsonNode *answer, const char *name);
