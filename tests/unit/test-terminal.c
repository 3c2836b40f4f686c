/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compromised QEMU and the terminal of root.
 *
 * The terminal, the shell on it and its jobs are real (shell.h). The launcher is hvr_run() on a
 * fake machine without cards. QEMU is a copy of this program, which plays what the profile's [qemu]
 * args name.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/log-file.h"
#include "launcher/report/message.h"
#include "launcher/session/run.h"
#include "tests/unit/pipe.h"
#include "tests/unit/scenarios.h"
#include "tests/unit/shell.h"
#include "vfio/fd.h"

#define SKIP	77
#define PLAY	"play-"
#define KEYS	"evil\n"
#define N_LINES 131072 /* of 8 bytes: 1 MiB */

/* What a VM that has ended has left. */
#define LEFT "run/hailo-vm-run/ended/lab/"

/* What a user starts. */
typedef struct {
	const char *serial; /* its mode */
	const char *play;
	gboolean exec;
	gboolean background;
	gboolean leader; /* the launcher itself leads the session, as after `exec` in a shell */
} Job;

typedef struct {
	Machine *machine;
	char *folder, *copy; /* of this program */
	Shell *shell;
} Fixture;

/* The stand-in's side. */

static void push_keys(int fd)
{
	int pushed = 0;

	ioctl(fd, TIOCSCTTY, 0);
	for (const char *key = KEYS; *key; key++)
		pushed += ioctl(fd, TIOCSTI, key) == 0;
	fprintf(stderr, "attack: %d pushed %d\n", fd, pushed);
}

static void read_keys(int fd)
{
	char keys[64];

	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t n = read(fd, keys, sizeof(keys));
	fprintf(stderr, "attack: %d read %d\n", fd, (int)MAX(n, 0));
	fcntl(fd, F_SETFL, 0);
}

static int attack(void)
{
	int terminal = open("/dev/tty", O_RDWR);

	for (int fd = 0; fd < 3; fd++) {
		push_keys(fd);
		read_keys(fd);
	}
	fprintf(stderr, "attack: /dev/tty %s\n", terminal < 0 ? "is not there" : "opened");
	if (terminal >= 0)
		push_keys(terminal);
	fprintf(stderr, "attack: over\n");
	return 0;
}

/* Our end of the serial port, by the command line: as QEMU does with wait=on. */
static int find_serial(char **argv)
{
	static const char option[] = "socket,id=hvr-console,fd=";

	for (; *argv; argv++)
		if (g_str_has_prefix(*argv, option))
			return accept4(atoi(*argv + strlen(option)), NULL, NULL, SOCK_CLOEXEC);
	return STDIN_FILENO;
}

/* Goes on until somebody kills it, and tells what the guest would get. */
static int wait_for_keys(int serial)
{
	char keys[64];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++)
		if (fd != serial)
			close(fd);
	fprintf(stderr, "here %d\n", (int)getpid());
	while ((n = read(serial, keys, sizeof(keys))) > 0)
		fprintf(stderr, "got %.*s\n", (int)n, keys);
	pause();
	return 0;
}

static char *many_lines(void)
{
	GString *lines = g_string_sized_new(N_LINES * 8);

	for (guint i = 0; i < N_LINES; i++)
		g_string_append_printf(lines, "%07u\n", i);
	return g_string_free(lines, FALSE);
}

static int print_lines(int serial)
{
	g_autofree char *lines = many_lines();

	return !hvr_fd_write_all(serial, lines, strlen(lines));
}

static int copy_input(void)
{
	g_autofree char *text = pipe_read(STDIN_FILENO);

	return !hvr_fd_write_all(STDOUT_FILENO, text, strlen(text));
}

static int play(const char *what, char **argv)
{
	if (g_str_equal(what, "attack"))
		return attack();
	if (g_str_equal(what, "print"))
		return print_lines(find_serial(argv));
	if (g_str_equal(what, "copy"))
		return copy_input();
	return wait_for_keys(find_serial(argv));
}

/* The user's side. */

static HvrProfile *make_profile(const Fixture *f, const Job *job)
{
	g_autofree char *text = g_strdup_printf(
		"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[serial]\nmode = %s\n"
		"[security]\nuser = nobody\n[qemu]\nbinary = %s\nargs = " PLAY "%s\n",
		job->serial, f->copy, job->play);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/tmp/lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		g_error("%s", error->message);
	return profile;
}

static G_NORETURN void be_launcher(const Fixture *f, const Job *job)
{
	HvrContext context = machine_context(f->machine);
	HvrRunOptions how = { .mode = job->exec ? HVR_RUN_EXEC : HVR_RUN_SUPERVISE,
			      .ready_fd = -1 };
	g_autoptr(GError) error = NULL;

	hvr_interrupt_init();
	machine_show_process(f->machine, getpid());
	hvr_run(&context, make_profile(f, job), &how, &error);
	if (error)
		hvr_message_error(error);
	if (hvr_interrupt_pending())
		_exit(128 + hvr_interrupt_pending());
	_exit(error ? hvr_exit_status(error) : 0);
}

typedef struct {
	const Fixture *f;
	const Job *job;
} Launch;

