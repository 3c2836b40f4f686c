/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of requests: what one process fills in, another one reads, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/session/request.h"
#include "launcher/session/shutdown.h"

#define LONG "86400000"

static const char *text_at(const HvrRequest *request, gsize offset)
{
	return G_STRUCT_MEMBER(const char *, request, offset);
}

/* Each member is different from what it is when it is not given. */
static void fill(HvrRequest *request)
{
	static const char *const texts[] = { "npu", "", "\"\\\n\t", "\303\237" };
	guint n = 0;

	for (const HvrRequestArgument *one = hvr_request_kinds[request->name].arguments; one->name;
	     one++, n++) {
		if (one->type == HVR_REQUEST_TEXT)
			G_STRUCT_MEMBER(const char *, request, one->offset) =
				texts[(request->name + n) % G_N_ELEMENTS(texts)];
		else if (one->type == HVR_REQUEST_FLAG)
			G_STRUCT_MEMBER(gboolean, request, one->offset) = TRUE;
		else
			G_STRUCT_MEMBER(guint, request, one->offset) =
				n % 2 ? 1 : HVR_REQUEST_TIME_MAX_MS;
	}
}

static void assert_same(const HvrRequest *seen, const HvrRequest *wanted)
{
	assert_int_equal(seen->name, wanted->name);
	for (const HvrRequestArgument *one = hvr_request_kinds[seen->name].arguments; one->name;
	     one++) {
		if (one->type == HVR_REQUEST_TEXT)
			assert_string_equal(text_at(seen, one->offset),
					    text_at(wanted, one->offset));
		else
			assert_int_equal(G_STRUCT_MEMBER(guint, seen, one->offset),
					 G_STRUCT_MEMBER(guint, wanted, one->offset));
	}
}

static JsonObject *parse(const char *text)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	assert_non_null(node);
	return json_object_ref(json_node_get_object(node));
}

/* As it goes over the socket. [transfer full] */
static JsonObject *send(const HvrRequest *request)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *message = json_object_new();

	json_object_set_string_member(message, "execute", hvr_request_kinds[request->name].name);
	json_object_set_object_member(message, "arguments", hvr_request_encode(request));
	json_object_set_int_member(message, "id", 1);
	json_node_take_object(node, message);
	g_autofree char *text = json_to_string(node, FALSE);
	return parse(text);
}

/* Every request of the table arrives as it was sent. */
static void test_round_trip(void **state)
{
	for (guint i = 0; i < HVR_REQUESTS; i++) {
		HvrRequest request = { .name = i };
		HvrRequest back = { 0 };
		g_autoptr(GError) error = NULL;

		fill(&request);
		g_autoptr(JsonObject) message = send(&request);
		if (!hvr_request_decode(message, &back, &error))
			fail_msg("%s", error->message);
		assert_same(&back, &request);
	}
}

/* Every row is whole: a name of its own, and somebody who carries it out. */
static void test_rows(void **state)
{
	for (guint i = 0; i < HVR_REQUESTS; i++) {
		assert_non_null(hvr_request_kinds[i].name);
		assert_non_null(hvr_request_kinds[i].start);
		assert_null(hvr_request_kinds[i].arguments[HVR_REQUEST_ARGUMENTS_MAX].name);
		for (guint j = 0; j < i; j++)
			assert_string_not_equal(hvr_request_kinds[i].name,
						hvr_request_kinds[j].name);
	}
}

static void assert_reads(const char *text, const HvrRequest *wanted)
{
	g_autoptr(JsonObject) message = parse(text);
	HvrRequest request;
	g_autoptr(GError) error = NULL;

	if (!hvr_request_decode(message, &request, &error))
		fail_msg("%s: %s", text, error->message);
	assert_same(&request, wanted);
}

/* What is not given, and the ends of what may be. */
static void test_otherwise(void **state)
{
	HvrRequest request = { .name = HVR_REQUEST_STOP,
			       .powerdown_ms = HVR_SHUTDOWN_POWERDOWN_MS };

	assert_reads("{\"execute\": \"stop\"}", &request);
	assert_reads("{\"execute\": \"stop\", \"arguments\": {}, \"id\": null}", &request);
	request.force = TRUE;
	assert_reads("{\"execute\": \"stop\", \"arguments\": {\"force\": true}}", &request);
	request.force = FALSE;
	request.powerdown_ms = HVR_REQUEST_TIME_MAX_MS;
	assert_reads("{\"execute\": \"stop\", \"arguments\": {\"powerdown_ms\": " LONG "}}",
		     &request);
	request = (HvrRequest){ .name = HVR_REQUEST_UNPLUG, .device = "npu", .timeout_ms = 30000 };
	assert_reads("{\"execute\": \"unplug\", \"arguments\": {\"device\": \"npu\"}}", &request);
	request.timeout_ms = 1;
	assert_reads("{\"execute\": \"unplug\", \"arguments\": "
		     "{\"device\": \"npu\", \"timeout_ms\": 1, \"keep\": false}}",
		     &request);
}

