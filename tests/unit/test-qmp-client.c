/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client against the scripted peer. What its callbacks were told is kept as one text, an
 * entry each: "=VALUE" for an answer, "!CODE MESSAGE" for a failure, "@NAME DATA" for an event,
 * "#CODE" for the end. So a test compares what happened, how often and in which order, at once.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "qmp/client.h"
#include "qmp/error.h"
#include "tests/fake/qmp-peer.h"

typedef struct {
	GMainContext *context;
	QmpPeer *peer;
	HvrQmpClient *client;
	GString *told;
	gboolean executing;
	guint subscription;
} Fixture;

static const char *code_name(const GError *error)
{
	static const char *const names[] = { "closed", "timeout",   "protocol",
					     "remote", "not-found", "refused" };

	assert_true(error->domain == HVR_QMP_ERROR);
	return names[error->code];
}

static void on_reply(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	Fixture *f = user_data;

	assert_false(f->executing);
	assert_true((result != NULL) == (error == NULL));
	if (error) {
		g_string_append_printf(f->told, "!%s %s\n", code_name(error), error->message);
	} else {
		g_autofree char *text = json_to_string(result, FALSE);

		g_string_append_printf(f->told, "=%s\n", text);
	}
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	Fixture *f = user_data;
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), data);
	g_autofree char *text = json_to_string(node, FALSE);

	g_string_append_printf(f->told, "@%s %s\n", name, text);
}

static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	Fixture *f = user_data;

	assert_true(hvr_qmp_client_is_closed(client));
	g_string_append_printf(f->told, "#%s\n", code_name(error));
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	int fd;

	f->context = g_main_context_new();
	f->told = g_string_new(NULL);
	f->peer = qmp_peer_new(f->context, &fd);
	f->client = hvr_qmp_client_new(fd, f->context);
	f->subscription = hvr_qmp_client_subscribe(f->client, on_event, on_closed, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_qmp_client_unref(f->client);
	qmp_peer_free(f->peer);
	g_main_context_unref(f->context);
	g_string_free(f->told, TRUE);
	g_free(f);
	return 0;
}

static void settle(Fixture *f)
{
	while (g_main_context_iteration(f->context, FALSE))
		;
}

static void execute_for(Fixture *f, const char *command, guint timeout_ms)
{
	f->executing = TRUE;
	hvr_qmp_client_execute(f->client, command, NULL, timeout_ms, on_reply, f);
	f->executing = FALSE;
}

static void execute(Fixture *f, const char *command)
{
	execute_for(f, command, 0);
}

/* Compares what was told since the last comparison. */
static void assert_told(Fixture *f, const char *expected)
{
	settle(f);
	assert_string_equal(f->told->str, expected);
	g_string_truncate(f->told, 0);
}

static void become_ready(Fixture *f)
{
	qmp_peer_greet(f->peer);
	settle(f);
	assert_string_equal(qmp_peer_heard(f->peer), "qmp_capabilities");
}

/* Nothing is sent before the greeting; then capabilities; then what was kept, in its order. */
static void test_negotiation(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "one", "1");
	qmp_peer_returns(f->peer, "two", "2");
	execute(f, "one");
	execute(f, "two");
	settle(f);
	assert_string_equal(qmp_peer_heard(f->peer), "");
	qmp_peer_ignores(f->peer, "qmp_capabilities");
	qmp_peer_greet(f->peer);
	settle(f);
	assert_string_equal(qmp_peer_heard(f->peer), "qmp_capabilities");
	qmp_peer_say(f->peer, "{\"return\":{},\"id\":3}\n");
	assert_told(f, "=1\n=2\n");
	assert_string_equal(qmp_peer_heard(f->peer), "qmp_capabilities one two");
}

