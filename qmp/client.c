/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One conversation, and the promise that every command completes exactly once.
 *
 * All commands that are not completed stand in one queue in order of issue, whether sent or not;
 * qmp_capabilities is one of them. There are four ways out of the queue, and each removes the
 * call before it tells: an answer with its id, its deadline, the end of the connection, the last
 * hvr_qmp_client_unref(). An answer without a call in the queue (late, twice, not ours) is
 * dropped.
 *
 * Callbacks may do anything to the client, so two counts exist: "refs" are the owners', and at
 * zero everything is completed and closed at once, while the memory stays until the dispatch
 * that is running lets go of it.
 */
#include "qmp/client.h"

#include <fcntl.h>
#include <unistd.h>

#include "compat/compat.h"
#include "qmp/error.h"
#include "qmp/member.h"
#include "qmp/stream.h"

typedef enum {
	STATE_CONNECTING,  /* nothing has arrived: the greeting must be the first object */
	STATE_NEGOTIATING, /* qmp_capabilities is sent; other commands are kept */
	STATE_READY,	   /* commands are sent as they are given; events arrive */
	STATE_CLOSED,	   /* no stream any more; commands fail from the context */
} State;

typedef struct {
	HvrQmpClient *client;
	gint64 id;
	char *command;
	JsonObject *message; /* NULL once sent */
	int fd;		     /* goes with it; -1: none, or sent */
	gboolean gives;	     /* it is about a descriptor */
	guint timeout_ms;
	GSource *timer; /* the deadline; on a closed client an idle source; or NULL */
	HvrQmpReply reply;
	gpointer user_data;
} Call;

typedef struct {
	guint id;
	HvrQmpEvent event;
	HvrQmpClosed closed;
	gpointer user_data;
} Subscriber;

struct HvrQmpClient {
	guint refs;
	State state;
	GMainContext *context;
	HvrQmpStream *stream; /* NULL when closed */
	GError *end;	      /* why it closed */
	gboolean dispatching; /* inside a callback of the stream */
	GQueue calls;	      /* of Call */
	gint64 last_id;
	GArray *subscribers; /* of Subscriber */
	guint last_subscription;
};

static void client_clear(gpointer data)
{
	HvrQmpClient *client = data;

	g_clear_pointer(&client->context, g_main_context_unref);
	g_clear_error(&client->end);
	g_array_unref(client->subscribers);
}

static void client_release(HvrQmpClient *client)
{
	g_rc_box_release_full(client, client_clear);
}

static void call_free(Call *call)
{
	if (call->timer) {
		g_source_destroy(call->timer);
		g_source_unref(call->timer);
	}
	g_clear_pointer(&call->message, json_object_unref);
	if (call->fd >= 0)
		close(call->fd);
	g_free(call->command);
	g_free(call);
}

static void call_send(Call *call);

static gboolean is_giving(const Call *call)
{
	return call->gives && !call->message;
}

/* QEMU keeps the last of the descriptors that come with what it reads at once: one at a time. */
static void give_next(HvrQmpClient *client)
{
	Call *next = NULL;

	for (GList *at = client->calls.head; at; at = at->next) {
		Call *call = at->data;
		if (is_giving(call))
			return;
		if (call->gives && !next)
			next = call;
	}
	if (next && client->state == STATE_READY)
		call_send(next);
}

/* The only place where a reply is told. */
static void call_complete(Call *call, JsonNode *result, const GError *error)
{
	HvrQmpClient *client = call->client;
	HvrQmpReply reply = call->reply;
	gpointer user_data = call->user_data;
	gboolean gave = call->gives;

	g_queue_remove(&client->calls, call);
	call_free(call);
	if (gave)
		give_next(client);
	if (reply)
		reply(client, result, error, user_data);
}

/* Completes what was issued up to @last_id. Callbacks may issue more meanwhile. */
static void complete_calls(HvrQmpClient *client, gint64 last_id, const GError *error)
{
	Call *call;

	while ((call = g_queue_peek_head(&client->calls)) && call->id <= last_id)
		call_complete(call, NULL, error);
}

static Subscriber *find_subscriber(HvrQmpClient *client, guint id)
{
	for (guint i = 0; i < client->subscribers->len; i++) {
		Subscriber *subscriber = &g_array_index(client->subscribers, Subscriber, i);

		if (subscriber->id == id)
			return subscriber;
	}
	return NULL;
}

