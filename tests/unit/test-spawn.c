/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a started program finds, by its own report: this program starts a copy of itself, which
 * writes what it sees to its standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "compat/compat.h"
#include "launcher/process/spawn.h"
#include "launcher/report/error.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define REPORT "report"

static char *copy; /* of this program, where everybody may run it */
static char *copy_folder;

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	return atoi(*(char *const *)a) - atoi(*(char *const *)b);
}

static void report_descriptors(FILE *out)
{
	g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
	g_autoptr(GPtrArray) numbers = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path = g_strconcat("/proc/self/fd/", name, NULL);
		g_autofree char *target = g_file_read_link(path, NULL);
		if (!g_str_has_suffix(target, "/fd")) /* this folder itself */
			g_ptr_array_add(numbers, g_strdup(name));
	}
	g_ptr_array_sort(numbers, compare_numbers);
	fprintf(out, "fds");
	for (guint i = 0; i < numbers->len; i++)
		fprintf(out, " %s", (char *)g_ptr_array_index(numbers, i));
	fprintf(out, "\n");
}

static void report_standard(FILE *out)
{
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		g_autofree char *path = hvr_fd_path(fd, NULL);
		g_autofree char *target = g_file_read_link(path, NULL);
		fprintf(out, "%d is %s\n", fd, target);
	}
}

static void report_status(FILE *out)
{
	static const char *const keys[] = { "Uid:",	   "Groups:", "CapEff:", "CapBnd:",
					    "NoNewPrivs:", "SigBlk:", "SigIgn:" };
	g_autofree char *text = NULL;

	g_file_get_contents("/proc/self/status", &text, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(g_strdelimit(text, "\t", ' '), "\n", -1);
	for (guint i = 0; lines[i]; i++)
		for (guint k = 0; k < G_N_ELEMENTS(keys); k++)
			if (g_str_has_prefix(lines[i], keys[k]))
				fprintf(out, "%s\n", g_strchomp(lines[i]));
}

static int report(void)
{
	struct rlimit limit;
	FILE *out = stderr;

	report_descriptors(out);
	report_standard(out);
	report_status(out);
	getrlimit(RLIMIT_MEMLOCK, &limit);
	fprintf(out, "memlock %llu %llu\n", (unsigned long long)limit.rlim_cur,
		(unsigned long long)limit.rlim_max);
	getrlimit(RLIMIT_NOFILE, &limit);
	fprintf(out, "files %llu %llu\n", (unsigned long long)limit.rlim_cur,
		(unsigned long long)limit.rlim_max);
	fprintf(out, "session %s\n", getsid(0) == getpid() ? "own" : "shared");
	fflush(out);
	_exit(7);
}

/* All that comes out of @fd until its end. [transfer full] */
static HvrSpawn make_spawn(char *const *argv)
{
	return (HvrSpawn){ .path = copy,
			   .argv = argv,
			   .identity = { .uid = 1234, .gid = 2345 },
			   .stderr_fd = -1 };
}

/* Starts it, waits for its end, and returns what it said. [transfer full] */
static char *run(HvrSpawn *spawn)
{
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) pidfd = -1;
	siginfo_t info = { 0 };
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	spawn->stderr_fd = pipes[1];
	pid_t pid = hvr_spawn(spawn, &pidfd, &error);
	close(pipes[1]);
	if (pid < 0)
		fail_msg("%s", error->message);
	char *text = pipe_read(pipes[0]);
	close(pipes[0]);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_int_equal(info.si_pid, pid);
	assert_int_equal(info.si_status, 7);
	assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
	return text;
}

static char *report_argv[] = { (char *)"copy", (char *)REPORT, NULL };

static void assert_line(const char *text, const char *line)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	if (!g_strv_contains((const char *const *)lines, line))
		fail_msg("no line '%s' in:\n%s", line, text);
}

/* Open are 0, 1, 2 and those that were named, whatever else the launcher has open, and how. */
static void test_descriptors(void **state)
{
	int high = fcntl(STDERR_FILENO, F_DUPFD, 300), leaking = dup(STDERR_FILENO);
	int named[] = { fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200), dup(STDERR_FILENO) };
	HvrSpawn spawn = make_spawn(report_argv);
	g_autofree char *wanted = g_strdup_printf("fds 0 1 2 %d %d", named[1], named[0]);

	spawn.fds = named;
	spawn.n_fds = G_N_ELEMENTS(named);
	g_autofree char *text = run(&spawn);
	assert_line(text, wanted);
	spawn.n_fds = 0;
	g_autofree char *bare = run(&spawn);
	assert_line(bare, "fds 0 1 2");
	close(high);
	close(leaking);
	close(named[0]);
	close(named[1]);
}

