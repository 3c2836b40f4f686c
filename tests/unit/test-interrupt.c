/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Termination signals as data: taken when they are asked for, and not before. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Before main() has said so there is nothing to take. */
static void test_before(void **state)
{
	assert_int_equal(hvr_interrupt_fd(), -1);
	assert_int_equal(hvr_interrupt_take(), 0);
	assert_true(hvr_interrupt_check(NULL));
}

/* Each of them waits until it is taken, ends nothing by itself, and is told as 75 with its name. */
static void test_check(void **state)
{
	hvr_interrupt_init();
	assert_true(hvr_interrupt_fd() >= 0);
	for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *wanted = g_strdup_printf("interrupted by signal %d (%s)",
							  signals[i], strsignal(signals[i]));
		hvr_interrupt_note(0);
		assert_true(hvr_interrupt_check(NULL));
		kill(getpid(), signals[i]);
		assert_int_equal(hvr_interrupt_pending(), 0);
		assert_false(hvr_interrupt_check(&error));
		assert_string_equal(error->message, wanted);
		assert_int_equal(hvr_exit_status(error), 75);
		assert_int_equal(hvr_interrupt_pending(), signals[i]);
		assert_true(hvr_interrupt_check(NULL));
		assert_false(hvr_interrupt_check_all(NULL));
	}
	hvr_interrupt_note(0);
	assert_true(hvr_interrupt_check_all(NULL));
}

/* Taken one by one; noted by nobody but who means it. */
static void test_take(void **state)
{
	hvr_interrupt_note(0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGINT);
	assert_int_equal(hvr_interrupt_take(), SIGINT); /* the kernel's order: lowest first */
	assert_int_equal(hvr_interrupt_take(), SIGTERM);
	assert_int_equal(hvr_interrupt_take(), 0);
	assert_int_equal(hvr_interrupt_pending(), 0);
}

/* For a command with nothing to put right they end it as they always did. */
static void test_default(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		hvr_interrupt_default();
		kill(getpid(), SIGTERM);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* A pipe that nobody reads is an error of the write, and not the end. */
static void test_sigpipe(void **state)
{
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	assert_int_equal(write(pipes[1], "x", 1), -1);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before),	cmocka_unit_test(test_check),
		cmocka_unit_test(test_take),	cmocka_unit_test(test_default),
		cmocka_unit_test(test_sigpipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
