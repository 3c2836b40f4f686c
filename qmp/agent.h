/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Longest answer accepted from an agent: 12 MiB, of which a command's output may be about 9. */
#define HVR_AGENT_LINE_MAX_BYTES (12 * 1024 * 1024)

/* Most bytes of input that one guest-exec, or one guest-file-write, may carry: 2 MiB. */
#define HVR_AGENT_INPUT_MAX_BYTES (2 * 1024 * 1024)

/**
 * HvrAgent - one conversation with the QEMU guest agent, driven by a GMainContext, without threads.
 *
 * The agent is the guest's, so it may be absent, late, old, or hostile. Nothing it does holds more
 * memory than a line of HVR_AGENT_LINE_MAX_BYTES, and nothing outlasts a command's deadline.
 * Its channel serves one client at a time, see hvr_qmp_connect().
 */
typedef struct HvrAgent HvrAgent;

/**
 * HvrAgentReply - completion of one command.
 * @result: what the agent returned, borrowed; NULL on failure
 * @error: NULL on success; else in HVR_QMP_ERROR, borrowed: REMOTE, the agent answered with an
 *         error; REFUSED, it does not know the command or was told not to allow it; TIMEOUT;
 *         CLOSED; PROTOCOL, what arrived is no JSON or too long
 *
 * Called exactly once for each command, never from inside hvr_agent_execute() itself. After any
 * error but REMOTE and REFUSED the conversation is over: hvr_agent_is_closed(). The callback may
 * free the agent.
 */
typedef void (*HvrAgentReply)(HvrAgent *agent, JsonNode *result, const GError *error,
			      gpointer user_data);

/**
 * hvr_agent_new - talk to an agent on a connected stream socket.
 * @fd: ownership is taken
 * @context: (nullable): NULL for the default context
 */
HvrAgent *hvr_agent_new(int fd, GMainContext *context) G_GNUC_WARN_UNUSED_RESULT;

/* The same on a socket by name. Errors: as hvr_qmp_connect(). */
HvrAgent *hvr_agent_connect(int dirfd, const char *name, GMainContext *context,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the conversation. A command under way is dropped without being told. NULL is accepted. */
void hvr_agent_free(HvrAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrAgent, hvr_agent_free)

/**
 * hvr_agent_sync - find out that an agent is there, and where in its output our answers begin.
 * Must be the first command of a conversation. What a client before us left in the channel is
 * thrown away. When no agent runs in the guest yet, the question waits in the channel until one
 * does, so this also waits for a guest that boots.
 */
void hvr_agent_sync(HvrAgent *agent, guint timeout_ms, HvrAgentReply reply, gpointer user_data);

/**
 * hvr_agent_execute - send one command. One at a time: agents before QEMU 3.0 know no ids, so the
 * order is all that tells which answer is whose.
 * @arguments: (nullable) (transfer full)
 * @timeout_ms: time until the answer, never 0
 */
void hvr_agent_execute(HvrAgent *agent, const char *command, JsonObject *arguments,
		       guint timeout_ms, HvrAgentReply reply, gpointer user_data);

/**
 * hvr_agent_call - send one command and run the agent's context until it is answered.
 * @command: NULL for hvr_agent_sync()
 * Returns: (transfer full): what was returned, or NULL with @error in HVR_QMP_ERROR
 */
JsonNode *hvr_agent_call(HvrAgent *agent, const char *command, JsonObject *arguments,
			 guint timeout_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the conversation as if the agent had closed it: a command under way completes with CLOSED
 * from the context. For a user who has waited enough. */
void hvr_agent_cancel(HvrAgent *agent);

/* Is the conversation over? */
gboolean hvr_agent_is_closed(const HvrAgent *agent);
