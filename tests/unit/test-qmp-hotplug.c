/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot-unplug against the scripted peer, with waits of milliseconds. "told" keeps each end: "done"
 * or "!CODE MESSAGE".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qmp/error.h"
#include "qmp/hotplug-timing.h"
#include "tests/fake/qmp-peer.h"

#define PENDING "Device npu is already in the process of unplug"
#define BUSY	"Hot-unplug failed: guest is busy (power indicator blinking)"

/* So long that a test which needed it would run into meson's time-out. */
#define NEVER_MS 600000

static const HvrQmpUnplugTiming slow = { NEVER_MS, NEVER_MS };
static const HvrQmpUnplugTiming quick = { 5, 5 };

typedef struct {
	GMainContext *context;
	QmpPeer *peer;
	HvrQmpClient *client;
	GString *told;
	gboolean starting;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	int fd;

	f->context = g_main_context_new();
	f->told = g_string_new(NULL);
	f->peer = qmp_peer_new(f->context, &fd);
	f->client = hvr_qmp_client_new(fd, f->context);
	qmp_peer_greet(f->peer);
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

static void on_done(const GError *error, gpointer user_data)
{
	static const char *const names[] = { "closed", "timeout",   "protocol",
					     "remote", "not-found", "refused" };
	Fixture *f = user_data;

	assert_false(f->starting);
	if (!error) {
		g_string_append(f->told, "done\n");
		return;
	}
	assert_true(error->domain == HVR_QMP_ERROR);
	g_string_append_printf(f->told, "!%s %s\n", names[error->code], error->message);
}

static void start(Fixture *f, guint timeout_ms, const HvrQmpUnplugTiming *timing)
{
	f->starting = TRUE;
	hvr_qmp_unplug_start_timed(f->client, "npu", timeout_ms, timing, on_done, f);
	f->starting = FALSE;
}

static void settle(Fixture *f)
{
	while (g_main_context_iteration(f->context, FALSE))
		;
}

/* Compares what was told since the last comparison. */
static void assert_told(Fixture *f, const char *expected)
{
	settle(f);
	assert_string_equal(f->told->str, expected);
	g_string_truncate(f->told, 0);
}

static void wait_told(Fixture *f, const char *expected)
{
	while (f->told->len == 0)
		g_main_context_iteration(f->context, TRUE);
	assert_told(f, expected);
}

static void say_deleted(Fixture *f)
{
	qmp_peer_event(f->peer, "DEVICE_DELETED",
		       "{\"device\":\"npu\",\"path\":\"/machine/peripheral/npu\"}");
}

/* {} is only a request: the event of this very device, and no other, is the end. */
static void test_deleted(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	start(f, NEVER_MS, &slow);
	assert_told(f, "");
	assert_string_equal(qmp_peer_last_line(f->peer),
			    "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"npu\"},\"id\":1}");
	qmp_peer_event(f->peer, "DEVICE_DELETED",
		       "{\"path\":\"/machine/peripheral/npu/virtio-backend\"}");
	qmp_peer_event(f->peer, "DEVICE_DELETED", "{\"device\":\"npu2\",\"path\":\"x\"}");
	qmp_peer_event(f->peer, "DEVICE_DELETED", "{\"device\":7,\"path\":\"npu\"}");
	qmp_peer_event(f->peer, "DEVICE_DELETED", NULL);
	qmp_peer_event(f->peer, "ACPI_DEVICE_OST", "{\"device\":\"npu\"}");
	assert_told(f, "");
	say_deleted(f);
	assert_told(f, "done\n");
	say_deleted(f);
	assert_told(f, "");
}

/* The event may overtake the answer, which then has nobody to tell. */
static void test_event_before_answer(void **state)
{
	Fixture *f = *state;

	qmp_peer_ignores(f->peer, "device_del");
	start(f, NEVER_MS, &slow);
	settle(f);
	say_deleted(f);
	assert_told(f, "done\n");
	qmp_peer_say(f->peer, "{\"return\":{},\"id\":1}\n");
	assert_told(f, "");
}

static const struct {
	const char *name, *class, *desc, *told;
} first_cases[] = {
	{ "not-found", "DeviceNotFound", "Device 'npu' not found",
	  "!not-found Device 'npu' not found\n" },
	{ "no-hotplug", "GenericError", "Bus 'pcie.0' does not support hotplugging",
	  "!remote Bus 'pcie.0' does not support hotplugging\n" },
	{ "pending", "GenericError", PENDING, "" },
	{ "busy", "GenericError", BUSY, "" },
	{ "pending-with-another-class", "DeviceNotFound", PENDING, "!not-found " PENDING "\n" },
};

/* An error to the first request is final, unless it says that a request is under way. */
static void test_first_answer(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(first_cases); i++) {
		Fixture *f;

		print_message("  %s\n", first_cases[i].name);
		setup((void **)&f);
		qmp_peer_fails(f->peer, "device_del", first_cases[i].class, first_cases[i].desc);
		start(f, NEVER_MS, &slow);
		assert_told(f, first_cases[i].told);
		say_deleted(f);
		assert_told(f, first_cases[i].told[0] ? "" : "done\n");
		teardown((void **)&f);
	}
}