/*
 * Tells an event, or with @name NULL the end. By id and not by position, since each callback may
 * change the list.
 */
static void tell_subscribers(HvrQmpClient *client, const char *name, JsonObject *data)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < client->subscribers->len; i++)
		g_array_append_val(ids, g_array_index(client->subscribers, Subscriber, i).id);
	for (guint i = 0; i < ids->len; i++) {
		Subscriber *found = find_subscriber(client, g_array_index(ids, guint, i));
		Subscriber subscriber;

		if (!found)
			continue;
		subscriber = *found;
		if (name && subscriber.event)
			subscriber.event(client, name, data, subscriber.user_data);
		else if (!name && subscriber.closed)
			subscriber.closed(client, client->end, subscriber.user_data);
	}
}

static void client_close(HvrQmpClient *client, const GError *error)
{
	if (client->state == STATE_CLOSED)
		return;
	client->state = STATE_CLOSED;
	client->end = g_error_copy(error);
	g_clear_pointer(&client->stream, hvr_qmp_stream_free);
	complete_calls(client, client->last_id, client->end);
	tell_subscribers(client, NULL, NULL);
}

static void close_protocol(HvrQmpClient *client, const char *what)
{
	g_autoptr(GError) error = g_error_new_literal(HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL, what);

	client_close(client, error);
}

/* Which call does this answer? NULL when it is not one of ours, or not any more. */
static Call *find_call(HvrQmpClient *client, JsonObject *reply)
{
	/* What fails before QEMU has read the id has none; only one command is under way then. */
	if (client->state == STATE_NEGOTIATING && json_object_has_member(reply, "error") &&
	    !json_object_has_member(reply, "id"))
		return g_queue_peek_head(&client->calls);
	for (GList *at = client->calls.head; at; at = at->next) {
		Call *call = at->data;

		/* One that is not sent yet cannot have been answered. */
		if (!call->message && hvr_qmp_member_is_int(reply, "id", call->id))
			return call;
	}
	return NULL;
}

static GError *remote_error(JsonObject *error)
{
	const char *desc = hvr_qmp_member_string(error, "desc");
	HvrQmpError code = HVR_QMP_ERROR_REMOTE;

	if (g_strcmp0(hvr_qmp_member_string(error, "class"), "DeviceNotFound") == 0)
		code = HVR_QMP_ERROR_NOT_FOUND;
	if (!desc)
		desc = "no reason given";
	/* Behind a newline would stand what we advise. */
	g_autofree char *line = g_strdelimit(g_strdup(desc), "\n", ' ');
	return g_error_new_literal(HVR_QMP_ERROR, code, line);
}

static void handle_reply(HvrQmpClient *client, JsonObject *reply)
{
	JsonObject *failure = hvr_qmp_member_object(reply, "error");
	Call *call = find_call(client, reply);
	g_autoptr(GError) error = NULL;

	if (failure)
		error = remote_error(failure);
	if (!failure && json_object_has_member(reply, "error"))
		close_protocol(client, "an answer's \"error\" is not an object");
	else if (!call && error)
		g_debug("answer to no pending command dropped: %s", error->message);
	else if (!call)
		g_debug("answer to no pending command dropped: a success");
	else if (error)
		call_complete(call, NULL, error);
	else
		call_complete(call, json_object_get_member(reply, "return"), NULL);
}

static void handle_event(HvrQmpClient *client, JsonObject *event)
{
	const char *name = hvr_qmp_member_string(event, "event");
	g_autoptr(JsonObject) empty = json_object_new();
	JsonObject *data = hvr_qmp_member_object(event, "data");

	if (!data)
		data = empty;
	if (!name)
		close_protocol(client, "an event's name is not a string");
	else if (client->state == STATE_READY)
		tell_subscribers(client, name, data);
	else
		g_debug("event before negotiation dropped: %s", name);
}

static void call_send(Call *call)
{
	g_autoptr(JsonObject) message = g_steal_pointer(&call->message);

	if (call->fd < 0) {
		hvr_qmp_stream_send(call->client->stream, message);
		return;
	}
	hvr_qmp_stream_send_fd(call->client->stream, message, g_steal_fd(&call->fd));
}

