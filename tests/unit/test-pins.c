/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs where [cpu] wants them: by what a scripted monitor tells, true or not, and, where a
 * QEMU is installed, by what that tells, in its sandbox and as the VM's user.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/placement.h"
#include "launcher/process/program.h"
#include "launcher/process/spawn.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/pins.h"
#include "tests/unit/session-fixture.h"
#include "vfio/fd.h"

#define QEMU   "qemu-system-x86_64"
#define NOBODY 65534
#define WAIT_S 60

/* Two CPUs that this process may run on; FALSE: it has no choice. */
static gboolean two_cpus(guint *out_one, guint *out_other)
{
	cpu_set_t ours;
	guint n = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(ours), &ours), 0);
	for (guint cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &ours))
			*(n++ ? out_other : out_one) = cpu;
	return n == 2;
}

static HvrProfile *parse(const char *cpu)
{
	g_autofree char *text =
		g_strconcat("[vm]\nmemory = 64M\ncpus = 2\naccel = tcg\n[cpu]\n", cpu, NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/x/lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static guint only_cpu_of(pid_t thread)
{
	cpu_set_t cpus;

	assert_int_equal(sched_getaffinity(thread, sizeof(cpus), &cpus), 0);
	if (CPU_COUNT(&cpus) != 1)
		return G_MAXUINT;
	for (guint cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			return cpu;
	return G_MAXUINT;
}

/* What is said while the monitor tells @answer (NULL: an error). [transfer full] */
static char *pin(VmFixture *f, const HvrProfile *profile, const HvrUser *user, const char *answer)
{
	g_autofree char *task = g_strdup_printf("proc/%d/task/%d/comm", (int)f->qemu, (int)f->qemu);
	const HvrProfile *before = f->session->profile;
	g_auto(HvrFd) said = memfd_create("said", MFD_CLOEXEC);
	char text[1024] = "";

	fake_sysfs_put_file(f->fs, task, "CPU 0/TCG\n");
	if (answer)
		qmp_peer_returns(f->peer, "query-cpus-fast", answer);
	f->session->profile = profile;
	hvr_message_copy(said);
	hvr_pins_begin(f->session, user);
	vm_fixture_turn(f);
	hvr_message_copy(-1);
	f->session->profile = before;
	assert_true(pread(said, text, sizeof(text) - 1, 0) >= 0);
	return g_strdup(text);
}

static char *tells(pid_t thread)
{
	return g_strdup_printf("[{\"cpu-index\":0,\"thread-id\":%d}]", (int)thread);
}

/* A process of the user's own: there it is, and nowhere else. */
static void test_put(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	const HvrUser ourselves = { .uid = geteuid(), .gid = getegid(), .name = (char *)"lab" };
	g_autofree char *answer = tells(f->qemu);
	guint one, other;

	if (!two_cpus(&one, &other))
		skip();
	for (guint i = 0; i < 2; i++) {
		guint cpu = i ? other : one;
		g_autofree char *text = g_strdup_printf("pin = 0:%u\n", cpu);
		g_autoptr(HvrProfile) profile = parse(text);
		g_autofree char *said = pin(f, profile, &ourselves, answer);

		assert_string_equal(said, "");
		assert_int_equal(only_cpu_of(f->qemu), cpu);
	}
}

/* Nobody's threads are put anywhere because a QEMU says so: of another process, and of another
 * user, both alive. */
static void test_lies(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	g_autoptr(VmFixture) g = vm_fixture_new("card");
	const HvrUser ourselves = { .uid = geteuid(), .gid = getegid(), .name = (char *)"lab" };
	const HvrUser nobody = {
		.privileged = TRUE, .uid = NOBODY, .gid = NOBODY, .name = (char *)"nobody"
	};
	g_autofree char *us = tells(getpid());
	g_autofree char *other_users = tells(g->qemu);
	guint one, other;

	if (!two_cpus(&one, &other))
		skip();
	g_autofree char *text = g_strdup_printf("pin = 0:%u\n", one);
	g_autoptr(HvrProfile) profile = parse(text);
	g_autofree char *first = pin(f, profile, &ourselves, us);
	assert_non_null(strstr(first,
			       "warning: VM 'lab': virtual CPU 0 is not where [cpu] pin wants "
			       "it, but where QEMU runs: QEMU does not say which of its "
			       "threads it is\n"));
	assert_int_equal(only_cpu_of(0), G_MAXUINT);
	if (geteuid() != 0)
		return;
	g_autofree char *second = pin(g, profile, &nobody, other_users);
	assert_non_null(strstr(second, "QEMU runs: Operation not permitted\n"));
	assert_int_equal(only_cpu_of(g->qemu), G_MAXUINT);
}

/* Answers of any form are told of, and no more. */
static void test_nonsense(void **state)
{
	static const char *const answers[] = {
		"[]",
		"[7, null, {}]",
		"[{\"cpu-index\":\"0\",\"thread-id\":\"1\"}]",
		"[{\"cpu-index\":0,\"thread-id\":-1}]",
		"[{\"cpu-index\":0,\"thread-id\":99999999999}]",
		"[{\"cpu-index\":1,\"thread-id\":1}]",
		"{\"cpu-index\":0}",
		NULL,
	};
	const HvrUser ourselves = { .uid = geteuid(), .gid = getegid(), .name = (char *)"lab" };

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(VmFixture) f = vm_fixture_new("card");
		g_autoptr(HvrProfile) profile = parse("pin = 0:0\n");
		g_autofree char *said = pin(f, profile, &ourselves, answers[i]);

		if (!strstr(said, "warning: VM 'lab': ") || !strstr(said, "[cpu] pin wants"))
			fail_msg("%s: \"%s\"", answers[i] ? answers[i] : "(error)", said);
	}
}

/* Where each runs, by the profile alone. */
static void test_places(void **state)
{
	static const struct {
		const char *cpu;
		gboolean asked;
		int qemu, first, second; /* the least CPU of each; -1: anywhere, or as QEMU */
	} cases[] = {
		{ "pin = 4-5\n", FALSE, 4, -1, -1 },
		{ "pin = 4\nemulator-pin = 6\n", TRUE, 6, 4, 4 },
		{ "pin = 1:5, 0:4\n", TRUE, -1, 4, 5 },
		{ "pin = 1:5\nemulator-pin = 6\n", TRUE, 6, -1, 5 },
		{ "cores = 2\n", FALSE, -1, -1, -1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = parse(cases[i].cpu);
		const int wanted[] = { cases[i].qemu, cases[i].first, cases[i].second };
		cpu_set_t cpus;

		assert_int_equal(hvr_placement_has_vcpus(profile), cases[i].asked);
		for (guint k = 0; k < G_N_ELEMENTS(wanted); k++) {
			gboolean there = k ? hvr_placement_vcpu(profile, k - 1, &cpus)
					   : hvr_placement_cpus(profile, &cpus);
			assert_int_equal(there, wanted[k] >= 0);
			assert_true(!there || CPU_ISSET(wanted[k], &cpus));
		}
	}
}

static void test_exec(void **state)
{
	g_autoptr(HvrProfile) each = parse("pin = 0:0\n");
	g_autoptr(HvrProfile) all = parse("pin = 0\n");
	g_autoptr(GError) error = NULL;

	assert_true(hvr_pins_check_exec(all, NULL));
	assert_false(hvr_pins_check_exec(each, &error));
	assert_int_equal(hvr_exit_status(error), 64);
	assert_non_null(strstr(error->message, "run: with --exec nobody puts each virtual CPU"));
}

/* ---------------------------------------------------------------- a QEMU that is installed */

/* In its sandbox, on one CPU, and with a monitor at @monitor. */
static pid_t start_qemu(const HvrUser *user, const HvrProfile *profile, int monitor, int *out_pidfd)
{
	g_autofree char *path = hvr_program_find(QEMU, TRUE);
	g_autofree char *chardev = g_strdup_printf("socket,id=q,fd=%d", monitor);
	const char *const argv[] = { QEMU,
				     "-nodefaults",
				     "-no-user-config",
				     "-machine",
				     "q35",
				     "-accel",
				     "tcg,thread=multi",
				     "-smp",
				     "2",
				     "-m",
				     "64M",
				     "-display",
				     "none",
				     "-name",
				     "guest=lab,debug-threads=on",
				     "-sandbox",
				     "on,obsolete=deny,elevateprivileges=deny,spawn="
				     "deny,resourcecontrol=deny",
				     "-chardev",
				     chardev,
				     "-mon",
				     "chardev=q,mode=control",
				     "-object",
				     "iothread,id=io",
				     NULL };
	cpu_set_t cpus;
	const HvrSpawn spawn = { .path = path,
				 .argv = (char *const *)argv,
				 .identity = hvr_user_identity(user),
				 .cpus = hvr_placement_cpus(profile, &cpus) ? &cpus : NULL,
				 .fds = &monitor,
				 .n_fds = 1,
				 .stderr_fd = -1 };
	g_autoptr(GError) error = NULL;

	if (!path)
		skip();
	pid_t pid = hvr_spawn(&spawn, out_pidfd, &error);
	if (pid < 0)
		fail_msg("%s", error->message);
	return pid;
}

/* The thread of that name; 0: it is not there. */
static pid_t find_named(pid_t pid, const char *name)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) tasks = g_dir_open(folder, 0, NULL);
	const char *task;

	while ((task = g_dir_read_name(tasks))) {
		g_autofree char *path = g_build_filename(folder, task, "comm", NULL);
		g_autofree char *comm = NULL;

		if (g_file_get_contents(path, &comm, NULL, NULL) && g_str_equal(comm, name))
			return (pid_t)g_ascii_strtoll(task, NULL, 10);
	}
	return 0;
}

/* Each virtual CPU is on its own CPU, and all else of QEMU where emulator-pin says. */
static void test_real(void **state)
{
	const HvrUser user = { .privileged = geteuid() == 0,
			       .uid = geteuid() ? geteuid() : NOBODY,
			       .gid = geteuid() ? getegid() : NOBODY,
			       .name = (char *)"lab" };
	const HvrContext context = { .host = { .root = -1, .proc = open("/proc", O_RDONLY) },
				     .runtime = -1,
				     .runtime_parent = -1 };
	int pair[2], pidfd = -1;
	guint one, other;

	if (!two_cpus(&one, &other))
		skip();
	g_autofree char *text =
		g_strdup_printf("pin = 0:%u, 1:%u\nemulator-pin = %u\n", other, one, one);
	g_autoptr(HvrProfile) profile = parse(text);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = start_qemu(&user, profile, pair[1], &pidfd);
	close(pair[1]);
	HvrSession session = { .context = &context,
			       .profile = profile,
			       .vm = hvr_vm_new("lab"),
			       .qmp = hvr_qmp_client_new(pair[0], NULL) };
	session.vm->qemu.pid = pid;
	hvr_pins_begin(&session, &user);
	/* answered in their order */
	g_autoptr(JsonNode) done =
		hvr_qmp_client_call(session.qmp, "query-status", NULL, WAIT_S * 1000, NULL);
	pid_t first = find_named(pid, "CPU 0/TCG\n"), second = find_named(pid, "CPU 1/TCG\n");
	pid_t thread = find_named(pid, "IO io\n");
	guint seen[] = { only_cpu_of(first), only_cpu_of(second), only_cpu_of(pid),
			 only_cpu_of(thread) };
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	hvr_qmp_client_unref(session.qmp);
	hvr_vm_free(session.vm);
	close(pidfd);
	close(context.host.proc);
	assert_non_null(done);
	assert_true(first && second && thread);
	assert_int_equal(seen[0], other);
	assert_int_equal(seen[1], one);
	assert_int_equal(seen[2], one);
	assert_int_equal(seen[3], one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),	 cmocka_unit_test(test_lies),
		cmocka_unit_test(test_nonsense), cmocka_unit_test(test_places),
		cmocka_unit_test(test_exec),	 cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
