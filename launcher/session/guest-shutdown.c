/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-shutdown has no answer when it goes well: the agent goes with what it was asked to end. So
 * it is QEMU's event that tells, and the agent only what kept it from coming.
 */
#include "launcher/session/guest-shutdown.h"

#include "launcher/report/error.h"
#include "qmp/agent.h"
#include "qmp/error.h"

typedef struct {
	HvrSession *session;
	HvrAgent *agent;
	const char *mode, *event;
	guint subscription, timer;
	HvrSessionDone done;
	gpointer user_data;
} Saying;

/* @error: (transfer full) (nullable) */
static void finish(Saying *saying, GError *error)
{
	hvr_qmp_client_unsubscribe(saying->session->qmp, saying->subscription);
	if (saying->timer)
		g_source_remove(saying->timer);
	hvr_agent_free(saying->agent);
	saying->done(error, saying->user_data);
	g_clear_error(&error);
	g_free(saying);
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	Saying *saying = user_data;

	if (g_str_equal(name, saying->event))
		finish(saying, NULL);
}

static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	finish(user_data, g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "QEMU ended meanwhile"));
}

static gboolean on_late(gpointer user_data)
{
	Saying *saying = user_data;

	saying->timer = 0;
	finish(saying, g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				   "the guest has not done it in time"));
	return G_SOURCE_REMOVE;
}

/* Silence is what goes well; on_late() ends what lasts. */
static void on_answer(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	Saying *saying = user_data;

	if (g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE) ||
	    g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REFUSED))
		finish(saying, g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
					   "the guest's agent: %s", error->message));
}

static void on_synced(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	Saying *saying = user_data;

	if (error)
		return; /* on_late() has the word */
	JsonObject *arguments = json_object_new();
	json_object_set_string_member(arguments, "mode", saying->mode);
	hvr_agent_execute(agent, "guest-shutdown", arguments, HVR_GUEST_SHUTDOWN_MS, on_answer,
			  saying);
}

void hvr_session_tell_guest(HvrSession *session, const char *mode, const char *event,
			    HvrSessionDone done, gpointer user_data)
{
	Saying *saying = g_new(Saying, 1);

	*saying = (Saying){ .session = session,
			    .mode = mode,
			    .event = event,
			    .done = done,
			    .user_data = user_data };
	saying->agent = hvr_agent_connect(session->folder, HVR_VM_AGENT, NULL, NULL);
	if (!saying->agent) {
		GError *error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
					    "VM '%s' has no channel to an agent in its guest",
					    session->vm->name);
		hvr_error_hint(&error, "[guest] agent = yes makes one for the VM's next start");
		finish(saying, error);
		return;
	}
	saying->subscription = hvr_qmp_client_subscribe(session->qmp, on_event, on_closed, saying);
	saying->timer = g_timeout_add(HVR_GUEST_SHUTDOWN_MS, on_late, saying);
	hvr_agent_sync(saying->agent, HVR_GUEST_SHUTDOWN_MS, on_synced, saying);
}

typedef struct {
	HvrSessionDone done;
	gpointer user_data;
} Command;

static void on_reply(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	g_autofree Command *command = user_data;

	command->done(error, command->user_data);
}

void hvr_session_execute(HvrSession *session, const char *command, HvrSessionDone done,
			 gpointer user_data)
{
	Command *one = g_new(Command, 1);

	*one = (Command){ .done = done, .user_data = user_data };
	hvr_qmp_client_execute(session->qmp, command, NULL, HVR_GUEST_SHUTDOWN_MS, on_reply, one);
}
