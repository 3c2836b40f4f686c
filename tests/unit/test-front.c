/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `run` at a terminal: what its keys do, and what whatever happens to the process that the shell
 * has does to the VM.
 *
 * The program is the real one, in a mount namespace with a /run of its own, on a real terminal and
 * without cards. QEMU and the guest are a copy of this program, which plays what the profile's
 * [qemu] args name; it speaks QMP as QEMU does where the program asks it.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib-unix.h>

#include "qmp/connect.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/qmp-peer.h"
#include "tests/unit/shell.h"
#include "vfio/fd.h"

#define PLAY	"play-"
#define E	"\x1d"
#define CONSOLE "socket,id=hvr-console,fd="
#define WAIT_MS 30000

/* The stand-in's side. */

typedef struct {
	const char *play;
	QmpPeer *monitor;
	GPtrArray *agents; /* of QmpPeer */
	int serial;
	gboolean greeted, rebooted, asked;
} Qemu;

static gboolean plays(const Qemu *qemu, const char *play)
{
	return g_str_equal(qemu->play, play);
}

static void print(const Qemu *qemu, const char *text)
{
	if (qemu->serial >= 0 && !hvr_fd_write_all(qemu->serial, text, strlen(text)))
		_exit(1);
}

/* More than all the sockets on the way to a terminal hold. */
static void flood(const Qemu *qemu)
{
	g_autofree char *line = g_strnfill(4094, 'x');
	g_autofree char *text = g_strconcat(line, "\r\n", NULL);

	for (guint i = 0; i < 1024; i++)
		print(qemu, text);
}

/* Says what was typed, as it came. */
static gboolean on_serial(gint fd, GIOCondition condition, gpointer user_data)
{
	char keys[64];
	ssize_t n = read(fd, keys, sizeof(keys) - 1);

	if (n <= 0 && plays(user_data, "console"))
		return G_SOURCE_REMOVE;
	if (n <= 0)
		_exit(0);
	keys[n] = '\0';
	if (plays(user_data, "floods") && strchr(keys, 'f'))
		flood(user_data);
	g_autofree char *text = g_strescape(keys, NULL);
	g_autofree char *line = g_strdup_printf("got '%s'\r\n", text);
	print(user_data, line);
	return G_SOURCE_CONTINUE;
}

static gboolean on_agent(gint fd, GIOCondition condition, gpointer user_data)
{
	Qemu *qemu = user_data;
	QmpPeer *agent = qmp_peer_new_for_fd(NULL, accept(fd, NULL, NULL));

	qmp_peer_ignores(agent, "guest-shutdown");
	g_ptr_array_add(qemu->agents, agent);
	return G_SOURCE_CONTINUE;
}

static void boot(Qemu *qemu)
{
	if (qemu->greeted || qemu->serial < 0 || !qmp_peer_count(qemu->monitor, "query-status"))
		return;
	qemu->greeted = TRUE;
	print(qemu, "guest: login: ");
}

static void reboot(Qemu *qemu)
{
	for (guint i = 0; i < qemu->agents->len && !qemu->rebooted; i++)
		qemu->rebooted =
			qmp_peer_count(g_ptr_array_index(qemu->agents, i), "guest-shutdown");
	if (!qemu->rebooted)
		return;
	qmp_peer_event(qemu->monitor, "RESET", "{\"guest\":true,\"reason\":\"guest-reset\"}");
	print(qemu, "guest: boots anew\r\n");
	g_ptr_array_set_size(qemu->agents, 0);
}

/* What was asked of it, if anything. */
static gboolean on_tick(gpointer user_data)
{
	Qemu *qemu = user_data;

	boot(qemu);
	reboot(qemu);
	qemu->rebooted = FALSE;
	if (qmp_peer_count(qemu->monitor, "system_powerdown")) {
		print(qemu, "guest: powers down\r\n");
		_exit(0);
	}
	if (!qmp_peer_count(qemu->monitor, "quit"))
		return G_SOURCE_CONTINUE;
	if (!plays(qemu, "deaf"))
		_exit(0);
	if (!qemu->asked)
		print(qemu, "qemu: stays\r\n");
	qemu->asked = TRUE;
	return G_SOURCE_CONTINUE;
}