/* The identity is what privileges.c makes of it: nobody, with nothing. */
static void test_identity(void **state)
{
	HvrSpawn spawn = make_spawn(report_argv);
	g_autofree char *text = run(&spawn);

	assert_line(text, "Uid: 1234 1234 1234 1234");
	assert_line(text, "Groups:");
	assert_line(text, "CapEff: 0000000000000000");
	assert_line(text, "CapBnd: 0000000000000000");
	assert_line(text, "NoNewPrivs: 1");
}

/* The two behind the standard ones are glibc's own, which it lets nobody set: what starts a test
 * may ignore them (debhelper does), and so does everything below it. */
static guint64 without_glibc(const char *text)
{
	const char *line = strstr(text, "SigIgn: ");

	assert_non_null(line);
	return g_ascii_strtoull(line + strlen("SigIgn: "), NULL, 16) &
	       ~(G_GUINT64_CONSTANT(3) << 31);
}

/* Signals that we block or ignore are not blocked or ignored there. */
static void test_signals(void **state)
{
	HvrSpawn spawn = make_spawn(report_argv);
	sigset_t set, old;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	void (*pipe_handler)(int) = signal(SIGPIPE, SIG_IGN);
	void (*hup_handler)(int) = signal(SIGHUP, SIG_IGN);
	g_autofree char *text = run(&spawn);
	signal(SIGPIPE, pipe_handler);
	signal(SIGHUP, hup_handler);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_line(text, "SigBlk: 0000000000000000");
	assert_int_equal(without_glibc(text), 0);
}

/* The memory lock limit is what was asked for, or the hard limit where that is all we may give. */
/* A shell's soft limit, of 64 here, is not what QEMU's disks and cards have to do with. */
static void test_open_files(void **state)
{
	HvrSpawn spawn = make_spawn(report_argv);
	struct rlimit now, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	few = (struct rlimit){ .rlim_cur = 64, .rlim_max = now.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	g_autofree char *text = run(&spawn);
	g_autofree char *line = g_strdup_printf("files %llu %llu", (unsigned long long)now.rlim_max,
						(unsigned long long)now.rlim_max);
	assert_line(text, line);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

static void test_memlock(void **state)
{
	const guint64 lower = 64 << 10, higher = G_GUINT64_CONSTANT(1) << 40;
	HvrSpawn spawn = make_spawn(report_argv);
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &now), 0);
	spawn.memlock_bytes = lower;
	g_autofree char *low = run(&spawn);
	assert_line(low, "memlock 65536 65536");
	spawn.memlock_bytes = higher;
	guint64 limit = hvr_privileges_memlock_max() == G_MAXUINT64 ? higher : now.rlim_max;
	g_autofree char *high = run(&spawn);
	g_autofree char *wanted =
		g_strdup_printf("memlock %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, limit, limit);
	assert_line(high, wanted);
	spawn.memlock_bytes = 0;
	g_autofree char *same = run(&spawn);
	g_autofree char *untouched =
		g_strdup_printf("memlock %llu %llu", (unsigned long long)now.rlim_cur,
				(unsigned long long)now.rlim_max);
	assert_line(same, untouched);
}

/* A session of its own, always, and nothing of ours to read from. */
static void test_session(void **state)
{
	HvrSpawn spawn = make_spawn(report_argv);
	g_autofree char *text = run(&spawn);

	assert_line(text, "session own");
	assert_line(text, "0 is /dev/null");
	assert_line(text, "1 is /dev/null");
}

/* What a program says whose parent ends as soon as it runs. [transfer full] */
static char *orphan(gboolean with_parent)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"sleep 1; echo stayed", NULL };
	HvrSpawn spawn = make_spawn(argv);
	int pipes[2], pidfd;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	spawn.path = "/bin/sh";
	spawn.stdout_fd = pipes[1];
	spawn.with_parent = with_parent;
	pid_t pid = fork();
	if (pid == 0)
		_exit(hvr_spawn(&spawn, &pidfd, NULL) < 0);
	close(pipes[1]);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	char *text = pipe_read(pipes[0]);
	close(pipes[0]);
	return text;
}

/* It lives on without its parent, or, where that is asked for, does not. */
static void test_with_parent(void **state)
{
	g_autofree char *alone = orphan(FALSE);
	g_autofree char *with = orphan(TRUE);

	assert_string_equal(alone, "stayed\n");
	assert_string_equal(with, "");
}

/* It lives as long as anybody has the other end of its leash, and not with one that nobody has. */
static void test_leash(void **state)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"echo begun; exec sleep 60",
			       NULL };
	HvrSpawn spawn = make_spawn(argv);
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) pidfd = -1;
	siginfo_t info = { 0 };
	int leash[2], output[2];

	assert_int_equal(pipe2(leash, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	spawn.path = "/bin/sh";
	spawn.stdout_fd = output[1];
	spawn.fds = &leash[0];
	spawn.n_fds = 1;
	spawn.leash = leash[0];
	assert_true(hvr_spawn(&spawn, &pidfd, NULL) > 0);
	close(output[1]);
	int other = dup(leash[1]);
	close(leash[1]);
	char begun;
	assert_int_equal(read(output[0], &begun, 1), 1);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 0), 0);
	close(other);
	assert_int_equal(poll(&wait, 1, 30000), 1);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_int_equal(info.si_code, CLD_KILLED);
	assert_int_equal(info.si_status, SIGTERM);
	close(output[0]);

	int late = -1;
	spawn.stdout_fd = 0;
	assert_int_equal(hvr_spawn(&spawn, &late, &error), -1);
	assert_string_equal(error->message, "cannot start /bin/sh: putting it on a leash: No such "
					    "process");
	close(leash[0]);
}