static void launch(gconstpointer data)
{
	const Launch *launch = data;

	be_launcher(launch->f, launch->job);
}

/* The shell is forked before this returns. */
static void start(Fixture *f, const Job *job)
{
	const Launch data = { .f = f, .job = job };
	const ShellJob shell_job = {
		.run = launch, .data = &data, .background = job->background, .leader = job->leader
	};

	shell_start(f->shell, &shell_job);
}

/* There is no card. */
static void build_nothing(FakeSysfs *fs)
{
}

static int setup(void **state)
{
	static const Scenario none = { .name = "none", .build = build_nothing, .profile = "" };
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *bytes = NULL;
	gsize length;

	f->shell = shell_new();
	f->folder = g_dir_make_tmp("hvr-terminal-XXXXXX", NULL);
	f->copy = g_build_filename(f->folder, "qemu", NULL);
	f->machine = machine_new(&none);
	*state = f;
	return !g_file_get_contents("/proc/self/exe", &bytes, &length, NULL) ||
	       !g_file_set_contents(f->copy, bytes, (gssize)length, NULL) ||
	       chmod(f->copy, 0755) < 0 || chmod(f->folder, 0755) < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	shell_free(f->shell);
	machine_free(f->machine);
	unlink(f->copy);
	rmdir(f->folder);
	g_free(f->copy);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* What every attack comes to: nothing. @status: what the job says, whose QEMU is no VM */
static void assert_harmless(Fixture *f, const char *input, const char *status)
{
	shell_expect(f->shell, NULL, NULL);
	if (!strstr(f->shell->screen->str, "attack: over"))
		fail_msg("there was no attack:\n%s", f->shell->screen->str);
	for (int fd = 0; fd < 3; fd++) {
		g_autofree char *pushed = g_strdup_printf("attack: %d pushed 0\n", fd);
		g_autofree char *read_none = g_strdup_printf("attack: %d read 0\n", fd);
		if (!strstr(f->shell->screen->str, pushed) ||
		    !strstr(f->shell->screen->str, read_none))
			fail_msg("an attack succeeded:\n%s", f->shell->screen->str);
	}
	if (!strstr(f->shell->screen->str, "attack: /dev/tty is not there"))
		fail_msg("there is a terminal:\n%s", f->shell->screen->str);
	if (input) {
		shell_assert_said(f->shell, input);
		shell_assert_said(f->shell, status);
		shell_assert_said(f->shell, "terminal same");
	}
}

/* Keys for root's shell, pushed into the terminal by a QEMU whose guest talks to it. */
static void test_pushed_keys(void **state)
{
	const Job job = { .serial = "stdio", .play = "attack" };

	start(*state, &job);
	assert_harmless(*state, "input ''", "status 69");
}

/* Keys of root, read by a QEMU that runs in the background and has no need of a terminal. */
static void test_read_keys(void **state)
{
	const Job job = { .serial = "none", .play = "attack", .background = TRUE };
	const Job front = { .serial = "none", .play = "attack" };
	Fixture *f = *state;

	start(f, &job);
	shell_type(f->shell, "secret\n");
	assert_harmless(f, "input 'secret\\n'", "status 69");
	teardown(state);
	setup(state);
	start(*state, &front);
	shell_type(((Fixture *)*state)->shell, "secret\n");
	assert_harmless(*state, "input 'secret\\n'", "status 69");
}

/* The same by a QEMU that the launcher has become: as a job of a shell, and in place of it, where
 * giving up the terminal must not end it. */
static void test_keys_with_exec(void **state)
{
	const Job job = { .serial = "none", .play = "attack", .exec = TRUE };
	const Job leader = { .serial = "none", .play = "attack", .exec = TRUE, .leader = TRUE };

	start(*state, &job);
	shell_type(((Fixture *)*state)->shell, "secret\n");
	assert_harmless(*state, "input 'secret\\n'", "status 0");
	teardown(state);
	setup(state);
	start(*state, &leader);
	assert_harmless(*state, NULL, NULL);
}

/* Nobody would relay: root's terminal is not for QEMU. */
static void test_exec_refused(void **state)
{
	const Job job = { .serial = "stdio", .play = "attack", .exec = TRUE };
	Fixture *f = *state;

	start(f, &job);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "status 64");
	assert_null(strstr(f->shell->screen->str, "attack:"));
	assert_non_null(strstr(f->shell->screen->str, "would give root's terminal to QEMU"));
}

/* Pipes are no terminal. */
static void test_exec_with_pipes(void **state)
{
	const Job job = { .serial = "stdio", .play = "copy", .exec = TRUE };
	Fixture *f = *state;
	int input[2], output[2];

	assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
	f->shell->pid = fork();
	if (f->shell->pid == 0) {
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		be_launcher(f, &job);
	}
	close(input[0]);
	close(output[1]);
	assert_int_equal(write(input[1], "hello", 5), 5);
	close(input[1]);
	g_autofree char *text = pipe_read(output[0]);
	close(output[0]);
	assert_string_equal(text, "hello");
}