static const struct {
	const char *name, *first, *told;
} greeting_cases[] = {
	{ "an-answer", "{\"return\":{}}", "the peer did not greet as QMP does" },
	{ "qmp-not-object", "{\"QMP\":1}", "the peer did not greet as QMP does" },
	{ "qmp-null", "{\"QMP\":null}", "the peer did not greet as QMP does" },
	{ "an-error", "{\"error\":{\"class\":\"GenericError\",\"desc\":\"go away\"}}",
	  "the peer did not greet as QMP does: go away" },
	{ "odd-error", "{\"error\":[]}", "the peer did not greet as QMP does" },
	{ "odd-desc", "{\"error\":{\"desc\":1}}", "the peer did not greet as QMP does" },
	{ "event", "{\"event\":\"RESUME\"}", "the peer did not greet as QMP does" },
	{ "http", "HTTP/1.1 400 Bad Request", "malformed message at byte 0: object expected" },
};

/* Whoever does not greet first is not QEMU: commands that wait fail with the reason. */
static void test_no_greeting(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(greeting_cases); i++) {
		g_autofree char *told =
			g_strdup_printf("!protocol %s\n#protocol\n", greeting_cases[i].told);
		Fixture *f;

		print_message("  %s\n", greeting_cases[i].name);
		setup((void **)&f);
		execute(f, "query-status");
		qmp_peer_say(f->peer, greeting_cases[i].first);
		qmp_peer_say(f->peer, "\n");
		assert_told(f, told);
		teardown((void **)&f);
	}
}

static const struct {
	const char *name, *answer, *told;
} refusal_cases[] = {
	{ "with-id", "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"},\"id\":$ID}",
	  "the peer refuses to negotiate: no" },
	{ "without-id", "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}",
	  "the peer refuses to negotiate: no" },
	{ "without-desc", "{\"error\":{}}", "the peer refuses to negotiate: no reason given" },
	{ "odd-error", "{\"error\":\"no\"}", "an answer's \"error\" is not an object" },
	{ "neither", "{\"id\":$ID}", "a message is neither an answer nor an event" },
};

/* A peer that refuses to negotiate, also by an error without an id, ends the connection. */
static void test_negotiation_refused(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refusal_cases); i++) {
		g_autofree char *told =
			g_strdup_printf("!protocol %s\n#protocol\n", refusal_cases[i].told);
		g_autofree char *line = g_strdup_printf("%s\n", refusal_cases[i].answer);
		Fixture *f;

		print_message("  %s\n", refusal_cases[i].name);
		setup((void **)&f);
		execute(f, "query-status");
		qmp_peer_answers(f->peer, "qmp_capabilities", line);
		qmp_peer_greet(f->peer);
		assert_told(f, told);
		assert_string_equal(qmp_peer_heard(f->peer), "qmp_capabilities");
		teardown((void **)&f);
	}
}

/* Answers for which nobody waits, before negotiation is over, harm nothing. */
static void test_strangers_before_ready(void **state)
{
	Fixture *f = *state;

	execute(f, "query-status");
	qmp_peer_ignores(f->peer, "qmp_capabilities");
	qmp_peer_greet(f->peer);
	/* 1 is query-status, which was not sent yet. */
	qmp_peer_say(f->peer, "{\"return\":7,\"id\":1}\n{\"return\":8}\n{\"event\":\"RESUME\"}\n");
	qmp_peer_say(f->peer, "{\"error\":{\"desc\":\"x\"},\"id\":99}\n");
	assert_told(f, "");
	qmp_peer_returns(f->peer, "query-status", "{}");
	qmp_peer_say(f->peer, "{\"return\":{},\"id\":2}\n");
	assert_told(f, "={}\n");
}

