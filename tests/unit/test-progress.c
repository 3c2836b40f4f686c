/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress, at a real terminal of 80 columns and off it: what is shown, and what is left of it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "launcher/report/text.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define CLEAR "\r\033[K"

/* What a command does, and where its standard error is. */
typedef struct {
	void (*speak)(void);
	const char *term; /* TERM */
	unsigned short columns;
} How;

/* Until so many lines have been painted. */
static void ticks(guint n)
{
	for (guint i = 0; i < n; i++) {
		gint64 due_us = hvr_progress_turn();
		while (hvr_progress_turn() == due_us)
			g_main_context_iteration(NULL, TRUE);
	}
}

static void stop_lab(void)
{
	const HvrProgressStage button = { .text = "power button",
					  .limit_ms = 25000,
					  .then = "then quit" };
	const HvrProgressStage quit = { .text = "QEMU's quit", .limit_ms = 5000 };

	hvr_progress_begin("stop lab");
	hvr_progress_stage(&button);
	ticks(2);
	hvr_message("somebody speaks");
	hvr_progress_stage(&quit);
	hvr_progress_end();
	hvr_message("VM 'lab' has ended: powered off in 2 s");
}

static void be_quick(void)
{
	const HvrProgressStage stage = { .text = "power button", .limit_ms = 25000 };

	hvr_progress_begin("stop lab");
	hvr_progress_stage(&stage);
	hvr_progress_end();
	hvr_message("done");
}

static void boot(void)
{
	const HvrProgressStage stage = { .text = "booting" };

	hvr_progress_begin("VM 'lab'");
	hvr_progress_stage(&stage);
	hvr_progress_detail("\033[31m[  OK  ]\033[0m Reached target \a"
			    "0123456789012345678901234567890123456789");
	ticks(1);
	hvr_progress_end();
}

static void wait_without_loop(void)
{
	hvr_progress_begin("waiting for a card");
	gint64 begin_us = g_get_monotonic_time(), due_us = hvr_progress_turn();
	assert_true(due_us > begin_us && due_us <= begin_us + 1100000);
	g_usleep((gulong)(due_us - begin_us)); /* as a poll(2) that times out */
	assert_true(hvr_progress_turn() > due_us);
	hvr_progress_end();
	assert_int_equal(hvr_progress_turn(), 0);
}

static void several(void)
{
	hvr_progress_plain();
	stop_lab();
}

static void run_child(const How *how, int error)
{
	alarm(30);
	if (how->term)
		g_setenv("TERM", how->term, TRUE);
	else
		g_unsetenv("TERM");
	dup2(error, STDERR_FILENO);
	how->speak();
	_exit(0);
}

/* A machine with much to do paints late. [transfer full] */
static char *without_seconds(const char *text)
{
	g_autoptr(GRegex) digits = g_regex_new(", [0-9]( s|( of))", 0, 0, NULL);

	return g_regex_replace(digits, text, -1, 0, ", N\\1", 0, NULL);
}

/* What a terminal gets, but for the seconds. [transfer full] */
static char *at_terminal(const How *how)
{
	struct winsize size = { .ws_row = 24, .ws_col = how->columns };
	char bytes[4096];
	ssize_t n;
	int status = 0;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int side = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	pid_t pid = fork();
	if (pid == 0)
		run_child(how, side);
	close(side);
	GString *screen = g_string_new(NULL);
	while ((n = read(master, bytes, sizeof(bytes))) > 0)
		g_string_append_len(screen, bytes, n);
	close(master);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	g_autofree char *text = g_string_free(screen, FALSE);
	return without_seconds(text);
}

/* What a pipe gets. [transfer full] */
static char *off_terminal(const How *how)
{
	int ends[2], status = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		run_child(how, ends[1]);
	close(ends[1]);
	char *text = pipe_read(ends[0]);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

/* Painted once a second, gone before a message and at the end; the messages are whole. */
static void test_live(void **state)
{
	const How how = { stop_lab, "xterm", 80 };
	g_autofree char *screen = at_terminal(&how);

	assert_string_equal(screen,
			    CLEAR "stop lab: power button, N of 25 s; then quit\r" CLEAR
				  "stop lab: power button, N of 25 s; then quit\r" CLEAR
				  "hailo-vm-run: somebody speaks\r\n" CLEAR
				  "stop lab: QEMU's quit, N of 5 s\r" CLEAR
				  "hailo-vm-run: VM 'lab' has ended: powered off in 2 s\r\n");
}

/* Words of others do nothing to the terminal, and no line is longer than it. */
static void test_width(void **state)
{
	const How how = { boot, "xterm", 80 };
	const How narrow = { boot, "xterm", 20 };
	const How unknown = { boot, "xterm", 0 };
	g_autofree char *screen = at_terminal(&how);
	g_autofree char *cut = at_terminal(&narrow);
	g_autofree char *usual = at_terminal(&unknown);

	assert_string_equal(screen, CLEAR "VM 'lab': booting, N s | \\x1b[31m[  OK  ]\\x1b[0m "
					  "Reached target \\x0701234567890\r" CLEAR);
	assert_string_equal(cut, CLEAR "VM 'lab': booting, \r" CLEAR);
	assert_string_equal(usual, screen);
}

/* Off a terminal: a message for each stage, and nothing that moves a cursor. */
static void test_plain(void **state)
{
	static const char wanted[] =
		"hailo-vm-run: stop lab: power button, for at most 25 s; then quit\n"
		"hailo-vm-run: somebody speaks\n"
		"hailo-vm-run: stop lab: QEMU's quit, for at most 5 s\n"
		"hailo-vm-run: VM 'lab' has ended: powered off in 2 s\n";
	const How pipe = { stop_lab, "xterm", 80 }, dumb = { stop_lab, "dumb", 80 };
	const How none = { stop_lab, NULL, 80 }, many = { several, "xterm", 80 };
	const How *terminals[] = { &dumb, &none, &many };
	g_autofree char *text = off_terminal(&pipe);

	assert_string_equal(text, wanted);
	for (guint i = 0; i < G_N_ELEMENTS(terminals); i++) {
		g_autofree char *screen = at_terminal(terminals[i]);
		g_auto(GStrv) lines = g_strsplit(screen, "\r\n", -1);
		g_autofree char *joined = g_strjoinv("\n", lines);
		assert_string_equal(joined, wanted);
	}
}

/* What is over within a second says nothing, wherever. */
static void test_quick(void **state)
{
	const How how = { be_quick, "xterm", 80 };
	g_autofree char *screen = at_terminal(&how);
	g_autofree char *text = off_terminal(&how);

	assert_string_equal(screen, "hailo-vm-run: done\r\n");
	assert_string_equal(text, "hailo-vm-run: done\n");
}

static void test_without_loop(void **state)
{
	const How how = { wait_without_loop, "xterm", 80 };
	g_autofree char *screen = at_terminal(&how);

	assert_string_equal(screen, CLEAR "waiting for a card, N s\r" CLEAR);
}

/* As people say it. */
static void test_time(void **state)
{
	static const struct {
		guint64 ms;
		const char *text;
	} cases[] = { { 0, "0 s" },
		      { 400, "0.4 s" },
		      { 1000, "1 s" },
		      { 7600, "8 s" },
		      { 59499, "59 s" },
		      { 59500, "1 min" },
		      { 125000, "2 min 5 s" },
		      { 86400000, "1440 min" } };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = hvr_text_time(cases[i].ms);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),	     cmocka_unit_test(test_width),
		cmocka_unit_test(test_plain),	     cmocka_unit_test(test_quick),
		cmocka_unit_test(test_without_loop), cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
