/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks between processes: who has one keeps it for as long as it, or the QEMU that it has named,
 * lives, the others are told who that is, and those who wait hear of its end however it comes.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/runtime/lock-watch.h"
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
static gboolean wait_for(HvrLockWatch *watch, const char *name, gint64 timeout_us)
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

/* A process that has but one of the descriptors that are open now (-1: none), until it is killed.
 */
static pid_t start_with(int fd)
{
	int done[2];
	char byte;

	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int other = 3; other < 1024; other++)
			if (other != fd && other != done[1])
				close(other);
		close(done[1]);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(done[1]);
	assert_int_equal(read(done[0], &byte, 1), 0);
	close(done[0]);
	return pid;
}

/* As a QEMU is started: it has what it is to have of @lock, and is named in it. */
static pid_t start_qemu(Fixture *f, HvrLock *lock)
{
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) fd = hvr_lock_open_for_qemu(lock, &error);

	assert_true(fd >= 0);
	pid_t pid = start_with(fd);
	HvrProcess qemu = hvr_process_of(&f->host, pid);
	assert_true(hvr_lock_name_qemu(lock, &qemu, &error));
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

/* QEMU keeps the lock when its supervisor is gone, is who is told of, and frees it by being killed.
 */
static void test_outlives(void **state)
{
	Fixture *f = *state;
	g_auto(HvrLockHolder) holder = { 0 };
	g_autoptr(GError) error = NULL;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_qemu(f, lock);

	assert_true(is_held(f));
	hvr_lock_leave(lock);
	assert_int_equal(hvr_lock_look(&f->host, f->runtime, NAME, &holder), HVR_LOCK_QEMUS);
	assert_string_equal(holder.vm, "lab");
	assert_int_equal(holder.qemu.pid, qemu);
	assert_null(try(f, "other", &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "in use by VM 'lab'"));
	hvr_lock_sweep(&f->host, f->runtime);
	assert_true(is_held(f));

	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&f->host, f->runtime, NULL);
	assert_non_null(watch);
	assert_false(wait_for(watch, NAME, 1000));
	end_holder(qemu);
	assert_true(wait_for(watch, NAME, LONG_US));
	assert_false(is_held(f));
	lock = try(f, "lab", NULL);
	assert_non_null(lock);
	hvr_lock_release(lock);
	assert_false(fake_sysfs_exists(f->fs, PATH ".qemu"));
}

/* Who waits already hears of QEMU's end, when the supervisor has ended meanwhile. */
static void test_outlives_while_waiting(void **state)
{
	Fixture *f = *state;
	int ready[2];
	char byte;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_qemu(f, lock);

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t killer = fork();
	if (killer == 0) {
		hvr_lock_leave(lock);
		if (read(ready[0], &byte, 1) == 1)
			kill(qemu, SIGKILL);
		_exit(0);
	}
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&f->host, f->runtime, NULL);
	hvr_lock_leave(lock);
	assert_true(
		wait_for(watch, NAME, LONG_US)); /* the last of those who took it has closed it */
	assert_true(is_held(f));
	assert_int_equal(write(ready[1], "", 1), 1);
	assert_true(wait_for(watch, NAME, LONG_US));
	waitpid(killer, NULL, 0);
	waitpid(qemu, NULL, 0);
	assert_false(is_held(f));
	close(ready[0]);
	close(ready[1]);
}

/* Releasing is for all who share it, QEMU too: its card has gone back. */
static void test_release_is_for_all(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_qemu(f, lock);

	hvr_lock_release(lock);
	lock = try(f, "next", NULL);
	assert_non_null(lock);
	end_holder(qemu);
	assert_true(is_held(f));
	hvr_lock_release(lock);
}

static HvrLock *stand_in(Fixture *f, pid_t qemu, GError **error)
{
	const HvrContext context = { .host = f->host, .runtime = f->runtime };
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");

	vm->qemu = hvr_process_of(&f->host, qemu);
	return hvr_lock_stand_in(&context, NAME, vm, error);
}

/* A command that stands in takes what the supervisor had, leaves it to QEMU, and can release it. */
static void test_stand_in(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL, twice = NULL;
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_qemu(f, lock);

	assert_null(stand_in(f, qemu, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	hvr_lock_leave(lock);
	for (guint i = 0; i < 2; i++) {
		lock = stand_in(f, qemu, NULL);
		assert_non_null(lock);
		assert_true(is_held(f));
		if (i == 0)
			hvr_lock_leave(lock);
	}
	assert_null(stand_in(f, qemu, &twice));
	assert_int_equal(hvr_exit_status(twice), 75);
	hvr_lock_release(lock);
	assert_false(is_held(f));
	end_holder(qemu);
}

/* Nobody stands in where another VM's QEMU has the lock; where nobody has it, it is there to take.
 */
static void test_stand_in_for_others(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	pid_t stranger = start_with(-1);
	HvrLock *lock = try(f, "lab", NULL);
	pid_t qemu = start_qemu(f, lock);

	hvr_lock_leave(lock);
	assert_null(stand_in(f, stranger, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	end_holder(qemu);
	lock = stand_in(f, stranger, NULL);
	assert_non_null(lock);
	hvr_lock_release(lock);
	end_holder(stranger);
}

/* A VM of version 0.1: its QEMU has the lock's own file flocked, and nobody has named it. */
static void test_of_previous_version(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_file(f->fs, PATH, "[holder]\nvm=old\npid=1\nstart_time=1\nsince=1\n");
	g_autofree char *path = g_strconcat(f->fs->root, "/" PATH, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC), marker = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid_t qemu = fork();
	if (qemu == 0)
		for (;;)
			pause();
	close(fd);
	close(marker);
	assert_true(is_held(f));
	assert_null(try(f, "lab", &error));
	assert_non_null(strstr(error->message, "in use by VM 'old', pid 1"));
	hvr_lock_sweep(&f->host, f->runtime);
	assert_true(fake_sysfs_exists(f->fs, PATH));
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&f->host, f->runtime, NULL);
	end_holder(qemu);
	assert_true(wait_for(watch, NAME, LONG_US));
	HvrLock *lock = try(f, "lab", NULL);
	assert_non_null(lock);
	hvr_lock_release(lock);
}

/* Where QEMU could not be found in /proc, to be named, its flock counts. */
static void test_unnamed(void **state)
{
	Fixture *f = *state;
	const HvrProcess nobody = { 0 };
	HvrLock *lock = try(f, "lab", NULL);
	int fd = hvr_lock_open_for_qemu(lock, NULL);

	assert_true(hvr_lock_name_qemu(lock, &nobody, NULL));
	hvr_lock_leave(lock);
	assert_true(is_held(f));
	assert_null(try(f, "other", NULL));
	close(fd);
	assert_false(is_held(f));
}

/* Those who wait are woken by a release and by nobody's mere try; a deadline ends the wait. */
static void test_watch(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = try(f, "lab", NULL);
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&f->host, f->runtime, NULL);

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
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&f->host, f->runtime, NULL);

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
	hvr_lock_sweep(&f->host, f->runtime);
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
	hvr_lock_sweep(&f->host, f->runtime);
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
		cmocka_unit_test_setup_teardown(test_outlives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outlives_while_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_is_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stand_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stand_in_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_previous_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unnamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test(test_names),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