/* As QEMU's chardev of a socket that it serves: one at a time. */
static gboolean on_console(gint fd, GIOCondition condition, gpointer user_data)
{
	Qemu *qemu = user_data;

	qemu->serial = accept(fd, NULL, NULL);
	qemu->greeted = FALSE;
	g_unix_fd_add(qemu->serial, G_IO_IN, on_serial, qemu);
	return G_SOURCE_CONTINUE;
}

static gboolean is_served(char **argv, const char *prefix)
{
	for (; *argv; argv++)
		if (g_str_has_prefix(*argv, prefix))
			return strstr(*argv, "server=on") != NULL;
	return FALSE;
}

static int find_fd(char **argv, const char *prefix)
{
	for (; *argv; argv++)
		if (g_str_has_prefix(*argv, prefix))
			return atoi(*argv + strlen(prefix));
	return -1;
}

static int play(const char *what, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GPtrArray) agents = g_ptr_array_new();
	Qemu qemu = { .play = what,
		      .agents = agents,
		      .serial = -1,
		      .monitor =
			      qmp_peer_new_for_fd(NULL, find_fd(argv, "socket,id=hvr-qmp0,fd=")) };

	alarm(120); /* whatever becomes of the test */
	if (plays(&qemu, "fails")) {
		qemu.serial = find_fd(argv, CONSOLE);
		if (is_served(argv, CONSOLE))
			qemu.serial = accept(qemu.serial, NULL, NULL);
		print(&qemu, "guest: no firmware\r\n");
		return 1;
	}
	if (!plays(&qemu, "mute"))
		qmp_peer_greet(qemu.monitor);
	else
		fprintf(stderr, "qemu: pins memory\n");
	qmp_peer_returns(qemu.monitor, "query-status", "{\"status\":\"running\",\"running\":true}");
	int console = find_fd(argv, CONSOLE);
	if (is_served(argv, CONSOLE))
		g_unix_fd_add(console, G_IO_IN, on_console, &qemu);
	else
		g_unix_fd_add(qemu.serial = console, G_IO_IN, on_serial, &qemu);
	g_unix_fd_add(find_fd(argv, "socket,id=hvr-agent,fd="), G_IO_IN, on_agent, &qemu);
	g_timeout_add(2, on_tick, &qemu);
	g_main_loop_run(loop);
	return 0;
}

/* The user's side. */

typedef struct {
	char *folder, *copy; /* of this program */
	Shell *shell;
} Fixture;

static int setup(void **state)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -1;
	Fixture *f = g_new0(Fixture, 1);
	f->folder = g_dir_make_tmp("hvr-front-XXXXXX", NULL);
	f->copy = g_build_filename(f->folder, "qemu", NULL);
	f->shell = shell_new();
	*state = f;
	return !g_file_get_contents("/proc/self/exe", &bytes, &length, NULL) ||
	       !g_file_set_contents(f->copy, bytes, (gssize)length, NULL) ||
	       chmod(f->copy, 0755) < 0 || chmod(f->folder, 0755) < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	shell_free(f->shell);
	fake_files_end(f->folder);
	g_free(f->copy);
	g_free(f->folder);
	g_free(f);
	return umount2("/run", MNT_DETACH);
}