/* What cannot be started is reported by the stage that failed, and no child is left. */
static void test_failures(void **state)
{
	static const struct {
		const char *path;
		int bad_fd;
		int status;
		const char *message;
	} cases[] = {
		{ "/nowhere/qemu", 0, 69,
		  "cannot start /nowhere/qemu: executing it: No such file or directory" },
		{ "/etc/passwd", 0, 77,
		  "cannot start /etc/passwd: executing it: Permission denied" },
		{ "/bin/true", 999, 69,
		  "cannot start /bin/true: handing over descriptors: Bad file descriptor" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		HvrSpawn spawn = make_spawn(report_argv);
		g_autoptr(GError) error = NULL;
		int pidfd = -1;
		spawn.path = cases[i].path;
		spawn.fds = &cases[i].bad_fd;
		spawn.n_fds = cases[i].bad_fd != 0;
		assert_int_equal(hvr_spawn(&spawn, &pidfd, &error), -1);
		assert_string_equal(error->message, cases[i].message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		assert_int_equal(pidfd, -1);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

typedef struct {
	int writer; /* gets the pid of who becomes the program */
	int saved;  /* 0: it may */
} Beginning;

static gboolean begin(gconstpointer data)
{
	const Beginning *beginning = data;
	pid_t self = geteuid() == 0 ? getpid() : 0;

	errno = beginning->saved;
	return write(beginning->writer, &self, sizeof(self)) == sizeof(self) &&
	       beginning->saved == 0;
}

/* What is to be done before is done by that very process, with all rights, and may refuse. */
static void test_begin(void **state)
{
	HvrSpawn spawn = make_spawn(report_argv);
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) pidfd = -1;
	siginfo_t info = { 0 };
	int pipes[2];
	pid_t self = 0;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	Beginning beginning = { .writer = pipes[1], .saved = ENOSPC };
	spawn.begin = begin;
	spawn.begin_data = &beginning;
	assert_int_equal(hvr_spawn(&spawn, &pidfd, &error), -1);
	assert_non_null(strstr(error->message, "which process it is: No space left on device"));
	assert_int_equal(read(pipes[0], &self, sizeof(self)), sizeof(self));

	beginning.saved = 0;
	spawn.path = "/bin/true";
	pid_t pid = hvr_spawn(&spawn, &pidfd, NULL);
	assert_true(pid > 0);
	assert_int_equal(read(pipes[0], &self, sizeof(self)), sizeof(self));
	assert_int_equal(self, pid);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* --exec: the same program in place of this process. */
static void test_replace(void **state)
{
	int pipes[2], status = 0;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		HvrSpawn spawn = make_spawn(report_argv);
		spawn.stderr_fd = pipes[1];
		hvr_spawn_replace(&spawn, NULL);
		_exit(1);
	}
	close(pipes[1]);
	g_autofree char *text = pipe_read(pipes[0]);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_line(text, "fds 0 1 2");
	assert_line(text, "Uid: 1234 1234 1234 1234");
	assert_line(text, "NoNewPrivs: 1");
}

static int make_copy(void **state)
{
	g_autofree char *bytes = NULL;
	gsize length;

	copy_folder = g_dir_make_tmp("hvr-spawn-XXXXXX", NULL);
	copy = g_build_filename(copy_folder, "copy", NULL);
	return !g_file_get_contents("/proc/self/exe", &bytes, &length, NULL) ||
	       !g_file_set_contents(copy, bytes, (gssize)length, NULL) || chmod(copy, 0755) < 0 ||
	       chmod(copy_folder, 0755) < 0;
}

static int remove_copy(void **state)
{
	unlink(copy);
	rmdir(copy_folder);
	g_free(copy);
	g_free(copy_folder);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors), cmocka_unit_test(test_identity),
		cmocka_unit_test(test_with_parent), cmocka_unit_test(test_leash),
		cmocka_unit_test(test_signals),	    cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_memlock),	    cmocka_unit_test(test_session),
		cmocka_unit_test(test_failures),    cmocka_unit_test(test_begin),
		cmocka_unit_test(test_replace),
	};

	if (argc == 2 && strcmp(argv[1], REPORT) == 0)
		return report();
	if (geteuid() != 0) /* cannot become somebody else */
		return 77;
	return cmocka_run_group_tests(tests, make_copy, remove_copy);
}
