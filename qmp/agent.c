/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP's grammar without its manners: no greeting, no negotiation, no events, and old agents refuse
 * a command with an id. So there is one command under way at most, and whoever gave up on one
 * cannot tell its late answer from the next one's: after a deadline the conversation is over.
 *
 *   new -> (guest-sync-delimited answered with our number) synced -> closed
 *
 * Until the number has come everything is left over from somebody else, and dropped.
 */
#include "qmp/agent.h"

#include <string.h>

#include "qmp/connect.h"
#include "qmp/error.h"
#include "qmp/member.h"
#include "qmp/stream.h"

struct HvrAgent {
	GMainContext *context;
	HvrQmpStream *stream; /* NULL: closed */
	gint64 sync;	      /* the number that is waited for; 0: none */
	HvrAgentReply reply;  /* of the command under way, or NULL */
	gpointer user_data;
	GSource *timer; /* its deadline, or an end that is to be told */
	GError *why;	/* why it is closed */
};

static void clear_timer(HvrAgent *agent)
{
	if (agent->timer)
		g_source_destroy(agent->timer);
	g_clear_pointer(&agent->timer, g_source_unref);
}

static void set_timer(HvrAgent *agent, guint ms, GSourceFunc func)
{
	clear_timer(agent);
	agent->timer = g_timeout_source_new(ms);
	g_source_set_callback(agent->timer, func, agent, NULL);
	g_source_attach(agent->timer, agent->context);
}

static void agent_close(HvrAgent *agent, const GError *why)
{
	g_clear_pointer(&agent->stream, hvr_qmp_stream_free);
	if (!agent->why)
		agent->why = g_error_copy(why);
}

/* The agent may be gone when this returns. */
static void complete(HvrAgent *agent, JsonNode *result, const GError *error)
{
	HvrAgentReply reply = g_steal_pointer(&agent->reply);

	clear_timer(agent);
	agent->sync = 0;
	if (reply)
		reply(agent, result, error, agent->user_data);
}

static gboolean on_deadline(gpointer user_data)
{
	HvrAgent *agent = user_data;
	const char *what = "the guest agent has not answered in time";

	if (agent->sync)
		what = "the guest agent does not answer";
	g_autoptr(GError) error = g_error_new_literal(HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT, what);
	agent_close(agent, error);
	complete(agent, NULL, error);
	return G_SOURCE_REMOVE;
}

static gboolean on_closed_already(gpointer user_data)
{
	HvrAgent *agent = user_data;
	g_autoptr(GError) error = g_error_copy(agent->why);

	complete(agent, NULL, error);
	return G_SOURCE_REMOVE;
}

static GError *error_of(JsonObject *object)
{
	JsonObject *error = hvr_qmp_member_object(object, "error");
	const char *class = hvr_qmp_member_string(error, "class");
	const char *desc = hvr_qmp_member_string(error, "desc");
	HvrQmpError code = HVR_QMP_ERROR_REMOTE;

	if (g_strcmp0(class, "CommandNotFound") == 0)
		code = HVR_QMP_ERROR_REFUSED;
	if (!desc)
		desc = "the guest agent gave no reason";
	g_autofree char *text = g_strdup(desc);
	g_strdelimit(text, "\r\n", ' ');
	return g_error_new_literal(HVR_QMP_ERROR, code, text);
}

static void on_object(HvrQmpStream *stream, JsonObject *object, gpointer user_data)
{
	HvrAgent *agent = user_data;
	JsonNode *result = json_object_get_member(object, "return");

	/* all but the answer to our guest-sync-delimited is somebody else's */
	if (agent->sync && !hvr_qmp_member_is_int(object, "return", agent->sync))
		return;
	if (result) {
		complete(agent, result, NULL);
	} else if (hvr_qmp_member_object(object, "error")) {
		g_autoptr(GError) error = error_of(object);
		complete(agent, NULL, error);
	}
}