/* A guest that says nothing keeps the card: the deadline ends the wait, once. */
static void test_silence(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	start(f, 30, &slow);
	wait_told(f, "!timeout the guest has not let go of 'npu' within 0.03 s\n");
	say_deleted(f);
	assert_told(f, "");
	assert_int_equal(qmp_peer_count(f->peer, "device_del"), 1);
}

/* A QEMU that does not even answer is no different, and is not asked again meanwhile. */
static void test_no_answer(void **state)
{
	Fixture *f = *state;

	qmp_peer_ignores(f->peer, "device_del");
	start(f, 40, &quick);
	wait_told(f, "!timeout the guest has not let go of 'npu' within 0.04 s\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_del"), 1);
}

/* What QEMU said last is part of the message. */
static void test_busy_until_deadline(void **state)
{
	Fixture *f = *state;

	qmp_peer_fails(f->peer, "device_del", "GenericError", BUSY);
	start(f, 30, &slow);
	wait_told(f, "!timeout the guest has not let go of 'npu' within 0.03 s; QEMU says: " BUSY
		     "\n");
}

/* The request is repeated until the device goes: a guest that was not up yet missed the first. */
static void test_repeats(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "GenericError", PENDING);
	qmp_peer_returns(f->peer, "device_del", "{}");
	start(f, NEVER_MS, &quick);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 4));
	assert_told(f, "");
	say_deleted(f);
	assert_told(f, "done\n");
	assert_false(g_main_context_pending(f->context));
}

/* Once requested, an error to a repetition does not end the wait: the request stands. */
static void test_error_to_repetition(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "GenericError", "not while migrating");
	start(f, NEVER_MS, &quick);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 3));
	assert_told(f, "");
	say_deleted(f);
	assert_told(f, "done\n");
}

/* When a repetition does not find the device it has left: well with its event... */
static void test_leaving_with_event(void **state)
{
	static const HvrQmpUnplugTiming timing = { 5, NEVER_MS };
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'npu' not found");
	start(f, NEVER_MS, &timing);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 2));
	assert_told(f, "");
	say_deleted(f);
	assert_told(f, "done\n");
}

/* ...and well without it, after a moment, without asking again. */
static void test_leaving_without_event(void **state)
{
	static const HvrQmpUnplugTiming timing = { 5, 30 };
	Fixture *f = *state;

	qmp_peer_fails(f->peer, "device_del", "GenericError", PENDING);
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'npu' not found");
	start(f, NEVER_MS, &timing);
	wait_told(f, "done\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_del"), 2);
}

/* A deadline within that moment also ends it well: the device is not in the VM any more. */
static void test_leaving_at_deadline(void **state)
{
	static const HvrQmpUnplugTiming timing = { 5, NEVER_MS };
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'npu' not found");
	start(f, 60, &timing);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 2));
	wait_told(f, "done\n");
}

