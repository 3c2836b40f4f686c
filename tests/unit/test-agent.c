/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client of the guest agent, against agents that are late, lie, flood, close, or are in the
 * middle of something. QmpPeer plays them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qmp/agent.h"
#include "qmp/error.h"
#include "tests/fake/qmp-peer.h"

#define SOON_MS	  50
#define ENOUGH_MS 20000

typedef struct {
	GMainContext *context;
	QmpPeer *peer;
	HvrAgent *agent;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	int fd;

	f->context = g_main_context_new();
	f->peer = qmp_peer_new(f->context, &fd);
	f->agent = hvr_agent_new(fd, f->context);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_agent_free(f->agent);
	qmp_peer_free(f->peer);
	g_main_context_unref(f->context);
	g_free(f);
	return 0;
}

static void must_sync(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) result = hvr_agent_call(f->agent, NULL, NULL, ENOUGH_MS, &error);

	assert_null(error);
	assert_non_null(result);
}

static void must_fail(Fixture *f, const char *command, guint timeout_ms, int code, const char *text)
{
	g_autoptr(GError) error = NULL;
	JsonNode *result = hvr_agent_call(f->agent, command, NULL, timeout_ms, &error);

	assert_null(result);
	assert_true(g_error_matches(error, HVR_QMP_ERROR, code));
	assert_non_null(strstr(error->message, text));
}

/* An agent that is there answers in order. */
static void test_answers(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	qmp_peer_returns(f->peer, "guest-ping", "{\"n\":7}");
	must_sync(f);
	g_autoptr(JsonNode) result =
		hvr_agent_call(f->agent, "guest-ping", NULL, ENOUGH_MS, &error);
	assert_null(error);
	assert_int_equal(json_object_get_int_member(json_node_get_object(result), "n"), 7);
	assert_string_equal(qmp_peer_heard(f->peer), "guest-sync-delimited guest-ping");
	/* Agents before QEMU 3.0 refuse a command with an id. */
	assert_null(strstr(qmp_peer_last_line(f->peer), "\"id\""));
}

/* What a client before us left in the channel is not taken for an answer: half a line, an old
 * number behind its delimiter, a whole answer. Also when it all comes a byte at a time. */
static void test_leftovers(void **state)
{
	Fixture *f = *state;

	for (int delivery = QMP_PEER_LF; delivery <= QMP_PEER_BYTEWISE; delivery++) {
		qmp_peer_set_delivery(f->peer, delivery);
		qmp_peer_answers(f->peer, "guest-sync-delimited",
				 "\"tail\"}}\n{\"return\":1}\n\xff{\"return\":1}\n{\"return\":{}}\n"
				 "{\"error\":{\"class\":\"GenericError\",\"desc\":\"old\"}}\n"
				 "\xff{\"return\":$SYNC}\n");
		must_sync(f);
	}
}

/* The agent's word on a failure comes through; one for a command that it does not have, or was told
 * not to have, can be told apart. The conversation goes on. */
static void test_errors(void **state)
{
	Fixture *f = *state;

	must_sync(f);
	qmp_peer_fails(f->peer, "guest-exec", "GenericError", "no such\\nfile");
	must_fail(f, "guest-exec", ENOUGH_MS, HVR_QMP_ERROR_REMOTE, "no such file");
	must_fail(f, "guest-file-open", ENOUGH_MS, HVR_QMP_ERROR_REFUSED, "guest-file-open");
	qmp_peer_answers(f->peer, "guest-ping", "{\"error\":{}}\n");
	must_fail(f, "guest-ping", ENOUGH_MS, HVR_QMP_ERROR_REMOTE, "no reason");
	assert_false(hvr_agent_is_closed(f->agent));
}

/* An agent that never answers: not to the first question, not to a later one. Then it is over, also
 * for whoever asks again, as a late answer could be taken for that to the next question. */
static void test_silence(void **state)
{
	Fixture *f = *state;

	qmp_peer_ignores(f->peer, "guest-sync-delimited");
	must_fail(f, NULL, SOON_MS, HVR_QMP_ERROR_TIMEOUT, "does not answer");
	assert_true(hvr_agent_is_closed(f->agent));
	must_fail(f, "guest-ping", ENOUGH_MS, HVR_QMP_ERROR_TIMEOUT, "does not answer");
}

static void test_late(void **state)
{
	Fixture *f = *state;

	must_sync(f);
	qmp_peer_ignores(f->peer, "guest-ping");
	must_fail(f, "guest-ping", SOON_MS, HVR_QMP_ERROR_TIMEOUT, "in time");
	assert_true(hvr_agent_is_closed(f->agent));
}

/* An agent that closes: before the answer, or in the middle of it. */
static void test_closing(void **state)
{
	Fixture *f = *state;

	must_sync(f);
	qmp_peer_answers(f->peer, "guest-ping", "{\"retu");
	qmp_peer_answers(f->peer, "guest-info", "");
	qmp_peer_close(f->peer);
	must_fail(f, "guest-ping", ENOUGH_MS, HVR_QMP_ERROR_CLOSED, "closed");
	must_fail(f, "guest-info", ENOUGH_MS, HVR_QMP_ERROR_CLOSED, "closed");
}

