/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A running VM for tests; see session-fixture.h. */
#include "tests/unit/session-fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/runtime/journal.h"
#include "vfio/fd.h"

/* Whatever becomes of the test. */
#define MOST_WAIT_S 120

static const Scenario *find_scenario(const char *name)
{
	const Scenario *scenario = scenarios;

	while (g_strcmp0(scenario->name, name) != 0)
		scenario++;
	return scenario;
}

static pid_t start_qemu(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static HvrVm *make_record(const VmFixture *f, const HvrPlan *plan)
{
	HvrVm *vm = hvr_vm_new("lab");

	vm->profile = g_strdup("/lab.ini");
	vm->supervisor = hvr_process_of(&f->context.host, getpid());
	vm->qemu = hvr_process_of(&f->context.host, f->qemu);
	for (guint i = 0, card = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (!planned->id)
			continue;
		g_autofree char *port = hvr_cmdline_card_port(plan->cards, card++);
		HvrVmDevice *device =
			hvr_vm_device_new(planned->id, planned->device->id, planned->function->name,
					  port, planned->function->group);
		if (g_str_equal(planned->id, planned->device->id))
			device->function = planned->device->function;
		g_ptr_array_add(vm->devices, device);
	}
	return vm;
}

static void take_cards(VmFixture *f, HvrDecision *decision)
{
	HvrDecideFor whom = { f->machine->profile->devices, "lab", FALSE, HVR_CLAIM_NO_WAIT };
	HvrOwnership ownership = { "lab", hvr_process_of(&f->context.host, getpid()) };
	g_autoptr(GError) error = NULL;

	if (!hvr_decide(&f->context, f->machine->profile, &whom, decision, &error) ||
	    !hvr_execute(&f->context, decision->plan, &ownership, NULL, &error))
		fail_msg("%s", error->message);
}

VmFixture *vm_fixture_new(const char *scenario)
{
	VmFixture *f = g_new0(VmFixture, 1);
	g_auto(HvrDecision) decision = { 0 };
	int monitor = -1;

	f->told = g_string_new(NULL);
	f->machine = machine_new(find_scenario(scenario));
	f->fs = f->machine->fs;
	f->context = machine_context(f->machine);
	assert_true(hvr_context_open_runtime(&f->context, TRUE, NULL));
	take_cards(f, &decision);
	f->qemu = start_qemu();
	machine_show_process(f->machine, f->qemu);
	f->peer = qmp_peer_new(NULL, &monitor);
	int folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);
	assert_true(folder >= 0);
	const HvrSessionStart start = { .context = &f->context,
					.profile = f->machine->profile,
					.vm = make_record(f, decision.plan),
					.folder = folder,
					.pidfd = (int)syscall(SYS_pidfd_open, f->qemu, 0),
					.qmp = hvr_qmp_client_new(monitor, NULL) };
	f->session = hvr_session_new(&start);
	f->hotplug = hvr_hotplug_new(f->session);
	f->session->child = TRUE;
	while (decision.claim->locks->len)
		g_ptr_array_add(f->session->locks,
				g_ptr_array_steal_index_fast(decision.claim->locks, 0));
	qmp_peer_returns(f->peer, "getfd", "{}");
	qmp_peer_greet(f->peer);
	vm_fixture_settle(f);
	return f;
}

void vm_fixture_free(VmFixture *f)
{
	if (!f)
		return;
	hvr_hotplug_free(f->hotplug);
	hvr_session_free(f->session);
	qmp_peer_free(f->peer);
	kill(f->qemu, SIGKILL);
	waitpid(f->qemu, NULL, 0);
	hvr_fd_close(f->context.runtime);
	machine_free(f->machine);
	g_string_free(f->told, TRUE);
	g_free(f);
}

void vm_fixture_done(const GError *error, gpointer fixture)
{
	VmFixture *f = fixture;

	if (error)
		g_string_append_printf(f->told, "%d %s\n", hvr_exit_status(error), error->message);
	else
		g_string_append(f->told, "done\n");
}

void vm_fixture_turn(VmFixture *f)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

void vm_fixture_settle(VmFixture *f)
{
	vm_fixture_turn(f);
	while (f->hotplug->returns->len || f->hotplug->preparing->len)
		g_main_context_iteration(NULL, TRUE);
	vm_fixture_turn(f);
}

char *vm_fixture_wait_told(VmFixture *f)
{
	alarm(MOST_WAIT_S);
	while (f->told->len == 0)
		g_main_context_iteration(NULL, TRUE);
	alarm(0);
	vm_fixture_turn(f);
	char *told = g_strdup(f->told->str);
	g_string_truncate(f->told, 0);
	return told;
}

void vm_fixture_kill_qemu(VmFixture *f)
{
	kill(f->qemu, SIGKILL);
	while (!f->session->qemu_ended)
		g_main_context_iteration(NULL, TRUE);
}

void vm_fixture_assert_driver(VmFixture *f, const char *address, const char *driver)
{
	g_autofree char *seen = fake_sysfs_driver(f->fs, address);

	assert_string_equal(seen ? seen : "none", driver);
}

void vm_fixture_assert_given_back(VmFixture *f)
{
	machine_unload(f->machine);
	g_autofree char *now = fake_sysfs_snapshot(f->fs);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);

	assert_string_equal(f->machine->original, now);
	assert_int_equal(entries->len, 0);
}

gboolean vm_fixture_is_locked(VmFixture *f, int group)
{
	g_autofree char *name = hvr_lock_name_group(group);
	g_auto(HvrLockHolder) holder = { 0 };

	return hvr_lock_holder(&f->context.host, f->context.runtime, name, &holder);
}
