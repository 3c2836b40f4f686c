/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script in the guest, by an agent that is absent, refuses, lies, or takes its time. What the
 * script for a guest that wakes up does is seen in a real one (tests/guest/warm).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/session/guest-script.h"
#include "launcher/session/wake.h"
#include "tests/unit/session-fixture.h"
#include "vfio/fd.h"

#define ENOUGH_MS 20000
#define OLD_MAC	  "52:54:00:00:00:01"
#define NEW_MAC	  "52:54:00:00:00:02"

static QmpPeer *agent_of(VmFixture *f)
{
	g_autofree char *path = hvr_fd_path(f->session->folder, HVR_VM_AGENT);

	return qmp_peer_listen(NULL, path);
}

/* What it comes to, where the agent's answers are these; NULL: none is given. */
static void assert_comes_to(const char *exec, const char *status, const char *wanted)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	HvrGuestScript script;

	if (exec)
		qmp_peer_returns(agent, "guest-exec", exec);
	if (status)
		qmp_peer_returns(agent, "guest-exec-status", status);
	hvr_guest_script_begin(&script, f->session, "true", ENOUGH_MS, vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_string_equal(told, wanted);
	hvr_guest_script_end(&script);
}

static void test_ends(void **state)
{
	/* "a\nb \x1b\n" in base64 */
	assert_comes_to("{\"pid\":7}", "{\"exited\":true,\"exitcode\":0}", "done\n");
	assert_comes_to("{\"pid\":7}", "{\"exited\":true,\"exitcode\":3,\"err-data\":\"YQpiIBsK\"}",
			"69 it ended with status 3: b \\x1b\n");
	assert_comes_to("{\"pid\":7}", "{\"exited\":true,\"signal\":9}",
			"69 it ended with status -1\n");
}

/* Nothing that a guest says counts for more than it is. */
static void test_nonsense(void **state)
{
	static const char none[] = "69 the agent's answer is none\n";

	assert_comes_to("{}", NULL, none);
	assert_comes_to("7", NULL, none);
	assert_comes_to("{\"pid\":\"7\"}", NULL, none);
	assert_comes_to("{\"pid\":[]}", NULL, none);
	assert_comes_to("{\"pid\":7}", "[]", none);
	assert_comes_to("{\"pid\":7}", "{\"exited\":true}", "69 it ended with status -1\n");
	assert_comes_to("{\"pid\":7}", "{\"exited\":true,\"exitcode\":\"0\",\"err-data\":{}}",
			"69 it ended with status -1\n");
}

static void test_forbidden(void **state)
{
	assert_comes_to(NULL, NULL, "76 The command guest-exec has not been found\n");
}

static void test_no_agent(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrGuestScript script;

	hvr_guest_script_begin(&script, f->session, "true", ENOUGH_MS, vm_fixture_done, f);
	assert_string_equal(f->told->str, "");
	g_autofree char *told = vm_fixture_wait_told(f);
	if (!strstr(told, "No such file"))
		fail_msg("%s", told);
	hvr_guest_script_end(&script);
}