static const struct {
	const char *name, *answer, *told;
} answer_cases[] = {
	{ "object", "{\"return\":{\"a\":1},\"id\":$ID}\n", "={\"a\":1}\n" },
	{ "id-first", "{\"id\":$ID,\"return\":[]}\n", "=[]\n" },
	{ "null", "{\"return\":null,\"id\":$ID}\n", "=null\n" },
	{ "error", "{\"id\":$ID,\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}\n",
	  "!remote no\n" },
	{ "not-found",
	  "{\"id\":$ID,\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"Device 'x' not "
	  "found\"}}\n",
	  "!not-found Device 'x' not found\n" },
	{ "escape-in-desc", "{\"id\":$ID,\"error\":{\"desc\":\"no\\nrun this\\n\"}}\n",
	  "!remote no run this \n" },
	{ "no-class", "{\"id\":$ID,\"error\":{\"desc\":\"no\"}}\n", "!remote no\n" },
	{ "odd-class", "{\"id\":$ID,\"error\":{\"class\":5,\"desc\":{}}}\n",
	  "!remote no reason given\n" },
	{ "twice", "{\"return\":1,\"id\":$ID}\n{\"return\":2,\"id\":$ID}\n", "=1\n" },
	{ "success-then-error",
	  "{\"return\":1,\"id\":$ID}\n{\"error\":{\"desc\":\"x\"},\"id\":$ID}\n", "=1\n" },
	{ "foreign-number", "{\"return\":1,\"id\":4711}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "foreign-string", "{\"return\":1,\"id\":\"$ID\"}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "foreign-float", "{\"return\":1,\"id\":$ID.0}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "foreign-object", "{\"return\":1,\"id\":{}}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "foreign-null", "{\"return\":1,\"id\":null}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "huge", "{\"return\":1,\"id\":18446744073709551618}\n{\"return\":2,\"id\":$ID}\n",
	  "=2\n" },
	{ "no-id", "{\"return\":1}\n{\"error\":{}}\n{\"return\":2,\"id\":$ID}\n", "=2\n" },
	{ "event-between", "{\"event\":\"STOP\"}\n{\"return\":2,\"id\":$ID}\n", "@STOP {}\n=2\n" },
	{ "event-odd-data", "{\"event\":\"STOP\",\"data\":[1]}\n{\"return\":2,\"id\":$ID}\n",
	  "@STOP {}\n=2\n" },
	{ "odd-event", "{\"event\":{}}\n",
	  "!protocol an event's name is not a string\n#protocol\n" },
	{ "odd-error", "{\"error\":1,\"id\":$ID}\n",
	  "!protocol an answer's \"error\" is not an object\n#protocol\n" },
	{ "neither", "{\"id\":$ID}\n",
	  "!protocol a message is neither an answer nor an event\n#protocol\n" },
	{ "malformed", "{\"return\":{},\"id\":$ID\n",
	  "!protocol malformed message at byte 19: ',' or a closing bracket expected\n"
	  "#protocol\n" },
};

/* Each kind of answer completes its own command and no other, however it is cut into bytes. */
static void test_answers(void **state)
{
	for (gsize i = 0; i < 3 * G_N_ELEMENTS(answer_cases); i++) {
		gsize which = i / 3;
		Fixture *f;

		print_message("  %s\n", answer_cases[which].name);
		setup((void **)&f);
		qmp_peer_set_delivery(f->peer, i % 3);
		qmp_peer_answers(f->peer, "query-status", answer_cases[which].answer);
		become_ready(f);
		execute(f, "query-status");
		assert_told(f, answer_cases[which].told);
		teardown((void **)&f);
	}
}

/* Answers are matched by id, in whatever order they come. */
static void test_out_of_order(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_ignores(f->peer, "x");
	execute(f, "x");
	execute(f, "x");
	execute(f, "x");
	settle(f);
	qmp_peer_say(f->peer, "{\"return\":4,\"id\":4}\n{\"return\":2,\"id\":2}\n");
	assert_told(f, "=4\n=2\n");
	qmp_peer_say(f->peer, "{\"return\":3,\"id\":3}\n");
	assert_told(f, "=3\n");
}

/* A command carries its name, arguments and id, and nothing else. */
static void test_arguments(void **state)
{
	Fixture *f = *state;
	JsonObject *arguments = json_object_new();

	become_ready(f);
	json_object_set_string_member(arguments, "id", "npu\"\n");
	hvr_qmp_client_execute(f->client, "device_del", arguments, 0, NULL, NULL);
	settle(f);
	assert_string_equal(qmp_peer_last_line(f->peer),
			    "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"npu\\\"\\n\"},"
			    "\"id\":2}");
}

/* A descriptor goes with its command, also when that had to be kept; ours stays ours. */
static void test_give_fd(void **state)
{
	Fixture *f = *state;
	int pipes[2];
	char byte = 'x';

	assert_int_equal(pipe(pipes), 0);
	qmp_peer_returns(f->peer, "getfd", "{}");
	hvr_qmp_client_give_fd(f->client, "hvr-x", pipes[1], 0, NULL, NULL);
	qmp_peer_greet(f->peer);
	settle(f);
	close(qmp_peer_take_fd(f->peer));
	hvr_qmp_client_give_fd(f->client, "hvr-y", pipes[1], 0, NULL, NULL);
	close(pipes[1]);
	settle(f);
	assert_string_equal(qmp_peer_last_line(f->peer),
			    "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"hvr-y\"},"
			    "\"id\":3}");
	int given = qmp_peer_take_fd(f->peer);
	assert_int_equal(write(given, &byte, 1), 1);
	byte = 0;
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(given);
	assert_int_equal(read(pipes[0], &byte, 1), 0);
	close(pipes[0]);
}

/* One descriptor at a time, also those that were given before QEMU could be asked. */
static void test_give_in_turn(void **state)
{
	Fixture *f = *state;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	qmp_peer_ignores(f->peer, "getfd");
	hvr_qmp_client_give_fd(f->client, "hvr-x", pipes[0], 0, NULL, NULL);
	hvr_qmp_client_give_fd(f->client, "hvr-y", pipes[1], 0, NULL, NULL);
	qmp_peer_greet(f->peer);
	settle(f);
	assert_int_equal(qmp_peer_count(f->peer, "getfd"), 1);
	hvr_qmp_client_give_fd(f->client, "hvr-z", pipes[1], 0, NULL, NULL);
	settle(f);
	assert_int_equal(qmp_peer_count(f->peer, "getfd"), 1);
	qmp_peer_say(f->peer, "{\"return\": {}, \"id\": 1}\n");
	settle(f);
	assert_int_equal(qmp_peer_count(f->peer, "getfd"), 2);
	assert_non_null(strstr(qmp_peer_last_line(f->peer), "hvr-y"));
	close(pipes[0]);
	close(pipes[1]);
}

static gboolean on_tick(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

/* Runs the context until something was told or a generous time is over. */
static void wait_told(Fixture *f)
{
	gboolean over = FALSE;
	GSource *timer = g_timeout_source_new_seconds(10);

	g_source_set_callback(timer, on_tick, &over, NULL);
	g_source_attach(timer, f->context);
	while (!over && f->told->len == 0)
		g_main_context_iteration(f->context, TRUE);
	g_source_destroy(timer);
	g_source_unref(timer);
	assert_false(over);
}

/* At the deadline a command fails once; its late answer is dropped and the others go on. */
static void test_deadline(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_ignores(f->peer, "slow");
	execute_for(f, "slow", 20);
	wait_told(f);
	assert_told(f, "!timeout no answer to 'slow' within 0.02 s\n");
	qmp_peer_say(f->peer, "{\"return\":{},\"id\":2}\n");
	assert_told(f, "");
	qmp_peer_returns(f->peer, "quick", "{}");
	execute_for(f, "quick", 10000);
	assert_told(f, "={}\n");
}

/* The deadline also counts while the peer says nothing; what timed out is never sent. */
static void test_deadline_before_greeting(void **state)
{
	Fixture *f = *state;

	execute_for(f, "query-status", 20);
	wait_told(f);
	assert_told(f, "!timeout no answer to 'query-status' within 0.02 s\n");
	become_ready(f);
	assert_told(f, "");
}

/* At EOF every pending command fails once, in order, and then the end is told, once. */
static void test_eof(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_ignores(f->peer, "x");
	execute(f, "x");
	execute_for(f, "x", 10000);
	settle(f);
	qmp_peer_event(f->peer, "SHUTDOWN", "{\"guest\":true}");
	qmp_peer_close(f->peer);
	assert_told(f, "@SHUTDOWN {\"guest\":true}\n!closed the connection was closed\n"
		       "!closed the connection was closed\n#closed\n");
	assert_true(hvr_qmp_client_is_closed(f->client));
}

/* EOF is the same before the greeting, while negotiating, and in the middle of a message. */
static void test_eof_anywhere(void **state)
{
	static const char *const said[] = { "", "{\"QMP\":{", "{\"QMP\":{}}\n",
					    "{\"QMP\":{}}\n{\"return\":{}" };

	for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
		Fixture *f;

		setup((void **)&f);
		qmp_peer_ignores(f->peer, "qmp_capabilities");
		execute(f, "query-status");
		qmp_peer_say(f->peer, said[i]);
		settle(f);
		qmp_peer_close(f->peer);
		settle(f);
		assert_non_null(strstr(f->told->str, "the connection was closed\n#closed\n"));
		assert_true(g_str_has_prefix(f->told->str, "!closed "));
		teardown((void **)&f);
	}
}

/* QEMU resets the connection after "quit" now and then: its answer still counts, then the end. */
static void test_reset(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_stop_reading(f->peer);
	execute(f, "quit");
	qmp_peer_say(f->peer, "{\"return\":{},\"id\":2}\n");
	execute(f, "query-status");
	qmp_peer_drop(f->peer);
	assert_told(f, "={}\n!closed the connection was closed\n#closed\n");
}

/* The peer may close instead of answering. */
static void test_close_instead_of_answer(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_closes_on(f->peer, "quit");
	execute(f, "quit");
	assert_told(f, "!closed the connection was closed\n#closed\n");
}

/* A command on a closed client fails too, once, from the context, with the reason of the end. */
static void test_execute_on_closed(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_say(f->peer, "nonsense\n");
	assert_told(f, "#protocol\n");
	execute(f, "query-status");
	execute_for(f, "query-status", 10000);
	assert_string_equal(f->told->str, "");
	assert_told(f, "!protocol malformed message at byte 0: object expected\n"
		       "!protocol malformed message at byte 0: object expected\n");
}

/* The last reference completes what is pending before it returns, closed or not, sent or not. */
static void test_last_unref(void **state)
{
	for (int stage = 0; stage < 3; stage++) {
		Fixture *f;

		setup((void **)&f);
		if (stage > 0)
			become_ready(f);
		if (stage > 1)
			qmp_peer_close(f->peer);
		qmp_peer_ignores(f->peer, "x");
		settle(f);
		g_string_truncate(f->told, 0);
		execute(f, "x");
		execute_for(f, "x", 20);
		g_clear_pointer(&f->client, hvr_qmp_client_unref);
		assert_string_equal(f->told->str,
				    stage > 1 ? "!closed the connection was closed\n"
						"!closed the connection was closed\n"
					      : "!closed the connection was given up\n"
						"!closed the connection was given up\n");
		g_string_truncate(f->told, 0);
		assert_told(f, "");
		teardown((void **)&f);
	}
}

static void drop_client(HvrQmpClient *client, JsonNode *result, const GError *error,
			gpointer user_data)
{
	Fixture *f = user_data;

	on_reply(client, result, error, user_data);
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
	g_string_append(f->told, "dropped\n");
}

/* A reply may drop the last reference: the rest completes before that drop returns. */
static void test_drop_in_reply(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_ignores(f->peer, "y");
	qmp_peer_returns(f->peer, "x", "{}");
	hvr_qmp_client_execute(f->client, "x", NULL, 0, drop_client, f);
	execute(f, "y");
	assert_told(f, "={}\n!closed the connection was given up\ndropped\n");
}

/* The same at the end of the connection and at a deadline. */
static void test_drop_in_failure(void **state)
{
	Fixture *f = *state;

	hvr_qmp_client_execute(f->client, "x", NULL, 0, drop_client, f);
	execute(f, "y");
	qmp_peer_close(f->peer);
	assert_told(f, "!closed the connection was closed\n!closed the connection was closed\n"
		       "dropped\n");
	teardown(state);
	setup(state);
	f = *state;
	hvr_qmp_client_execute(f->client, "x", NULL, 20, drop_client, f);
	execute(f, "y");
	wait_told(f);
	assert_told(f, "!timeout no answer to 'x' within 0.02 s\n"
		       "!closed the connection was given up\ndropped\n");
}

static void execute_again(HvrQmpClient *client, JsonNode *result, const GError *error,
			  gpointer user_data)
{
	on_reply(client, result, error, user_data);
	hvr_qmp_client_execute(client, "x", NULL, 0, on_reply, user_data);
}

/* A reply may give the next command, also when the connection or the client ends. */
static void test_execute_in_reply(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	qmp_peer_returns(f->peer, "x", "{}");
	hvr_qmp_client_execute(f->client, "x", NULL, 0, execute_again, f);
	assert_told(f, "={}\n={}\n");
	qmp_peer_closes_on(f->peer, "y");
	hvr_qmp_client_execute(f->client, "y", NULL, 0, execute_again, f);
	assert_told(f, "!closed the connection was closed\n#closed\n"
		       "!closed the connection was closed\n");
	hvr_qmp_client_execute(f->client, "x", NULL, 0, execute_again, f);
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
	assert_told(f, "!closed the connection was closed\n!closed the connection was closed\n");
}

static void borrow(HvrQmpClient *client, JsonNode *result, const GError *error, gpointer user_data)
{
	hvr_qmp_client_unref(hvr_qmp_client_ref(client));
	on_reply(client, result, error, user_data);
}

/* A callback of the last unref may still take and drop a reference of its own. */
static void test_ref_in_last_unref(void **state)
{
	Fixture *f = *state;

	hvr_qmp_client_execute(f->client, "x", NULL, 0, borrow, f);
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
	assert_told(f, "!closed the connection was given up\n");
}

static void on_event_unsubscribe(HvrQmpClient *client, const char *name, JsonObject *data,
				 gpointer user_data)
{
	Fixture *f = user_data;

	hvr_qmp_client_unsubscribe(client, f->subscription);
	f->subscription = hvr_qmp_client_subscribe(client, on_event, NULL, f);
	g_string_append(f->told, "swapped\n");
}

/* All subscribers hear an event in order; one may remove another and add one meanwhile. */
static void test_subscribers(void **state)
{
	Fixture *f = *state;
	guint first, second;

	become_ready(f);
	second = hvr_qmp_client_subscribe(f->client, on_event, NULL, f);
	assert_true(second != 0 && second != f->subscription);
	qmp_peer_event(f->peer, "STOP", "{\"a\":1}");
	assert_told(f, "@STOP {\"a\":1}\n@STOP {\"a\":1}\n");
	hvr_qmp_client_unsubscribe(f->client, f->subscription);
	hvr_qmp_client_unsubscribe(f->client, f->subscription);
	hvr_qmp_client_unsubscribe(f->client, second);
	qmp_peer_event(f->peer, "STOP", NULL);
	assert_told(f, "");

	first = hvr_qmp_client_subscribe(f->client, on_event_unsubscribe, NULL, f);
	f->subscription = hvr_qmp_client_subscribe(f->client, on_event, on_closed, f);
	qmp_peer_event(f->peer, "STOP", NULL);
	assert_told(f, "swapped\n");
	hvr_qmp_client_unsubscribe(f->client, first);
	qmp_peer_event(f->peer, "RESUME", NULL);
	assert_told(f, "@RESUME {}\n");
}

static void on_event_drop(HvrQmpClient *client, const char *name, JsonObject *data,
			  gpointer user_data)
{
	Fixture *f = user_data;

	g_clear_pointer(&f->client, hvr_qmp_client_unref);
}

/* A subscriber may drop the client: subscribers behind it hear nothing any more. */
static void test_drop_in_event(void **state)
{
	Fixture *f = *state;

	become_ready(f);
	hvr_qmp_client_unsubscribe(f->client, f->subscription);
	hvr_qmp_client_subscribe(f->client, on_event_drop, NULL, f);
	hvr_qmp_client_subscribe(f->client, on_event, on_closed, f);
	qmp_peer_event(f->peer, "STOP", NULL);
	qmp_peer_event(f->peer, "RESUME", NULL);
	assert_told(f, "");
	assert_null(f->client);
}

/* call() runs the context until its answer, and hands on results and every failure. */
static void test_call(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) result = NULL;

	qmp_peer_returns(f->peer, "query-status", "{\"running\":true}");
	qmp_peer_greet(f->peer);
	result = hvr_qmp_client_call(f->client, "query-status", NULL, 0, &error);
	assert_null(error);
	assert_true(json_object_get_boolean_member(json_node_get_object(result), "running"));

	assert_null(hvr_qmp_client_call(f->client, "unknown", NULL, 0, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE));
	assert_string_equal(error->message, "The command unknown has not been found");
	g_clear_error(&error);

	qmp_peer_ignores(f->peer, "slow");
	assert_null(hvr_qmp_client_call(f->client, "slow", NULL, 20, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT));
	g_clear_error(&error);

	qmp_peer_closes_on(f->peer, "quit");
	assert_null(hvr_qmp_client_call(f->client, "quit", NULL, 0, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED));
	g_clear_error(&error);
	assert_null(hvr_qmp_client_call(f->client, "again", NULL, 0, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED));
	assert_null(hvr_qmp_client_call(f->client, "again", NULL, 0, NULL));
}

typedef struct {
	char *path; /* longer than sun_path holds */
	int dirfd;
} Folder;

static void folder_make(Folder *folder)
{
	g_autofree char *tmp = g_dir_make_tmp("hvr-qmp-XXXXXX", NULL);
	g_autofree char *name = g_strnfill(150, 'd');

	folder->path = g_build_filename(tmp, name, NULL);
	assert_int_equal(g_mkdir(folder->path, 0700), 0);
	folder->dirfd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->dirfd >= 0);
}

static void folder_remove(Folder *folder)
{
	g_autofree char *tmp = g_path_get_dirname(folder->path);

	close(folder->dirfd);
	assert_int_equal(g_rmdir(folder->path), 0);
	assert_int_equal(g_rmdir(tmp), 0);
	g_free(folder->path);
}

/* A socket is found by folder and name, however long the folder's path is. */
static void test_connect(void **state)
{
	Folder folder;
	g_autofree char *path = NULL;
	QmpPeer *peer;
	HvrQmpClient *client;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) result = NULL;

	folder_make(&folder);
	path = g_strdup_printf("/proc/self/fd/%d/qmp.sock", folder.dirfd);
	peer = qmp_peer_listen(NULL, path);
	qmp_peer_returns(peer, "query-name", "\"lab\"");
	client = hvr_qmp_client_connect(folder.dirfd, "qmp.sock", NULL, &error);
	assert_null(error);
	result = hvr_qmp_client_call(client, "query-name", NULL, 10000, &error);
	assert_null(error);
	assert_string_equal(json_node_get_string(result), "lab");
	hvr_qmp_client_unref(client);
	qmp_peer_free(peer);
	assert_int_equal(unlinkat(folder.dirfd, "qmp.sock", 0), 0);
	folder_remove(&folder);
}

static void assert_no_connection(int dirfd, const char *name, GIOErrorEnum code, const char *text)
{
	g_autoptr(GError) error = NULL;

	assert_null(hvr_qmp_client_connect(dirfd, name, NULL, &error));
	assert_true(g_error_matches(error, G_IO_ERROR, code));
	assert_string_equal(error->message, text);
}

/* Each way in which nobody is there has its own code. */
static void test_connect_failures(void **state)
{
	Folder folder;
	g_autofree char *path = NULL, *long_name = g_strnfill(100, 'n');
	g_autofree char *too_long =
		g_strdup_printf("cannot connect to '%s': File name too long", long_name);

	folder_make(&folder);
	assert_no_connection(folder.dirfd, "qmp.sock", G_IO_ERROR_NOT_FOUND,
			     "cannot connect to 'qmp.sock': No such file or directory");
	assert_no_connection(AT_FDCWD, "no-such.sock", G_IO_ERROR_NOT_FOUND,
			     "cannot connect to 'no-such.sock': No such file or directory");
	assert_no_connection(folder.dirfd, long_name, G_IO_ERROR_FILENAME_TOO_LONG, too_long);
	path = g_strdup_printf("/proc/self/fd/%d/qmp.sock", folder.dirfd);
	qmp_peer_free(qmp_peer_listen(NULL, path));
	assert_no_connection(folder.dirfd, "qmp.sock", G_IO_ERROR_CONNECTION_REFUSED,
			     "cannot connect to 'qmp.sock': Connection refused");
	assert_int_equal(unlinkat(folder.dirfd, "qmp.sock", 0), 0);
	folder_remove(&folder);
}

/* QEMU serves one client: others get in as far as its queue goes, hear nothing, and are refused. */
static void test_connect_taken(void **state)
{
	Folder folder;
	g_autofree char *path = NULL;
	QmpPeer *peer;
	HvrQmpClient *clients[16] = { NULL };
	g_autoptr(GError) error = NULL;
	guint count = 0;

	folder_make(&folder);
	path = g_strdup_printf("/proc/self/fd/%d/qmp.sock", folder.dirfd);
	peer = qmp_peer_listen(NULL, path);
	while (!error && count < G_N_ELEMENTS(clients))
		clients[count++] = hvr_qmp_client_connect(folder.dirfd, "qmp.sock", NULL, &error);
	assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
	g_clear_error(&error);
	assert_true(count > 2);
	assert_null(hvr_qmp_client_call(clients[1], "query-status", NULL, 20, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT));
	for (guint i = 0; i < count; i++)
		hvr_qmp_client_unref(clients[i]);
	qmp_peer_free(peer);
	assert_int_equal(unlinkat(folder.dirfd, "qmp.sock", 0), 0);
	folder_remove(&folder);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_negotiation),
		cmocka_unit_test(test_no_greeting),
		cmocka_unit_test(test_negotiation_refused),
		TEST(test_strangers_before_ready),
		cmocka_unit_test(test_answers),
		TEST(test_out_of_order),
		TEST(test_arguments),
		TEST(test_give_fd),
		TEST(test_give_in_turn),
		TEST(test_deadline),
		TEST(test_deadline_before_greeting),
		TEST(test_eof),
		cmocka_unit_test(test_eof_anywhere),
		TEST(test_reset),
		TEST(test_close_instead_of_answer),
		TEST(test_execute_on_closed),
		cmocka_unit_test(test_last_unref),
		TEST(test_drop_in_reply),
		TEST(test_drop_in_failure),
		TEST(test_execute_in_reply),
		TEST(test_ref_in_last_unref),
		TEST(test_subscribers),
		TEST(test_drop_in_event),
		TEST(test_call),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_connect_failures),
		cmocka_unit_test(test_connect_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