/* A guest's refusal is honoured where a machine knows it, and only for this device. */
static void test_refused(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	start(f, NEVER_MS, &slow);
	settle(f);
	qmp_peer_event(f->peer, "DEVICE_UNPLUG_GUEST_ERROR", "{\"path\":\"/machine/x\"}");
	qmp_peer_event(f->peer, "DEVICE_UNPLUG_GUEST_ERROR", "{\"device\":\"gpu\"}");
	assert_told(f, "");
	qmp_peer_event(f->peer, "DEVICE_UNPLUG_GUEST_ERROR", "{\"device\":\"npu\"}");
	assert_told(f, "!refused the guest refuses to let go of 'npu'\n");
}

/* The end of the connection ends the wait at once, in each state, with the same code. */
static void test_closed(void **state)
{
	static const char *const scripts[] = { "ignores", "returns", "closes", "repeats" };

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		Fixture *f;

		print_message("  %s\n", scripts[i]);
		setup((void **)&f);
		if (i == 0)
			qmp_peer_ignores(f->peer, "device_del");
		if (i == 1 || i == 3)
			qmp_peer_returns(f->peer, "device_del", "{}");
		if (i == 2)
			qmp_peer_closes_on(f->peer, "device_del");
		if (i == 3)
			qmp_peer_ignores(f->peer, "device_del");
		start(f, NEVER_MS, &quick);
		assert_true(qmp_peer_wait_for(f->peer, "device_del", i == 3 ? 2 : 1));
		qmp_peer_close(f->peer);
		wait_told(f, "!closed the connection was closed\n");
		teardown((void **)&f);
	}
}

/* The same when QEMU never greeted, when it speaks nonsense, and when it was gone before. */
static void test_closed_outside(void **state)
{
	Fixture *f = *state;

	start(f, NEVER_MS, &slow);
	qmp_peer_ignores(f->peer, "device_del");
	settle(f);
	qmp_peer_say(f->peer, "nonsense\n");
	assert_told(f, "!protocol malformed message at byte 0: object expected\n");
	start(f, NEVER_MS, &slow);
	assert_told(f, "!protocol malformed message at byte 0: object expected\n");
	teardown(state);
	setup(state);
	f = *state;
	qmp_peer_drop(f->peer);
	start(f, NEVER_MS, &slow);
	assert_told(f, "!closed the connection was closed\n");
}

/* The owner may drop the client: the unplug keeps it until its own end. */
static void test_client_dropped(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	start(f, NEVER_MS, &slow);
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	say_deleted(f);
	assert_told(f, "done\n");
}

static void on_done_again(const GError *error, gpointer user_data)
{
	Fixture *f = user_data;

	on_done(error, user_data);
	start(f, NEVER_MS, &slow);
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
}

/* The end of one may start the next and drop the client. */
static void test_again_at_end(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'npu' not found");
	hvr_qmp_unplug_start_timed(f->client, "npu", NEVER_MS, &slow, on_done_again, f);
	settle(f);
	say_deleted(f);
	assert_told(f, "done\n!not-found Device 'npu' not found\n");
}

/* Two at once for the same device both end well at the one event. */
static void test_two_at_once(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "GenericError", PENDING);
	start(f, NEVER_MS, &slow);
	start(f, NEVER_MS, &slow);
	assert_told(f, "");
	say_deleted(f);
	assert_told(f, "done\ndone\n");
}

/* The public entry has the same end; its waits are seconds, so only the event is tried. */
static void test_usual_timing(void **state)
{
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "device_del", "{}");
	hvr_qmp_unplug_start(f->client, "npu", 30000, on_done, f);
	settle(f);
	say_deleted(f);
	assert_told(f, "done\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deleted),
		TEST(test_event_before_answer),
		cmocka_unit_test(test_first_answer),
		TEST(test_silence),
		TEST(test_no_answer),
		TEST(test_busy_until_deadline),
		TEST(test_repeats),
		TEST(test_error_to_repetition),
		TEST(test_leaving_with_event),
		TEST(test_leaving_without_event),
		TEST(test_leaving_at_deadline),
		TEST(test_refused),
		cmocka_unit_test(test_closed),
		TEST(test_closed_outside),
		TEST(test_client_dropped),
		TEST(test_again_at_end),
		TEST(test_two_at_once),
		TEST(test_usual_timing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