static void test_half_an_answer(void **state)
{
	Fixture *f = *state;

	must_sync(f);
	qmp_peer_answers(f->peer, "guest-ping", "{\"return\":");
	must_fail(f, "guest-ping", SOON_MS, HVR_QMP_ERROR_TIMEOUT, "in time");
}

/* What is no JSON, or no object, ends the conversation; objects that are no answer do not. */
static void test_nonsense(void **state)
{
	Fixture *f = *state;

	must_sync(f);
	qmp_peer_answers(f->peer, "guest-ping",
			 "{}\n{\"event\":\"HELLO\"}\n{\"error\":7}\n{\"return\":[]}\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) result =
		hvr_agent_call(f->agent, "guest-ping", NULL, ENOUGH_MS, &error);
	assert_null(error);
	assert_true(JSON_NODE_HOLDS_ARRAY(result));
	qmp_peer_answers(f->peer, "guest-info", "{\"return\":{}} trailing\n");
	must_fail(f, "guest-info", ENOUGH_MS, HVR_QMP_ERROR_PROTOCOL, "");
}

typedef struct {
	Fixture *f;
	gsize bytes; /* sent so far */
	const char *piece;
} Flood;

static gboolean on_idle(gpointer user_data)
{
	Flood *flood = user_data;

	qmp_peer_say(flood->f->peer, flood->piece);
	flood->bytes += strlen(flood->piece);
	return G_SOURCE_CONTINUE;
}

/* Floods the client with @piece while it asks. Returns: how many bytes it took to make it stop. */
static gsize flood(Fixture *f, const char *piece, guint timeout_ms, int code)
{
	Flood flood = { f, 0, piece };
	GSource *source = g_idle_source_new();

	qmp_peer_ignores(f->peer, "guest-ping");
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_idle, &flood, NULL);
	g_source_attach(source, f->context);
	must_fail(f, "guest-ping", timeout_ms, code, "");
	g_source_destroy(source);
	g_source_unref(source);
	return flood.bytes;
}

/* An agent that sends without end: a line is cut off at its limit, not at the end of memory. */
static void test_endless_line(void **state)
{
	Fixture *f = *state;
	g_autofree char *piece = g_strnfill(16 * 1024, ' ');

	must_sync(f);
	gsize bytes = flood(f, piece, ENOUGH_MS, HVR_QMP_ERROR_PROTOCOL);
	assert_true(bytes >= HVR_AGENT_LINE_MAX_BYTES);
}

/* Many lines that are no answer are only thrown away; the deadline holds all the same. */
static void test_endless_lines(void **state)
{
	Fixture *f = *state;
	GString *piece = g_string_new(NULL);

	for (guint i = 0; i < 200; i++)
		g_string_append(piece, "{\"event\":\"noise\"}\n");
	must_sync(f);
	flood(f, piece->str, 200, HVR_QMP_ERROR_TIMEOUT);
	g_string_free(piece, TRUE);
}

/* The same before the number has come: nothing of it is kept. */
static void test_endless_leftovers(void **state)
{
	Fixture *f = *state;
	g_autofree char *piece = g_strnfill(16 * 1024, 'x');
	Flood flooding = { f, 0, piece };
	GSource *source = g_idle_source_new();

	qmp_peer_ignores(f->peer, "guest-sync-delimited");
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_idle, &flooding, NULL);
	g_source_attach(source, f->context);
	must_fail(f, NULL, 300, HVR_QMP_ERROR_TIMEOUT, "does not answer");
	g_source_destroy(source);
	g_source_unref(source);
}

static void on_reply(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	*(GError **)user_data = error ? g_error_copy(error) : NULL;
}

/* Whoever has waited enough need not wait for the deadline. */
static void test_cancel(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	qmp_peer_ignores(f->peer, "guest-sync-delimited");
	hvr_agent_sync(f->agent, ENOUGH_MS, on_reply, &error);
	hvr_agent_cancel(f->agent);
	assert_null(error);
	while (!error)
		g_main_context_iteration(f->context, TRUE);
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED));
}

/* Freed with a command under way: nobody is told, nothing is left. */
static void test_freed(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	hvr_agent_sync(f->agent, ENOUGH_MS, on_reply, &error);
	g_clear_pointer(&f->agent, hvr_agent_free);
	while (g_main_context_iteration(f->context, FALSE))
		;
	assert_null(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(answers),
		TEST(leftovers),
		TEST(errors),
		TEST(silence),
		TEST(late),
		TEST(closing),
		TEST(half_an_answer),
		TEST(nonsense),
		TEST(endless_line),
		TEST(endless_lines),
		TEST(endless_leftovers),
		TEST(cancel),
		TEST(freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