/* It is asked after until it has ended, or for as long as it may take. */
static void test_lasts(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	HvrGuestScript script;

	qmp_peer_returns(agent, "guest-exec", "{\"pid\":7}");
	for (guint i = 0; i < 3; i++)
		qmp_peer_returns(agent, "guest-exec-status", "{\"exited\":false}");
	qmp_peer_returns(agent, "guest-exec-status", "{\"exited\":true,\"exitcode\":0}");
	hvr_guest_script_begin(&script, f->session, "true", ENOUGH_MS, vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_string_equal(told, "done\n");
	assert_int_equal(qmp_peer_count(agent, "guest-exec-status"), 4);
	hvr_guest_script_end(&script);
}

static void test_too_long(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	HvrGuestScript script;

	qmp_peer_returns(agent, "guest-exec", "{\"pid\":7}");
	qmp_peer_returns(agent, "guest-exec-status", "{\"exited\":false}");
	hvr_guest_script_begin(&script, f->session, "true", 50, vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_string_equal(told, "69 it did not end in time\n");
	hvr_guest_script_end(&script);
}

/* The input of the shell, as the agent was given it. [transfer full] */
static char *given_to(QmpPeer *agent)
{
	const char *at = strstr(qmp_peer_last_line(agent), "\"input-data\":\"");
	gsize length;

	assert_non_null(at);
	at += strlen("\"input-data\":\"");
	g_autofree char *encoded = g_strndup(at, strcspn(at, "\""));
	g_autofree guchar *bytes = g_base64_decode(encoded, &length);
	return g_strndup((const char *)bytes, length);
}

static void on_awake(const GError *error, gpointer fixture)
{
	vm_fixture_done(error, fixture);
}

/* @wanted: words that stand in front of the script; @unwanted: NULL: none is */
static void assert_wakes(const HvrWakeFrom *from, const char *wanted, const char *unwanted)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	HvrWake wake;

	qmp_peer_ignores(agent, "guest-exec");
	hvr_wake_begin(&wake, f->session, from, on_awake, f);
	assert_true(qmp_peer_wait_for(agent, "guest-exec", 1));
	g_autofree char *script = given_to(agent);
	char *end = strchr(script, '\n');
	assert_non_null(end);
	*end = '\0';
	if (!strstr(script, wanted) || (unwanted && strstr(script, unwanted)))
		fail_msg("%s", script);
	hvr_wake_end(&wake);
}

static void test_wakes(void **state)
{
	g_autoptr(GPtrArray) macs = g_ptr_array_new();
	const HvrWakeFrom same = { .name = "lab", .macs = macs };
	const HvrWakeFrom other = { .name = "lab-1", .macs = macs };

	assert_wakes(NULL, "name= id= nets=''", NULL);
	assert_wakes(&same, "name= id= nets=''", NULL);
	assert_wakes(&other, "name=lab id=", "id= ");
}

/* One that will not is no reason to have no VM. */
static void test_wake_refused(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	HvrWake wake;

	qmp_peer_returns(agent, "guest-set-time", "{}");
	hvr_wake_begin(&wake, f->session, NULL, on_awake, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_string_equal(told, "done\n");
	/* Windows has no shell, but a clock */
	assert_int_equal(qmp_peer_count(agent, "guest-set-time"), 1);
	hvr_wake_end(&wake);
}

/* @status: of the script; NULL: the agent runs none. */
static void assert_wakes_on(HvrNetMode mode, const char *mac, const char *status,
			    const char *wanted)
{
	HvrProfileNet net = { .id = (char *)"lan", .mode = mode };
	g_autoptr(GPtrArray) macs = g_ptr_array_new();
	g_autoptr(GPtrArray) nets = g_ptr_array_new();
	const HvrWakeFrom from = { .name = "lab-1", .macs = macs };
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);
	GPtrArray *before = f->machine->profile->nets;
	HvrWake wake;

	g_ptr_array_add(macs, (gpointer)OLD_MAC);
	g_strlcpy(net.mac, mac, sizeof(net.mac));
	g_ptr_array_add(nets, &net);
	f->machine->profile->nets = nets;
	if (status)
		qmp_peer_returns(agent, "guest-exec", "{\"pid\":7}");
	else
		qmp_peer_fails(agent, "guest-exec", "CommandNotFound",
			       "Command guest-exec has been disabled");
	qmp_peer_returns(agent, "guest-set-time", "{}");
	if (status)
		qmp_peer_returns(agent, "guest-exec-status", status);
	hvr_wake_begin(&wake, f->session, &from, on_awake, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_string_equal(told, wanted);
	assert_int_equal(hvr_wake_was_heard(&wake), status != NULL);
	hvr_wake_end(&wake);
	f->machine->profile->nets = before;
}

/* Two guests with one MAC address are worse than one that boots. */
static void test_wake_keeps_address(void **state)
{
	static const char fatal[] = "69 [net lan] the guest does not take the VM's MAC address in "
				    "place of the one that it was saved with: ";
	g_autofree char *refused =
		g_strconcat(fatal, "Command guest-exec has been disabled\n", NULL);
	g_autofree char *kept = g_strconcat(fatal, "it ended with status 3: old\n", NULL);
	static const char old[] = "{\"exited\":true,\"exitcode\":3,\"err-data\":\"b2xk\"}";

	assert_wakes_on(HVR_NET_TAP, NEW_MAC, NULL, refused);
	assert_wakes_on(HVR_NET_BRIDGE, NEW_MAC, NULL, refused);
	assert_wakes_on(HVR_NET_BRIDGE, NEW_MAC, old, kept);
	/* another script's status */
	assert_wakes_on(HVR_NET_TAP, NEW_MAC, "{\"exited\":true,\"exitcode\":1}", "done\n");
	assert_wakes_on(HVR_NET_TAP, NEW_MAC, "{\"exited\":true,\"exitcode\":0}", "done\n");
	/* nobody else has it, or is there */
	assert_wakes_on(HVR_NET_TAP, OLD_MAC, NULL, "done\n");
	assert_wakes_on(HVR_NET_USER, NEW_MAC, NULL, "done\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_no_agent),
		cmocka_unit_test(test_lasts),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_wake_refused),
		cmocka_unit_test(test_wake_keeps_address),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
