/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks between processes: who has one keeps it for as long as any process has its descriptors,
 * the others are told who it is, and those who wait hear of its end however it comes.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define NAME "group-14"
#define PATH "run/hailo-vm-run/locks/" NAME
/* An event that must come comes at once; so long waits a test that would fail. */
#define LONG_US (20 * G_USEC_PER_SEC)

typedef struct {
	FakeSysfs *fs;
	HvrHost host; /* with the real /proc: locks are between real processes */
	int runtime;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->host = f->fs->host;
	f->host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	*state = f;
	return f->runtime < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->host.proc);
	hvr_fd_close(f->runtime);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static HvrLock *try(Fixture *f, const char *vm, GError **error)
{
	return hvr_lock_try(&f->host, f->runtime, NAME, vm, error);
}

/* For the lock @name, or another that nobody has, to become free. */
static gboolean wait_for(int watch, const char *name, gint64 timeout_us)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	g_ptr_array_add(names, (gpointer) "group-0");
	g_ptr_array_add(names, (gpointer)name);
	return hvr_lock_watch_wait(watch, names, g_get_monotonic_time() + timeout_us);
}

static gboolean is_held(Fixture *f)
{
	g_auto(HvrLockHolder) holder = { 0 };

	return hvr_lock_holder(&f->host, f->runtime, NAME, &holder);
}

/* A process that has whatever was open when it was made, until it is killed. */
static pid_t start_holder(void)
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

static void end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The second one is told who has it, by name and pid; and gets it when the first is done. */
static void test_exclusive(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *pid = g_strdup_printf("pid %d", (int)getpid());
	HvrLock *lock = try(f, "lab", NULL);

	assert_non_null(lock);
	assert_string_equal(hvr_lock_name(lock), NAME);
	assert_null(try(f, "other", &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "in use by VM 'lab'"));
	assert_non_null(strstr(error->message, pid));
	assert_non_null(strstr(error->message, "since 2"));

	hvr_lock_release(lock);
	assert_false(fake_sysfs_exists(f->fs, PATH));
	lock = try(f, "other", NULL);
	assert_non_null(lock);
	hvr_lock_release(lock);
	hvr_lock_release(NULL);
	hvr_lock_leave(NULL);
}

/* Asking tells VM, pid with start time, and time, and takes nothing. */
static void test_holder(void **state)
{
	Fixture *f = *state;
	g_auto(HvrLockHolder) holder = { 0 };

	assert_false(is_held(f));
	HvrLock *lock = try(f, "lab", NULL);
	assert_true(hvr_lock_holder(&f->host, f->runtime, NAME, &holder));
	assert_string_equal(holder.vm, "lab");
	assert_int_equal(holder.pid.pid, getpid());
	assert_true(hvr_process_alive(&f->host, &holder.pid));
	assert_true(holder.since > 1600000000);
	hvr_lock_release(lock);
	assert_false(is_held(f));
}

/* A lock of a command says so: there is no VM to name. */
static void test_nameless(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	HvrLock *lock = try(f, NULL, NULL);

	assert_null(try(f, "lab", &error));
	assert_non_null(strstr(error->message, "in use by another command, pid "));
	hvr_lock_release(lock);
}

/* What QEMU inherited keeps the lock when its supervisor is gone, and frees it by being killed. */
static void test_inherited(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_holder();

	hvr_lock_leave(lock);
	assert_true(is_held(f));
	g_auto(HvrFd) watch = hvr_lock_watch_new(f->runtime, NULL);
	assert_true(watch >= 0);
	end_holder(qemu);
	assert_true(wait_for(watch, NAME, LONG_US));
	assert_false(is_held(f));
	lock = try(f, "lab", NULL);
	assert_non_null(lock);
	hvr_lock_release(lock);
}