static void on_negotiated(HvrQmpClient *client, JsonNode *result, const GError *error,
			  gpointer user_data)
{
	if (client->state == STATE_CLOSED)
		return;
	if (error) {
		g_autofree char *what =
			g_strdup_printf("the peer refuses to negotiate: %s", error->message);
		close_protocol(client, what);
		return;
	}
	client->state = STATE_READY;
	/* what was given before, in order */
	for (GList *at = client->calls.head; at; at = at->next) {
		Call *call = at->data;

		if (call->message && !call->gives)
			call_send(call);
	}
	give_next(client);
}

static Call *call_new(HvrQmpClient *client, const char *command, JsonObject *arguments)
{
	Call *call = g_new0(Call, 1);

	call->client = client;
	call->id = ++client->last_id;
	call->command = g_strdup(command);
	call->fd = -1;
	call->message = json_object_new();
	json_object_set_string_member(call->message, "execute", command);
	if (arguments)
		json_object_set_object_member(call->message, "arguments", arguments);
	json_object_set_int_member(call->message, "id", call->id);
	return call;
}

static void handle_greeting(HvrQmpClient *client, JsonObject *greeting)
{
	JsonObject *failure = hvr_qmp_member_object(greeting, "error");
	Call *call;

	if (!hvr_qmp_member_object(greeting, "QMP")) {
		g_autoptr(GString) what = g_string_new("the peer did not greet as QMP does");

		if (failure && hvr_qmp_member_string(failure, "desc"))
			g_string_append_printf(what, ": %s",
					       hvr_qmp_member_string(failure, "desc"));
		g_strdelimit(what->str, "\n", ' ');
		close_protocol(client, what->str);
		return;
	}
	client->state = STATE_NEGOTIATING;
	call = call_new(client, "qmp_capabilities", NULL);
	call->reply = on_negotiated;
	g_queue_push_head(&client->calls, call);
	call_send(call);
}

static void on_object(HvrQmpStream *stream, JsonObject *object, gpointer user_data)
{
	HvrQmpClient *client = g_rc_box_acquire(user_data);

	client->dispatching = TRUE;
	if (client->state == STATE_CONNECTING)
		handle_greeting(client, object);
	else if (json_object_has_member(object, "event"))
		handle_event(client, object);
	else if (json_object_has_member(object, "error") ||
		 json_object_has_member(object, "return"))
		handle_reply(client, object);
	else
		close_protocol(client, "a message is neither an answer nor an event");
	client->dispatching = FALSE;
	client_release(client);
}

static void on_ended(HvrQmpStream *stream, const GError *error, gpointer user_data)
{
	HvrQmpClient *client = g_rc_box_acquire(user_data);

	client->dispatching = TRUE;
	client_close(client, error);
	client->dispatching = FALSE;
	client_release(client);
}

HvrQmpClient *hvr_qmp_client_new(int fd, GMainContext *context)
{
	static const HvrQmpStreamHandlers handlers = { .object = on_object, .ended = on_ended };
	HvrQmpClient *client = g_rc_box_new0(HvrQmpClient);

	if (!context)
		context = g_main_context_default();
	client->refs = 1;
	client->context = g_main_context_ref(context);
	client->subscribers = g_array_new(FALSE, FALSE, sizeof(Subscriber));
	client->stream = hvr_qmp_stream_new(fd, context, &handlers, client);
	return client;
}

HvrQmpClient *hvr_qmp_client_ref(HvrQmpClient *client)
{
	client->refs++;
	return client;
}

void hvr_qmp_client_unref(HvrQmpClient *client)
{
	if (!client)
		return;
	/* The last owner's reference is counted until all is told, so callbacks that take and drop
	 * one of their own do not come here again. */
	if (client->refs == 1) {
		g_autoptr(GError) error = g_error_new_literal(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED,
							      "the connection was given up");

		g_array_set_size(client->subscribers, 0);
		client_close(client, error);
		complete_calls(client, G_MAXINT64, client->end);
	}
	if (--client->refs == 0)
		client_release(client);
}

