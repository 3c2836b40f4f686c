/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How guest.c and file.c talk with an agent; nobody else includes it. */

#include "launcher/guest/guest.h"
#include "qmp/agent.h"

/* For one answer. QEMU's agent takes its time over megabytes of output, under TCG half a minute. */
#define HVR_GUEST_ANSWER_MS 60000

struct HvrGuest {
	int folder; /* vms/NAME */
	char *name;
	HvrAgent *agent; /* NULL: given up for now */
	guint signals;	 /* how often somebody wanted us to stop */
	int signal_number;
	gint64 pid; /* of the command under way; 0: none */
	gint64 deadline_us;
	guint cancel_timer;
	gboolean cancelled; /* by it */
};

/* 0: none. */
void hvr_guest_set_deadline(HvrGuest *guest, guint timeout_ms);

/* What is left of the time for one answer: at least a little, so that what was done is undone. */
guint hvr_guest_left_ms(const HvrGuest *guest, guint most_ms);

/* From what the conversation came to, to what the user is told: who cannot, and what helps.
 * @cause: (transfer full): in HVR_QMP_ERROR */
void hvr_guest_explain(const HvrGuest *guest, GError **error, GError *cause);

/* Takes the channel where it was given up, and makes sure that an agent is behind it. */
gboolean hvr_guest_reach(HvrGuest *guest, guint timeout_ms,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One command of the agent's. @arguments: (transfer full). Errors: as hvr_agent_call(). */
JsonNode *hvr_guest_ask(HvrGuest *guest, const char *command, JsonObject *arguments,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An answer that does not have what it must have. */
GError *hvr_guest_nonsense(const char *command);

/* Members of an answer, which may be anything: FALSE, or empty, for what is absent or not that. */
gboolean hvr_guest_get_true(JsonNode *answer, const char *name);
GByteArray *hvr_guest_get_bytes(JsonNode *answer, const char *name);