/* QEMU is killed: the terminal was raw, and is as it was. */
static void test_killed(void **state)
{
	const Job job = { .serial = "stdio", .play = "wait" };
	Fixture *f = *state;

	start(f, &job);
	shell_expect(f->shell, f->shell->screen, "here ");
	shell_expect(f->shell, f->shell->screen, "\n");
	assert_true(shell_is_raw(f->shell));
	assert_int_equal(kill(shell_number(f->shell->screen, "here "), SIGKILL), 0);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "terminal same");
	shell_assert_said(f->shell, "status 69");
}

/* The launcher is ended: the same. */
static void test_terminated(void **state)
{
	const Job job = { .serial = "stdio", .play = "wait" };
	Fixture *f = *state;

	start(f, &job);
	shell_expect(f->shell, f->shell->said, "job ");
	shell_expect(f->shell, f->shell->screen, "here ");
	assert_true(shell_is_raw(f->shell));
	pid_t launcher = shell_number(f->shell->said, "job ");
	kill(launcher, SIGTERM);
	shell_expect(f->shell, f->shell->screen, "once more to hurry");
	kill(launcher, SIGTERM);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "terminal same");
	shell_assert_said(f->shell, "status 143");
}

/* The launcher is stopped, and goes on: meanwhile the shell has a terminal to work with. */
static void test_stopped(void **state)
{
	const Job job = { .serial = "stdio", .play = "wait" };
	Fixture *f = *state;
	g_autofree char *stopped = g_strdup_printf("terminal same\nstopped by %d\n", SIGTSTP);

	start(f, &job);
	shell_expect(f->shell, f->shell->said, "job ");
	shell_expect(f->shell, f->shell->screen, "here ");
	kill(shell_number(f->shell->said, "job "), SIGTSTP);
	shell_expect(f->shell, f->shell->said, stopped);
	shell_type(f->shell, "k"); /* without its newline it comes through a raw terminal only */
	shell_expect(f->shell, f->shell->screen, "got k");
	assert_true(shell_is_raw(f->shell));
	kill(shell_number(f->shell->screen, "here "), SIGKILL);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "status 69");
}

/* In the background nothing is read, changed or stopped; in front, it is the guest's terminal. */
static void test_background(void **state)
{
	const Job job = { .serial = "stdio", .play = "wait", .background = TRUE };
	Fixture *f = *state;

	start(f, &job);
	shell_expect(f->shell, f->shell->screen, "here ");
	assert_false(shell_is_raw(f->shell));
	assert_null(strstr(f->shell->said->str, "stopped"));
	shell_bring_to_front(f->shell);
	shell_type(f->shell, "k");
	shell_expect(f->shell, f->shell->screen, "got k");
	assert_true(shell_is_raw(f->shell));
	kill(shell_number(f->shell->screen, "here "), SIGKILL);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "terminal same");
	shell_assert_said(f->shell, "status 69");
}

/* What was said in the foreground is there afterwards: QEMU's words, and ours to the very last. */
static void test_recorded(void **state)
{
	const Job job = { .serial = "stdio", .play = "wait" };
	Fixture *f = *state;

	start(f, &job);
	shell_expect(f->shell, f->shell->screen, "here ");
	shell_expect(f->shell, f->shell->screen, "\n");
	kill(shell_number(f->shell->screen, "here "), SIGKILL);
	shell_expect(f->shell, NULL, NULL);
	g_autofree char *messages = fake_sysfs_text(f->machine->fs, LEFT "messages.log");
	g_autofree char *record = fake_sysfs_text(f->machine->fs, LEFT "ended.ini");
	assert_non_null(messages);
	assert_non_null(strstr(messages, "here "));
	assert_non_null(strstr(messages, "hailo-vm-run: QEMU was ended by signal 9"));
	assert_non_null(strstr(record, "why=QEMU was ended by signal 9"));
	assert_non_null(strstr(record, "status=69"));
}

/* All that a guest prints comes out, though the terminal is slower, and also what came last. */
static void test_printed(void **state)
{
	const Job job = { .serial = "stdio", .play = "print" };
	Fixture *f = *state;
	g_autofree char *lines = many_lines();

	start(f, &job);
	shell_expect(f->shell, NULL, NULL);
	shell_assert_said(f->shell, "status 69");
	assert_non_null(strstr(f->shell->screen->str, lines));
	/* its begin, up to where the middle was taken out */
	g_autofree char *recorded = fake_sysfs_text(f->machine->fs, LEFT "serial.log");
	assert_true(recorded && strlen(recorded) >= HVR_LOG_BEGIN_BYTES);
	assert_true(g_str_has_prefix(lines, recorded));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pushed_keys),	 TEST(test_read_keys),	     TEST(test_keys_with_exec),
		TEST(test_exec_refused), TEST(test_exec_with_pipes), TEST(test_killed),
		TEST(test_terminated),	 TEST(test_stopped),	     TEST(test_background),
		TEST(test_printed),	 TEST(test_recorded),
	};
	const char *last = argv[argc - 1];

	if (g_str_has_prefix(last, PLAY))
		return play(last + strlen(PLAY), argv);
	if (geteuid() != 0) /* cannot become somebody else */
		return SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