static gboolean on_timer(gpointer data)
{
	Call *call = data;
	HvrQmpClient *client = g_rc_box_acquire(call->client);
	g_autoptr(GError) error = NULL;

	if (client->state == STATE_CLOSED)
		error = g_error_copy(client->end);
	else
		error = g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT,
				    "no answer to '%s' within %g s", call->command,
				    call->timeout_ms / 1000.0);
	call_complete(call, NULL, error);
	client_release(client);
	return G_SOURCE_REMOVE;
}

static void call_set_timer(Call *call, GSource *timer)
{
	g_source_set_name(timer, "hvr-qmp-call");
	g_source_set_callback(timer, on_timer, call, NULL);
	g_source_attach(timer, call->client->context);
	call->timer = timer;
}

static void issue(Call *call, guint timeout_ms, HvrQmpReply reply, gpointer user_data)
{
	HvrQmpClient *client = call->client;

	call->timeout_ms = timeout_ms;
	call->reply = reply;
	call->user_data = user_data;
	g_queue_push_tail(&client->calls, call);
	if (client->state == STATE_CLOSED)
		call_set_timer(call, g_idle_source_new());
	else if (timeout_ms > 0)
		call_set_timer(call, g_timeout_source_new(timeout_ms));
	if (client->state == STATE_READY && !call->gives)
		call_send(call);
	if (call->gives)
		give_next(client);
}

void hvr_qmp_client_execute(HvrQmpClient *client, const char *command, JsonObject *arguments,
			    guint timeout_ms, HvrQmpReply reply, gpointer user_data)
{
	issue(call_new(client, command, arguments), timeout_ms, reply, user_data);
}

void hvr_qmp_client_execute_with_fd(HvrQmpClient *client, const char *command,
				    JsonObject *arguments, int fd, guint timeout_ms,
				    HvrQmpReply reply, gpointer user_data)
{
	Call *call = call_new(client, command, arguments);

	call->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	call->gives = TRUE;
	issue(call, timeout_ms, reply, user_data);
}

void hvr_qmp_client_give_fd(HvrQmpClient *client, const char *name, int fd, guint timeout_ms,
			    HvrQmpReply reply, gpointer user_data)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "fdname", name);
	hvr_qmp_client_execute_with_fd(client, "getfd", arguments, fd, timeout_ms, reply,
				       user_data);
}

typedef struct {
	gboolean done;
	JsonNode *result;
	GError *error;
} Answer;

static void on_answer(HvrQmpClient *client, JsonNode *result, const GError *error,
		      gpointer user_data)
{
	Answer *answer = user_data;

	answer->done = TRUE;
	if (error)
		answer->error = g_error_copy(error);
	else
		answer->result = json_node_copy(result);
}

JsonNode *hvr_qmp_client_call(HvrQmpClient *client, const char *command, JsonObject *arguments,
			      guint timeout_ms, GError **error)
{
	g_autoptr(HvrQmpClient) guard = hvr_qmp_client_ref(client);
	Answer answer = { 0 };

	g_return_val_if_fail(!client->dispatching, NULL);
	hvr_qmp_client_execute(guard, command, arguments, timeout_ms, on_answer, &answer);
	while (!answer.done)
		g_main_context_iteration(guard->context, TRUE);
	if (answer.error)
		g_propagate_error(error, answer.error);
	return answer.result;
}

guint hvr_qmp_client_subscribe(HvrQmpClient *client, HvrQmpEvent event, HvrQmpClosed closed,
			       gpointer user_data)
{
	Subscriber subscriber = { .id = ++client->last_subscription,
				  .event = event,
				  .closed = closed,
				  .user_data = user_data };

	g_array_append_val(client->subscribers, subscriber);
	return subscriber.id;
}

void hvr_qmp_client_unsubscribe(HvrQmpClient *client, guint id)
{
	Subscriber *subscriber = find_subscriber(client, id);

	if (subscriber)
		g_array_remove_index(client->subscribers,
				     subscriber - (Subscriber *)client->subscribers->data);
}

gboolean hvr_qmp_client_is_closed(const HvrQmpClient *client)
{
	return client->state == STATE_CLOSED;
}

gboolean hvr_qmp_client_is_ready(const HvrQmpClient *client)
{
	return client->state == STATE_READY;
}

GMainContext *hvr_qmp_client_get_context(const HvrQmpClient *client)
{
	return client->context;
}