/* The program, at once and without a terminal. Returns: its exit status */
static int call(const char *line, char **out_text)
{
	g_autofree char *whole = g_strconcat(PROGRAM " ", line, NULL);
	g_auto(GStrv) words = g_strsplit(whole, " ", -1);
	g_autofree char *out = NULL, *err = NULL;
	int status = 0;

	assert_true(g_spawn_sync(NULL, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err,
				 &status, NULL));
	if (out_text)
		*out_text = g_strconcat(out, err, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_profile(const Fixture *f, const char *what, const char *more)
{
	g_autofree char *text = g_strdup_printf(
		"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[security]\nuser = nobody\n"
		"sandbox = no\n[guest]\nagent = yes\n[qemu]\nbinary = %s\nargs = " PLAY "%s\n%s",
		f->copy, what, more);

	fake_files_write("/run", "lab.ini", text, 0644);
}

static void become_program(gconstpointer data)
{
	g_auto(GStrv) words = g_strsplit(data, " ", -1);

	execv(PROGRAM, words);
	_exit(121);
}

static void start_job(Fixture *f, const char *what, ShellJob job)
{
	write_profile(f, what, "");
	job.run = become_program;
	if (!job.data)
		job.data = PROGRAM " run /run/lab.ini";
	shell_start(f->shell, &job);
}

/* The guest's prompt is the last that comes. */
static void start(Fixture *f, const char *what)
{
	start_job(f, what, (ShellJob){ .stays_stopped = TRUE });
	shell_expect(f->shell, f->shell->screen, "guest: login: ");
}

static void expect_screen(Fixture *f, const char *what)
{
	shell_expect(f->shell, f->shell->screen, what);
}

static void assert_ends(Fixture *f, int status)
{
	g_autofree char *line = g_strdup_printf("status %d", status);

	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "terminal same");
	shell_assert_said(f->shell, line);
}

static pid_t status_pid(const char *member)
{
	g_autofree char *json = NULL;
	g_autofree char *word = g_strdup_printf("\"%s\":", member);

	assert_int_equal(call("status --json lab", &json), 0);
	g_autoptr(GString) text = g_string_new(json);
	return shell_number(text, word);
}

static void assert_runs(gboolean runs)
{
	g_autofree char *text = NULL;

	call("status", &text);
	if ((strstr(text, "lab: running") != NULL) != runs)
		fail_msg("status says:\n%s", text);
}

/* A process that is no child of ours has ended. */
static void wait_for_end(pid_t pid)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (end.fd < 0)
		return;
	assert_int_equal(poll(&end, 1, WAIT_MS), 1);
	close(end.fd);
}

/* The first line says which keys there are, and fits on a screen of 80 columns. */
static void test_announced(void **state)
{
	Fixture *f = *state;
	static const char line[] = "\nhailo-vm-run: VM 'lab': Ctrl-] then ? for help, d leaves it "
				   "running, q ends it\n";

	assert_true(sizeof(line) - 3 <= 80);
	start(f, "guest");
	assert_true(shell_is_raw(f->shell));
	const char *announced = strstr(f->shell->screen->str, line);
	assert_non_null(announced);
	assert_true(announced < strstr(f->shell->screen->str, "guest: login: "));
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
}

/* All others are the guest's, also those that would be signals, and Ctrl-] when it is meant. */
static void test_guests_keys(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	shell_type(f->shell, "q\x03\x1a\x1c");
	expect_screen(f, "got 'q\\003\\032\\034'");
	shell_type(f->shell, E E "q");
	expect_screen(f, "got '\\035q'");
	shell_type(f->shell, E "x");
	expect_screen(f, "got '\\035x'");
	assert_runs(TRUE);
	shell_type(f->shell, E);
	shell_type(f->shell, "q");
	assert_ends(f, 0);
	assert_runs(FALSE);
}

/* A line of its own each, though the guest's prompt has none, and no key of it is the guest's. */
static void test_help(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	shell_type(f->shell, E "?");
	expect_screen(f, "guest: login: \nhailo-vm-run: Ctrl-] then d: ");
	expect_screen(f, "send one to the guest\n");
	shell_type(f->shell, "k");
	expect_screen(f, "got 'k'");
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
}

