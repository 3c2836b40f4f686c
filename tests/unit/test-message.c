/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, and a standard error that nobody reads: whoever speaks goes on. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/debug.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* Standard error is @fd while @speak runs, in a process that an alarm ends if it blocks. */
static int speak_to(int fd, void (*speak)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		alarm(20);
		dup2(fd, STDERR_FILENO);
		speak();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void say_one(void)
{
	hvr_message("%s is %d", "one", 1);
}

static void say_much(void)
{
	g_autofree char *much = g_strnfill(100000, 'x');

	hvr_message_bytes(much, strlen(much));
	for (guint i = 0; i < 1000; i++)
		hvr_message("message %u", i);
}

static void test_line(void **state)
{
	int ends[2];
	char text[64] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	g_auto(HvrFd) reader = ends[0];
	g_auto(HvrFd) writer = ends[1];
	assert_int_equal(speak_to(writer, say_one), 0);
	assert_true(read(reader, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "hailo-vm-run: one is 1\n");
}

static void say_raw(void)
{
	hvr_message_raw(TRUE);
	hvr_message("one");
	hvr_message_beside(' ');
	hvr_message_bytes("two\nthree\n", strlen("two\nthree\n"));
	hvr_message_bytes("", 0);
	hvr_message_beside('\n');
	hvr_message("four");
	hvr_message_raw(FALSE);
	hvr_message_beside(' ');
	hvr_message("five");
}

/* A terminal that is raw goes down for a newline and stays in its column; and somebody else may
 * have left it in the midst of a line. */
static void test_raw(void **state)
{
	int ends[2];
	char text[128] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	g_auto(HvrFd) reader = ends[0];
	g_auto(HvrFd) writer = ends[1];
	assert_int_equal(speak_to(writer, say_raw), 0);
	assert_true(read(reader, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "hailo-vm-run: one\r\n\r\ntwo\r\nthree\r\n"
				  "hailo-vm-run: four\r\nhailo-vm-run: five\n");
}

/* A full pipe takes nothing and holds nobody up. What it did take is whole. */
static void test_nobody_reads(void **state)
{
	int ends[2];
	char byte;
	gsize taken = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	g_auto(HvrFd) reader = ends[0];
	g_auto(HvrFd) writer = ends[1];
	assert_int_equal(speak_to(writer, say_much), 0);
	fcntl(reader, F_SETFL, O_NONBLOCK);
	while (read(reader, &byte, 1) == 1) {
		assert_int_equal(byte, 'x');
		taken++;
	}
	assert_true(taken > 0 && taken < 100000);
}

/* The reader is gone: no signal, no error. */
static void test_reader_gone(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	hvr_fd_close(ends[0]);
	g_auto(HvrFd) writer = ends[1];
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(speak_to(writer, say_much), 0);
}

static void debug_all(void)
{
	hvr_debug_init(TRUE);
	g_log_structured("hvr-vfio", G_LOG_LEVEL_DEBUG, "MESSAGE", "step: %s", "unbind");
	g_log_structured("GLib-GIO", G_LOG_LEVEL_DEBUG, "MESSAGE", "not ours");
}

static void debug_none(void)
{
	hvr_debug_init(FALSE);
	g_log_structured("hvr-vfio", G_LOG_LEVEL_DEBUG, "MESSAGE", "step: %s", "unbind");
}

/* --debug shows what is ours, and nothing of the libraries; without it there is nothing. */
static void test_debug(void **state)
{
	int ends[2];
	char text[128] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	g_auto(HvrFd) reader = ends[0];
	g_auto(HvrFd) writer = ends[1];
	assert_int_equal(speak_to(writer, debug_none), 0);
	assert_int_equal(speak_to(writer, debug_all), 0);
	assert_true(read(reader, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "hailo-vm-run: debug: step: unbind\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),	    cmocka_unit_test(test_raw),
		cmocka_unit_test(test_debug),	    cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
