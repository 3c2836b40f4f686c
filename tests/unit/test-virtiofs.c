/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shares by the virtiofsd that is installed, with the QEMU that is installed, from facts to the end
 * of both. Its own program, since it is skipped where no virtiofsd works without root.
 *
 * There is no guest: QEMU has agreed with each virtiofsd when it answers on its monitor.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/share.h"
#include "launcher/process/program.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/start.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define SKIP	77
#define NOBODY	65534
#define WAIT_MS 60000

static const char *const folders[] = { "/usr/share/qemu/vhost-user", NULL };

typedef struct {
	char *folder; /* of the share, and for qmp.sock */
	HvrProfile *profile;
	HvrUser user;
	HvrFacts facts;
	HvrParts parts;
	HvrContext context;
	HvrPlan plan;
	GPtrArray *locks;
	int runtime;
	HvrStarted started;
} Fixture;

static HvrProfile *parse(const char *folder)
{
	static const char text[] = "[vm]\nmemory = 64M\naccel = tcg\n[serial]\nmode = none\n"
				   "[share work]\npath = .\n"
				   "[share data]\npath = .\ntag = d\nreadonly = yes\n"
				   "[qemu]\nargs = -S\n";
	g_autofree char *file = g_build_filename(folder, "lab.ini", NULL);

	return hvr_profile_parse(file, text, strlen(text), NULL, NULL);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-virtiofs-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	f->profile = parse(f->folder);
	assert_non_null(f->profile);
	f->parts.user = f->facts.user = &f->user;
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	f->facts.qemu_path = hvr_program_find("qemu-system-x86_64", TRUE);
	f->context.vhost_user_folders = folders;
	f->context.host.dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->context.host.sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->runtime = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->plan.cards = g_ptr_array_new();
	f->locks = g_ptr_array_new();
	f->parts.share_ways = hvr_share_ways(&f->context, f->profile, &f->parts, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->folder);
	hvr_profile_free(f->profile);
	g_ptr_array_unref(f->parts.share_ways);
	g_ptr_array_unref(f->plan.cards);
	g_ptr_array_unref(f->locks);
	hvr_fd_close(f->runtime);
	hvr_fd_close(f->context.host.dev);
	hvr_fd_close(f->context.host.sys);
	g_free(f->facts.qemu_path);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* What QEMU says next; its own complaint where it says nothing. */
static void expect(Fixture *f, const char *what)
{
	char answer[4096] = "", said[4096] = "";
	struct pollfd wait = { .fd = f->started.monitor, .events = POLLIN };
	ssize_t n = poll(&wait, 1, WAIT_MS) > 0
			    ? read(f->started.monitor, answer, sizeof(answer) - 1)
			    : -1;

	if (n > 0 && strstr(answer, what))
		return;
	if (n <= 0)
		n = read(f->started.output, said, sizeof(said) - 1);
	fail_msg("no %s in '%s' (%zd): %s", what, answer, n, said);
}

static void tell(Fixture *f, const char *command)
{
	assert_int_equal(send(f->started.monitor, command, strlen(command), MSG_NOSIGNAL),
			 strlen(command));
}

static gboolean start_qemu(Fixture *f, GError **error)
{
	const HvrStart how = { .context = &f->context,
			       .profile = f->profile,
			       .facts = &f->facts,
			       .parts = &f->parts,
			       .plan = &f->plan,
			       .locks = f->locks,
			       .folder = f->runtime,
			       .stays = TRUE };
	HvrHandover *handover = hvr_handover_new(&how);
	gboolean started = hvr_start_make(&how, handover, error) &&
			   hvr_start_qemu(&how, handover, &f->started, error);

	hvr_handover_free(handover);
	return started;
}

static void start(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	if (!start_qemu(f, &error))
		fail_msg("%s", error->message);
	assert_int_equal(f->started.servers->len, 2);
	expect(f, "\"QMP\"");
	tell(f, "{\"execute\":\"qmp_capabilities\"}");
	expect(f, "\"return\"");
}

/* Our children, but for QEMU. [transfer full]: of pid_t */
static GArray *find_servers(const Fixture *f)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
	GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) words = g_strsplit(g_strchomp(text), " ", -1);
	for (guint i = 0; words[i]; i++) {
		pid_t pid = atoi(words[i]);
		if (pid > 0 && pid != f->started.pid)
			g_array_append_val(pids, pid);
	}
	return pids;
}

static void assert_status(pid_t pid, const char *line)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void end(Fixture *f)
{
	int status;
	gint64 begin = g_get_monotonic_time();

	assert_int_equal(waitpid(f->started.pid, &status, 0), f->started.pid);
	hvr_servers_end(f->started.servers);
	assert_true(g_get_monotonic_time() - begin < WAIT_MS * 1000LL);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	hvr_fd_close(f->started.pidfd);
	hvr_fd_close(f->started.monitor);
	hvr_fd_close(f->started.output);
}

/* One process for each share, which is nobody and never will be more; QEMU's end is theirs. */
static void test_quit(void **state)
{
	Fixture *f = *state;
	g_autofree char *uid = g_strdup_printf("\nUid:\t%u\t%u\t%u\t%u\n", f->user.uid, f->user.uid,
					       f->user.uid, f->user.uid);

	start(f);
	g_autoptr(GArray) pids = find_servers(f);
	assert_int_equal(pids->len, 2);
	for (guint i = 0; i < pids->len; i++) {
		pid_t pid = g_array_index(pids, pid_t, i);

		assert_status(pid, uid);
		assert_status(pid, "\nCapEff:\t0000000000000000\n");
		assert_status(pid, "\nNoNewPrivs:\t1\n");
	}
	tell(f, "{\"execute\":\"quit\"}");
	end(f);
}

/* Also when QEMU has no time to say goodbye: they are not killed for it, and nothing is told. */
static void test_killed(void **state)
{
	Fixture *f = *state;

	start(f);
	assert_int_equal(kill(f->started.pid, SIGKILL), 0);
	g_autoptr(GArray) pids = find_servers(f);
	for (guint i = 0; i < pids->len; i++) {
		siginfo_t info = { 0 };

		assert_int_equal(waitid(P_PID, (id_t)g_array_index(pids, pid_t, i), &info,
					WEXITED | WNOWAIT),
				 0);
		assert_int_equal(info.si_code, CLD_EXITED);
		assert_int_equal(info.si_status, 0);
	}
	end(f);
}

/* One that is gone is QEMU's end before the guest has begun. */
static void test_gone(void **state)
{
	Fixture *f = *state;
	HvrShareWay *way = g_ptr_array_index(f->parts.share_ways, 1);
	g_autofree char *real = way->program;
	char said[4096] = "";
	struct pollfd wait;

	way->program = g_strdup("/bin/false");
	assert_true(start_qemu(f, NULL));
	wait = (struct pollfd){ .fd = f->started.pidfd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
	assert_true(read(f->started.output, said, sizeof(said) - 1) > 0);
	assert_non_null(strstr(said, "vhost_backend_init failed"));
	end(f);
}

static gboolean is_there(void)
{
	Fixture *f = NULL;

	setup((void **)&f);
	const HvrShareWay *way = hvr_share_way(&f->parts, 1);
	gboolean works = f->facts.qemu_path && way && way->program;
	if (!works)
		print_message("skipped: %s\n",
			      way && way->problem ? way->problem->message : "no QEMU");
	teardown((void **)&f);
	return works;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_quit), TEST(test_killed), TEST(test_gone) };

	return is_there() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIP;
}