/* The VM goes on, its messages in its log, and the shell has its terminal. */
static void test_left(void **state)
{
	Fixture *f = *state;
	g_autofree char *log = NULL;

	start(f, "guest");
	pid_t supervisor = status_pid("supervisor_pid"), qemu = status_pid("pid");
	assert_int_not_equal(supervisor, shell_number(f->shell->said, "job "));
	shell_type(f->shell, "k" E "dlost");
	assert_ends(f, 0);
	shell_assert_said(f->shell, "input ''");
	expect_screen(f, "VM 'lab' goes on; to come back: hailo-vm-run console lab\n");
	assert_runs(TRUE);
	assert_int_equal(status_pid("supervisor_pid"), supervisor);
	assert_int_equal(status_pid("pid"), qemu);
	kill(supervisor, SIGTERM);
	wait_for_end(supervisor);
	assert_null(strstr(f->shell->screen->str, "asking the guest"));
	assert_runs(FALSE);
}

/* Its words from then on are in its log. */
static void test_log_when_left(void **state)
{
	Fixture *f = *state;
	g_autofree char *log = NULL;

	start(f, "deaf");
	shell_type(f->shell, E "d");
	assert_ends(f, 0);
	pid_t supervisor = status_pid("supervisor_pid"), qemu = status_pid("pid");
	assert_int_equal(call("log lab", &log), 0);
	kill(qemu, SIGKILL);
	wait_for_end(supervisor);
	assert_null(strstr(f->shell->screen->str, "signal 9"));
}

static void test_stop(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	shell_type(f->shell, E "s");
	expect_screen(f, "\nhailo-vm-run: asking VM 'lab' to power down; it has 30 s\n");
	expect_screen(f, "guest: powers down\n");
	assert_ends(f, 0);
	assert_runs(FALSE);
}

static void test_reboot(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	shell_type(f->shell, E "r");
	expect_screen(f, "\nhailo-vm-run: asking VM 'lab' to reboot\n");
	expect_screen(f, "guest: boots anew\n");
	assert_runs(TRUE);
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
}

/* A QEMU that does not end is killed by the second q, also where the supervisor is stopped. */
static void test_quit_harder(void **state)
{
	Fixture *f = *state;

	start(f, "deaf");
	kill(status_pid("supervisor_pid"), SIGSTOP);
	shell_type(f->shell, E "q");
	expect_screen(f, "ending VM 'lab'; Ctrl-] q once more kills its QEMU\n");
	expect_screen(f, "qemu: stays\n");
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
	assert_runs(FALSE);
}

/* Each goes to the supervisor, whose exit status is the front's. */
static void test_signals(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		Fixture *f = *state;
		start(f, "guest");
		kill(shell_number(f->shell->said, "job "), numbers[i]);
		expect_screen(f, "asking the guest to power down; once more to hurry\n");
		assert_ends(f, 128 + numbers[i]);
		assert_runs(FALSE);
		teardown(state);
		setup(state);
	}
}

/* Nobody has left it, but nobody has ended it either. */
static void test_front_killed(void **state)
{
	Fixture *f = *state;
	g_autofree char *log = NULL;

	start(f, "guest");
	pid_t supervisor = status_pid("supervisor_pid");
	kill(shell_number(f->shell->said, "job "), SIGKILL);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "status 1009");
	assert_runs(TRUE);
	assert_int_equal(call("stop lab", NULL), 0);
	wait_for_end(supervisor);
	assert_runs(FALSE);
}

/* Stopped by what cannot be caught; meanwhile others ask the supervisor, which answers. */
static void test_front_stopped(void **state)
{
	Fixture *f = *state;
	static const int numbers[] = { SIGSTOP, SIGTSTP };

	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		f = *state;
		start(f, "guest");
		kill(shell_number(f->shell->said, "job "), numbers[i]);
		shell_expect(f->shell, f->shell->said, "stopped by");
		assert_runs(TRUE);
		assert_int_equal(call("stop lab", NULL), 0);
		assert_runs(FALSE);
		shell_bring_to_front(f->shell);
		assert_ends(f, 0);
		assert_non_null(strstr(f->shell->screen->str, "guest: powers down\n"));
		teardown(state);
		setup(state);
	}
}

/* On the serial port's socket: has the guest say more than is held anywhere, and types on until it
 * answers, which it does when somebody has taken all that. An answer may be among what is left out
 * for us, so another key is typed whenever nothing comes. */