static void on_ended(HvrQmpStream *stream, const GError *cause, gpointer user_data)
{
	HvrAgent *agent = user_data;
	g_autoptr(GError) error = g_error_copy(cause);

	g_prefix_error(&error, "the guest agent's channel: ");
	agent_close(agent, error);
	complete(agent, NULL, error);
}

HvrAgent *hvr_agent_new(int fd, GMainContext *context)
{
	static const HvrQmpStreamHandlers handlers = { .object = on_object, .ended = on_ended };
	HvrAgent *agent = g_new0(HvrAgent, 1);

	if (!context)
		context = g_main_context_default();
	agent->context = g_main_context_ref(context);
	agent->stream = hvr_qmp_stream_new(fd, agent->context, &handlers, agent);
	hvr_qmp_stream_set_line_max(agent->stream, HVR_AGENT_LINE_MAX_BYTES);
	return agent;
}

HvrAgent *hvr_agent_connect(int dirfd, const char *name, GMainContext *context, GError **error)
{
	int fd = hvr_qmp_connect(dirfd, name, error);

	if (fd < 0)
		return NULL;
	return hvr_agent_new(fd, context);
}

void hvr_agent_free(HvrAgent *agent)
{
	if (!agent)
		return;
	clear_timer(agent);
	hvr_qmp_stream_free(agent->stream);
	g_clear_error(&agent->why);
	g_main_context_unref(agent->context);
	g_free(agent);
}

void hvr_agent_execute(HvrAgent *agent, const char *command, JsonObject *arguments,
		       guint timeout_ms, HvrAgentReply reply, gpointer user_data)
{
	g_autoptr(JsonObject) message = json_object_new();

	g_return_if_fail(!agent->reply && reply);
	json_object_set_string_member(message, "execute", command);
	if (arguments)
		json_object_set_object_member(message, "arguments", arguments);
	agent->reply = reply;
	agent->user_data = user_data;
	if (!agent->stream) {
		set_timer(agent, 0, on_closed_already);
		return;
	}
	set_timer(agent, timeout_ms, on_deadline);
	hvr_qmp_stream_send(agent->stream, message);
}

void hvr_agent_sync(HvrAgent *agent, guint timeout_ms, HvrAgentReply reply, gpointer user_data)
{
	JsonObject *arguments = json_object_new();

	g_return_if_fail(!agent->reply && reply);
	agent->sync = g_random_int_range(1, G_MAXINT32);
	json_object_set_int_member(arguments, "id", agent->sync);
	if (agent->stream)
		hvr_qmp_stream_resync(agent->stream);
	hvr_agent_execute(agent, "guest-sync-delimited", arguments, timeout_ms, reply, user_data);
}

/* A call under way. */
typedef struct {
	gboolean told;
	JsonNode *result;
	GError *error;
} Call;

static void on_called(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	Call *call = user_data;

	call->told = TRUE;
	if (error)
		call->error = g_error_copy(error);
	else
		call->result = json_node_ref(result);
}

JsonNode *hvr_agent_call(HvrAgent *agent, const char *command, JsonObject *arguments,
			 guint timeout_ms, GError **error)
{
	Call call = { .told = FALSE };

	if (command)
		hvr_agent_execute(agent, command, arguments, timeout_ms, on_called, &call);
	else
		hvr_agent_sync(agent, timeout_ms, on_called, &call);
	while (!call.told)
		g_main_context_iteration(agent->context, TRUE);
	if (call.error)
		g_propagate_error(error, call.error);
	return call.result;
}

void hvr_agent_cancel(HvrAgent *agent)
{
	g_autoptr(GError) error =
		g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "the command was given up");

	agent_close(agent, error);
	if (agent->reply)
		set_timer(agent, 0, on_closed_already);
}

gboolean hvr_agent_is_closed(const HvrAgent *agent)
{
	return !agent->stream;
}