/* One for each mistake: the exit status, and what the peer is told. */
static void test_mistakes(void **state)
{
	static const struct {
		const char *name, *text;
		int status;
		const char *wanted;
	} cases[] = {
		{ "no-name", "{}", 64, "'execute' must be the name of a request" },
		{ "name-number", "{'execute': 7}", 64, "'execute' must be the name of a request" },
		{ "name-null", "{'execute': null}", 64, "'execute' must be the name of a request" },
		{ "name-object", "{'execute': {}}", 64, "'execute' must be the name of a request" },
		{ "unknown", "{'execute': 'dance', 'arguments': {'device': 'npu'}}", 69,
		  "hailo-vm-run " HVR_VERSION " has no request 'dance'" },
		{ "case", "{'execute': 'Stop'}", 69,
		  "hailo-vm-run " HVR_VERSION " has no request 'Stop'" },
		{ "member", "{'execute': 'stop', 'argument': {'force': true}}", 64,
		  "a request has no member 'argument'" },
		{ "arguments-array", "{'execute': 'stop', 'arguments': []}", 64,
		  "stop: 'arguments' must be an object" },
		{ "arguments-null", "{'execute': 'stop', 'arguments': null}", 64,
		  "stop: 'arguments' must be an object" },
		{ "arguments-number", "{'execute': 'unplug', 'arguments': 7}", 64,
		  "unplug: 'arguments' must be an object" },
		{ "missing-all", "{'execute': 'plug'}", 64, "plug: 'device' is missing" },
		{ "missing", "{'execute': 'unplug', 'arguments': {'keep': true}}", 64,
		  "unplug: 'device' is missing" },
		{ "unknown-argument",
		  "{'execute': 'plug', 'arguments': {'device': 'npu', 'keep': true}}", 64,
		  "plug: there is no argument 'keep'" },
		{ "text-number", "{'execute': 'plug', 'arguments': {'device': 7}}", 64,
		  "plug: 'device' must be a text" },
		{ "text-null", "{'execute': 'plug', 'arguments': {'device': null}}", 64,
		  "plug: 'device' must be a text" },
		{ "text-array", "{'execute': 'plug', 'arguments': {'device': ['npu']}}", 64,
		  "plug: 'device' must be a text" },
		{ "flag-number", "{'execute': 'stop', 'arguments': {'force': 1}}", 64,
		  "stop: 'force' must be true or false" },
		{ "flag-text", "{'execute': 'stop', 'arguments': {'force': 'true'}}", 64,
		  "stop: 'force' must be true or false" },
		{ "flag-null", "{'execute': 'stop', 'arguments': {'force': null}}", 64,
		  "stop: 'force' must be true or false" },
		{ "time-text", "{'execute': 'stop', 'arguments': {'powerdown_ms': '1'}}", 64,
		  "stop: 'powerdown_ms' must be a whole number of milliseconds" },
		{ "time-fraction", "{'execute': 'stop', 'arguments': {'powerdown_ms': 1.0}}", 64,
		  "stop: 'powerdown_ms' must be a whole number of milliseconds" },
		{ "time-object", "{'execute': 'stop', 'arguments': {'powerdown_ms': {}}}", 64,
		  "stop: 'powerdown_ms' must be a whole number of milliseconds" },
		{ "time-zero", "{'execute': 'stop', 'arguments': {'powerdown_ms': 0}}", 64,
		  "stop: 'powerdown_ms' must be 1 to " LONG " milliseconds" },
		{ "time-negative", "{'execute': 'stop', 'arguments': {'powerdown_ms': -1}}", 64,
		  "stop: 'powerdown_ms' must be 1 to " LONG " milliseconds" },
		{ "time-long", "{'execute': 'stop', 'arguments': {'powerdown_ms': 86400001}}", 64,
		  "stop: 'powerdown_ms' must be 1 to " LONG " milliseconds" },
		{ "time-wraps", "{'execute': 'stop', 'arguments': {'powerdown_ms': 4294967297}}",
		  64, "stop: 'powerdown_ms' must be 1 to " LONG " milliseconds" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdelimit(g_strdup(cases[i].text), "'", '"');
		g_autoptr(JsonObject) message = parse(text);
		HvrRequest request = { .name = HVR_REQUESTS };
		g_autoptr(GError) error = NULL;

		if (hvr_request_decode(message, &request, &error))
			fail_msg("%s: taken", cases[i].name);
		assert_int_equal(request.name, HVR_REQUESTS);
		assert_string_equal(error->message, cases[i].wanted);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		assert_false(hvr_request_decode(message, &request, NULL));
	}
}

/* Who asks waits for the guest's time and QEMU's, and not less. */
static void test_wait(void **state)
{
	HvrRequest unplug = {
		.name = HVR_REQUEST_UNPLUG, .device = "npu", .timeout_ms = 7000, .keep = TRUE
	};
	HvrRequest plug = { .name = HVR_REQUEST_PLUG, .device = "npu" };
	HvrRequest stop = { .name = HVR_REQUEST_STOP, .force = TRUE, .powerdown_ms = 9000 };

	assert_int_equal(hvr_request_wait_ms(&unplug), 7000);
	assert_int_equal(hvr_request_wait_ms(&plug), 0);
	assert_int_equal(hvr_request_wait_ms(&stop),
			 9000 + HVR_SHUTDOWN_QUIT_MS + HVR_SHUTDOWN_KILL_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_otherwise),  cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
