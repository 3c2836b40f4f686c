/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work in a process of its own: its end is told once, whatever it is, and nothing of it is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/process/worker.h"
#include "launcher/report/error.h"
#include "vfio/error.h"
#include "vfio/fd.h"

/* What a work has to do with, and what it came to. */
typedef struct {
	int go[2];	/* the work waits for a byte from here, */
	int reached[2]; /* and says here that it has begun */
	int seen;	/* changed by the work, in its own memory */
	guint told;
	GError *error;
} Case;

static Case *case_new(void)
{
	Case *this = g_new0(Case, 1);

	assert_int_equal(pipe2(this->go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(this->reached, O_CLOEXEC), 0);
	return this;
}

static void case_free(Case *this)
{
	for (guint i = 0; i < 2; i++) {
		close(this->go[i]);
		close(this->reached[i]);
	}
	g_clear_error(&this->error);
	g_free(this);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, case_free)

static void on_done(const GError *error, gpointer data)
{
	Case *this = data;

	this->told++;
	this->error = error ? g_error_copy(error) : NULL;
}

/* Until it has been told, and a little longer; no child is left. */
static void wait_told(Case *this)
{
	while (!this->told)
		g_main_context_iteration(NULL, TRUE);
	while (g_main_context_iteration(NULL, FALSE))
		;
	assert_int_equal(this->told, 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void wait_reached(const Case *this, gpointer out, gsize size)
{
	assert_int_equal(read(this->reached[0], out, size), (ssize_t)size);
}

/* Says its pid, and goes on when it is let go. */
static gboolean wait_for_go(Case *this)
{
	pid_t self = getpid();
	char byte;

	return write(this->reached[1], &self, sizeof(self)) == sizeof(self) &&
	       read(this->go[0], &byte, 1) == 1;
}

static gboolean do_well(gpointer data, GError **error)
{
	((Case *)data)->seen = 7;
	return wait_for_go(data);
}

/* While it works the main loop goes on; what it did to memory is its own. */
static void test_well(void **state)
{
	g_autoptr(Case) this = case_new();
	pid_t worker = 0;

	hvr_worker_start(g_strdup("working"), do_well, on_done, this);
	wait_reached(this, &worker, sizeof(worker));
	assert_int_not_equal(worker, getpid());
	while (g_main_context_iteration(NULL, FALSE))
		;
	assert_int_equal(this->told, 0);
	assert_int_equal(write(this->go[1], "", 1), 1);
	wait_told(this);
	assert_null(this->error);
	assert_int_equal(this->seen, 0);
}

static gboolean fail_with_hint(gpointer data, GError **error)
{
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT, "it hangs");
	hvr_error_hint(error, "%*d", *(int *)data, 1);
	return FALSE;
}

static void note_error(const GError *error, gpointer data)
{
	if (error)
		*(int *)data = g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT) &&
					       g_str_has_prefix(error->message, "it hangs\n ") &&
					       g_str_has_suffix(error->message, " 1")
				       ? -1
				       : -2;
}

/* An error comes out as it was: domain, code, and a message with its hint, of any length. */
static void test_error(void **state)
{
	int length = 1000000; /* more than a pipe takes */

	hvr_worker_start(g_strdup("working"), fail_with_hint, note_error, &length);
	while (length > 0)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(length, -1);
}

static gboolean kill_itself(gpointer data, GError **error)
{
	kill(getpid(), SIGKILL);
	return TRUE;
}

static gboolean leave(gpointer data, GError **error)
{
	_exit(3);
}

/* One that is killed, or leaves, has not done it. */
static void test_killed(void **state)
{
	static const struct {
		HvrWork work;
		const char *message;
	} cases[] = {
		{ kill_itself, "working: its process was ended (signal 9)" },
		{ leave, "working: its process was ended (status 3)" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Case) this = case_new();
		hvr_worker_start(g_strdup("working"), cases[i].work, on_done, this);
		wait_told(this);
		assert_true(
			g_error_matches(this->error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL));
		assert_string_equal(this->error->message, cases[i].message);
	}
}

/* No descriptor for it, or no process: nothing is done, and that is told later as well. */
static void test_not_started(void **state)
{
	g_autoptr(Case) this = case_new();
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	HvrWorker *worker = hvr_worker_start(g_strdup("working"), do_well, on_done, this);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	hvr_worker_interrupt(worker);
	assert_int_equal(this->told, 0);
	wait_told(this);
	assert_string_equal(this->error->message,
			    "working: cannot make a process for it: Too many open files");
}

static gboolean wait_for_signal(gpointer data, GError **error)
{
	Case *this = data;
	pid_t self = getpid();
	gboolean told = write(this->reached[1], &self, sizeof(self)) == sizeof(self);

	while (told && hvr_interrupt_check(error))
		g_usleep(1000);
	return FALSE;
}

/* It stops where it asks whether to; that is nobody else's signal. */
static void test_interrupt(void **state)
{
	g_autoptr(Case) this = case_new();
	pid_t pid = 0;
	HvrWorker *worker = hvr_worker_start(g_strdup("working"), wait_for_signal, on_done, this);

	wait_reached(this, &pid, sizeof(pid));
	hvr_worker_interrupt(worker);
	wait_told(this);
	assert_string_equal(this->error->message, "interrupted by signal 15 (Terminated)");
	assert_true(hvr_interrupt_check(NULL));
	assert_int_equal(hvr_interrupt_pending(), 0);
}

/* Whoever is killed takes its worker along: its locks are free when both are gone. */
static void test_parent_killed(void **state)
{
	g_autoptr(Case) this = case_new();
	g_auto(HvrFd) ours = memfd_create("lock", MFD_CLOEXEC);
	g_autofree char *path = hvr_fd_path(ours, NULL);
	g_auto(HvrFd) theirs = open(path, O_RDWR | O_CLOEXEC);
	pid_t worker = 0, parent = fork();

	if (parent == 0) {
		close(ours);
		flock(theirs, LOCK_EX);
		hvr_worker_start(g_strdup("working"), do_well, on_done, this);
		for (;;)
			pause();
	}
	hvr_fd_close(g_steal_fd(&theirs));
	wait_reached(this, &worker, sizeof(worker));
	assert_int_equal(flock(ours, LOCK_EX | LOCK_NB), -1);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	alarm(20);
	assert_int_equal(flock(ours, LOCK_EX), 0);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),	  cmocka_unit_test(test_error),
		cmocka_unit_test(test_killed),	  cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_interrupt), cmocka_unit_test(test_parent_killed),
	};

	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