/* Releasing is for all who share it, QEMU too: its card has gone back. */
static void test_release_is_for_all(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_holder();

	hvr_lock_release(lock);
	lock = try(f, "next", NULL);
	assert_non_null(lock);
	end_holder(qemu);
	assert_true(is_held(f));
	hvr_lock_release(lock);
}

/* A command that stands in shares QEMU's lock, and can release it for QEMU. */
static void test_steal(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	HvrLock *lock = try(f, "lab", NULL);
	int fds[2], other[2];

	hvr_lock_fds(lock, fds);
	pid_t qemu = start_holder();
	hvr_lock_leave(lock);

	HvrLock *shared = hvr_lock_steal_from(&f->host, f->runtime, NAME, qemu, &error);
	assert_non_null(shared);
	hvr_lock_fds(shared, other);
	assert_int_equal(fcntl(other[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(other[1], F_GETFL) & O_ACCMODE, O_WRONLY);
	assert_true(is_held(f));
	hvr_lock_release(shared);
	assert_false(is_held(f));
	end_holder(qemu);
}

/* There is nothing to share with a process that does not have the lock. */
static void test_steal_nothing(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL, gone = NULL;
	pid_t stranger = start_holder();
	HvrLock *lock = try(f, "lab", NULL);

	assert_null(hvr_lock_steal_from(&f->host, f->runtime, NAME, stranger, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	end_holder(stranger);
	assert_null(hvr_lock_steal_from(&f->host, f->runtime, NAME, stranger, &gone));
	hvr_lock_release(lock);
}

/* Those who wait are woken by a release and by nobody's mere try; a deadline ends the wait. */
static void test_watch(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = try(f, "lab", NULL);
	g_auto(HvrFd) watch = hvr_lock_watch_new(f->runtime, NULL);

	assert_null(try(f, "other", NULL));
	assert_true(is_held(f));
	assert_false(wait_for(watch, NAME, 1000));
	hvr_lock_release(lock);
	assert_true(wait_for(watch, NAME, LONG_US));
	assert_false(wait_for(watch, NAME, 1000));
}

/* Other locks that come and go wake nobody who does not want them. */
static void test_watch_other(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) watch = hvr_lock_watch_new(f->runtime, NULL);

	for (guint i = 0; i < 100; i++)
		hvr_lock_release(try(f, "lab", NULL));
	assert_false(wait_for(watch, "group-15", 1000));
	hvr_lock_release(try(f, "lab", NULL));
	assert_true(wait_for(watch, NAME, 1000));
}

/* A file that a killed process left is no lock. Sweeping removes it, and no other. */
static void test_sweep(void **state)
{
	Fixture *f = *state;

	fake_sysfs_put_file(f->fs, PATH, "[holder]\nvm=dead\npid=1\n");
	fake_sysfs_put_file(f->fs, "run/hailo-vm-run/locks/vm-dead", "garbage");
	assert_false(is_held(f));
	HvrLock *lock = try(f, "lab", NULL);
	assert_non_null(lock);
	hvr_lock_sweep(f->runtime);
	assert_true(fake_sysfs_exists(f->fs, PATH));
	assert_false(fake_sysfs_exists(f->fs, "run/hailo-vm-run/locks/vm-dead"));
	hvr_lock_release(lock);
}

/* A link in place of the file is refused; what it leads to is not touched, not even made. */
static void test_link(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_link(f->fs, PATH, "../../precious");
	assert_null(try(f, "lab", &error));
	assert_non_null(strstr(error->message, NAME));
	assert_false(is_held(f));
	hvr_lock_sweep(f->runtime);
	assert_false(fake_sysfs_exists(f->fs, "run/precious"));
}

/* The names under which other versions and people find them. */
static void test_names(void **state)
{
	g_autofree char *group = hvr_lock_name_group(14);
	g_autofree char *vm = hvr_lock_name_vm("lab");

	assert_string_equal(group, "group-14");
	assert_string_equal(vm, "vm-lab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exclusive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nameless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inherited, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_is_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steal_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test(test_names),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