static void flood_until_answered(void)
{
	g_autoptr(GString) heard = g_string_new(NULL);
	g_auto(HvrFd) folder =
		open("/run/hailo-vm-run/vms/lab", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_auto(HvrFd) port = hvr_qmp_connect(folder, "serial.sock", NULL);
	struct pollfd more = { .fd = port, .events = POLLIN };
	gint64 end_us = g_get_monotonic_time() + WAIT_MS * G_TIME_SPAN_MILLISECOND;
	char bytes[4096];

	assert_int_equal(write(port, "f", 1), 1);
	while (!strstr(heard->str, "got 'k")) {
		if (g_get_monotonic_time() > end_us)
			fail_msg("the guest does not answer: it is held up");
		if (poll(&more, 1, 200) == 0)
			assert_int_equal(write(port, "k", 1), 1);
		g_string_erase(heard, 0, (gssize)(heard->len - MIN(heard->len, 8)));
		ssize_t n = recv(port, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			g_string_append_len(heard, bytes, n);
	}
}

/* One that stays stopped holds the guest up for some seconds only; and when it goes on it is told
 * what it has missed. */
static void test_front_stays_stopped(void **state)
{
	Fixture *f = *state;

	start(f, "floods");
	kill(shell_number(f->shell->said, "job "), SIGSTOP);
	shell_expect(f->shell, f->shell->said, "stopped by");
	flood_until_answered();
	shell_bring_to_front(f->shell);
	expect_screen(f, " bytes left out]\n");
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
}

/* In the background nothing is read; in front it is, and the keys are there. */
static void test_background(void **state)
{
	Fixture *f = *state;

	start_job(f, "guest", (ShellJob){ .background = TRUE });
	expect_screen(f, "guest: login: ");
	assert_false(shell_is_raw(f->shell));
	shell_bring_to_front(f->shell);
	shell_type(f->shell, "k");
	expect_screen(f, "got 'k'");
	shell_type(f->shell, E "q");
	assert_ends(f, 0);
}

/* The window is closed: as ever, the VM ends. */
static void test_hang_up(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	pid_t supervisor = status_pid("supervisor_pid");
	shell_hang_up(f->shell);
	wait_for_end(supervisor);
	assert_runs(FALSE);
}

/* A supervisor that is killed has said nothing; the terminal is the shell's. */
static void test_supervisor_killed(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	kill(status_pid("supervisor_pid"), SIGKILL);
	expect_screen(f, "the supervisor of VM 'lab' was ended by signal 9 (Killed)\n");
	assert_ends(f, 137);
}

/* Until QEMU answers the keys are the terminal's, so Ctrl-C is a signal. */
static void test_interrupted(void **state)
{
	Fixture *f = *state;

	start_job(f, "mute", (ShellJob){ 0 });
	expect_screen(f, "qemu: pins memory\n");
	assert_false(shell_is_raw(f->shell));
	shell_type(f->shell, "\x03");
	expect_screen(f, "once more to hurry\n");
	shell_type(f->shell, "\x03");
	expect_screen(f, "hurrying\n");
	shell_type(f->shell, "\x03");
	assert_ends(f, 130);
	assert_runs(FALSE);
}

/* What it said all the same is shown. */
static void test_failed(void **state)
{
	Fixture *f = *state;

	start_job(f, "fails", (ShellJob){ 0 });
	assert_ends(f, 69);
	assert_non_null(strstr(f->shell->screen->str, "guest: no firmware\n"));
	assert_runs(FALSE);
}

/* One that is stopped hears them, too: it would keep them. */
static void test_signal_when_stopped(void **state)
{
	Fixture *f = *state;

	start(f, "guest");
	kill(status_pid("supervisor_pid"), SIGSTOP);
	kill(shell_number(f->shell->said, "job "), SIGTERM);
	assert_ends(f, 143);
	assert_runs(FALSE);
}

/* A refusal is on the terminal, with the same status as without one. */
static void test_refused(void **state)
{
	static const char card[] = "[device npu]\naddress = 0000:ff:1f.7\n";
	Fixture *f = *state;
	g_autofree char *text = NULL;
	const ShellJob job = { .run = become_program, .data = PROGRAM " run /run/lab.ini" };

	write_profile(f, "guest", card);
	int status = call("run /run/lab.ini", &text);
	assert_int_not_equal(status, 0);
	shell_start(f->shell, &job);
	assert_ends(f, status);
	g_strdelimit(text, "\r", ' ');
	if (!strstr(f->shell->screen->str, text))
		fail_msg("expected:\n%s\nscreen:\n%s", text, f->shell->screen->str);
}

static void start_console(Fixture *f)
{
	const ShellJob job = { .run = become_program, .data = PROGRAM " console lab" };

	shell_free(f->shell);
	f->shell = shell_new();
	shell_start(f->shell, &job);
	expect_screen(
		f, "hailo-vm-run: the serial port of VM 'lab'; Ctrl-] then d leaves, ? for help\n");
	expect_screen(f, "guest: login: ");
}

/* The same keys, but that both d and q leave, and that a VM's end is not in them. */
static void test_console(void **state)
{
	static const char *const leaves[] = { E "dlost", E "q" };
	Fixture *f = *state;

	write_profile(f, "console", "[serial]\nmode = socket\n");
	assert_int_equal(call("run --detach /run/lab.ini", NULL), 0);
	for (guint i = 0; i < G_N_ELEMENTS(leaves); i++) {
		start_console(f);
		shell_type(f->shell, E "?");
		expect_screen(f, "\nhailo-vm-run: Ctrl-] then d or q: leave the console;");
		shell_type(f->shell, E E "k");
		expect_screen(f, "got '\\035k'");
		shell_type(f->shell, leaves[i]);
		assert_ends(f, 0);
		expect_screen(f, "left the console; VM 'lab' goes on\n");
		assert_null(strstr(f->shell->screen->str, "lost"));
		assert_runs(TRUE);
	}
	start_console(f);
	shell_type(f->shell, E "r");
	expect_screen(f, "guest: boots anew\n");
	shell_type(f->shell, E "s");
	expect_screen(f, "asking VM 'lab' to power down; it has 30 s\n");
	assert_ends(f, 0);
	expect_screen(f, " ended");
	assert_runs(FALSE);
}

/* Without a terminal there is one process. */
static void test_no_terminal(void **state)
{
	Fixture *f = *state;
	int input[2], output[2];
	g_autoptr(GString) screen = g_string_new(NULL);
	char byte;

	write_profile(f, "guest", "");
	assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		become_program(PROGRAM " run /run/lab.ini");
	}
	close(output[1]);
	while (!strstr(screen->str, "login: ") && read(output[0], &byte, 1) == 1)
		g_string_append_c(screen, byte);
	assert_string_equal(screen->str, "guest: login: ");
	assert_int_equal(status_pid("supervisor_pid"), pid);
	assert_int_equal(write(input[1], E "q", 2), 2);
	while (!strstr(screen->str, "q'") && read(output[0], &byte, 1) == 1)
		g_string_append_c(screen, byte);
	assert_string_equal(screen->str, "guest: login: got '\\035q'");
	assert_int_equal(call("stop lab", NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(input[0]);
	close(input[1]);
	close(output[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(announced),
		TEST(guests_keys),
		TEST(help),
		TEST(left),
		TEST(log_when_left),
		TEST(front_stays_stopped),
		TEST(stop),
		TEST(reboot),
		TEST(quit_harder),
		TEST(signals),
		TEST(front_killed),
		TEST(front_stopped),
		TEST(background),
		TEST(hang_up),
		TEST(supervisor_killed),
		TEST(interrupted),
		TEST(console),
		TEST(failed),
		TEST(signal_when_stopped),
		TEST(refused),
		TEST(no_terminal),
	};
	const char *last = argv[argc - 1];

	if (g_str_has_prefix(last, PLAY))
		return play(last + strlen(PLAY), argv);
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
