/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest is told through its agent: QEMU's event says that it was done, the agent why it was
 * not, and whoever asked is told once.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/session/guest-shutdown.h"
#include "tests/unit/session-fixture.h"
#include "vfio/fd.h"

static QmpPeer *agent_of(VmFixture *f)
{
	g_autofree char *path = hvr_fd_path(f->session->folder, HVR_VM_AGENT);

	return qmp_peer_listen(NULL, path);
}

static void say(VmFixture *f)
{
	hvr_session_tell_guest(f->session, "reboot", "RESET", vm_fixture_done, f);
}

static void assert_told(VmFixture *f, const char *wanted)
{
	g_autofree char *told = vm_fixture_wait_told(f);

	assert_string_equal(told, wanted);
}

/* The agent does not answer; QEMU's event is the answer. */
static void test_done(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);

	qmp_peer_ignores(agent, "guest-shutdown");
	say(f);
	assert_true(qmp_peer_wait_for(agent, "guest-shutdown", 1));
	assert_non_null(strstr(qmp_peer_last_line(agent), "\"mode\":\"reboot\""));
	vm_fixture_settle(f);
	assert_string_equal(f->told->str, "");
	qmp_peer_event(f->peer, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
	assert_told(f, "done\n");
}

static void test_refused(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);

	qmp_peer_fails(agent, "guest-shutdown", "GenericError", "child process has failed");
	say(f);
	assert_told(f, "69 the guest's agent: child process has failed\n");
}

static void test_no_agent(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	say(f);
	assert_told(f, "69 VM 'lab' has no channel to an agent in its guest\n"
		       "[guest] agent = yes makes one for the VM's next start\n");
}

static void test_ended(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(QmpPeer) agent = agent_of(f);

	qmp_peer_ignores(agent, "guest-shutdown");
	say(f);
	assert_true(qmp_peer_wait_for(agent, "guest-shutdown", 1));
	qmp_peer_close(f->peer);
	assert_told(f, "69 QEMU ended meanwhile\n");
}

/* QEMU's own word, good or bad. */
static void test_execute(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "system_reset", "{}");
	hvr_session_execute(f->session, "system_reset", vm_fixture_done, f);
	assert_told(f, "done\n");
	qmp_peer_fails(f->peer, "system_wakeup", "GenericError", "not asleep");
	hvr_session_execute(f->session, "system_wakeup", vm_fixture_done, f);
	assert_told(f, "76 not asleep\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_agent), cmocka_unit_test(test_ended),
		cmocka_unit_test(test_execute),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
