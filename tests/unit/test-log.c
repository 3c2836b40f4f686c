/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a detached supervisor keeps of its messages and of QEMU's words, and how `log` shows it.
 */
#include <fcntl.h>
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/process/interrupt.h"
#include "launcher/qemu/output.h"
#include "launcher/report/error.h"
#include "launcher/report/log-file.h"
#include "launcher/report/message.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "tests/fake/between.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define FOLDER "run/hailo-vm-run/vms/lab/"

#define LINE_BYTES 64
#define MIB	   (1024 * 1024)

/* What a log may take: what is kept, and what may come before it is cut. */
#define LOG_MAX_BYTES MIB

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	char *runtime_path;
	pid_t qemu; /* waits to be killed */
} Fixture;

static pid_t start_qemu(void)
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

static void record(Fixture *f)
{
	g_autofree char *stat = g_strdup_printf("proc/%d/stat", (int)f->qemu);
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);

	fake_sysfs_put_file(f->fs, stat, "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n");
	vm->qemu = (HvrProcess){ f->qemu, 4711 };
	vm->serial = g_strdup("file");
	vm->serial_file = g_build_filename(f->fs->root, "serial.log", NULL);
	assert_true(folder >= 0);
	assert_true(hvr_vm_write(folder, vm, NULL));
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->runtime_path = g_build_filename(f->fs->root, "run", "hailo-vm-run", NULL);
	f->context = (HvrContext){ .host = f->fs->host, .runtime_path = f->runtime_path };
	f->context.runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	f->qemu = start_qemu();
	record(f);
	*state = f;
	return f->context.runtime < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	kill(f->qemu, SIGKILL);
	waitpid(f->qemu, NULL, 0);
	hvr_fd_close(f->context.runtime);
	fake_sysfs_free(f->fs);
	g_free(f->runtime_path);
	g_free(f);
	return 0;
}

static char *messages_path(const Fixture *f)
{
	return g_build_filename(f->fs->root, FOLDER HVR_VM_LOG, NULL);
}

/* As a supervisor does that is detached. */
static void keep_messages(const Fixture *f)
{
	g_autofree char *path = messages_path(f);
	g_auto(HvrFd) fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	hvr_message_keep(fd);
}

/* @bytes of numbered lines, as fast as the pipe takes them. */
static G_NORETURN void flood(int fd, gsize bytes)
{
	g_autoptr(GString) some = g_string_new(NULL);

	for (gsize i = 0; i < bytes / LINE_BYTES; i++) {
		g_string_append_printf(some, "line %-*zu\n", LINE_BYTES - 6, i);
		if (some->len < 65536 && i + 1 < bytes / LINE_BYTES)
			continue;
		if (!hvr_fd_write_all(fd, some->str, some->len))
			_exit(1);
		g_string_truncate(some, 0);
	}
	_exit(0);
}

static void on_flooded(GPid pid, int status, gpointer loop)
{
	assert_int_equal(status, 0);
	g_main_loop_quit(loop);
}

/* A supervisor whose QEMU says @bytes on its standard error. */
static void supervise(const Fixture *f, gsize bytes)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		_exit(1);
	pid_t qemu = fork();
	if (qemu == 0)
		flood(ends[1], bytes);
	close(ends[1]);
	keep_messages(f);
	hvr_message("VM 'lab' is running");
	HvrQemuOutput *output = hvr_qemu_output_new(ends[0], "qemu");
	g_child_watch_add(qemu, on_flooded, loop);
	g_main_loop_run(loop);
	hvr_qemu_output_drain(output);
	hvr_qemu_output_free(output);
	hvr_message("VM 'lab' has ended");
	g_main_loop_unref(loop);
}

static void in_child(const Fixture *f, void (*what)(const Fixture *f, gsize bytes), gsize bytes)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		what(f, bytes);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What `log` prints when its standard output is a file. [transfer full] */
static char *log_of(Fixture *f, const char *option)
{
	char *words[] = { (char *)"log", (char *)"lab", (char *)option, NULL };
	g_autofree char *path = g_build_filename(f->fs->root, "out", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int own = dup(STDOUT_FILENO);
	char *text = NULL;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	int status = hvr_dispatch(&f->context, words, NULL);
	dup2(own, STDOUT_FILENO);
	close(own);
	close(fd);
	assert_int_equal(status, 0);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static gint64 blocks_bytes(const Fixture *f)
{
	g_autofree char *path = messages_path(f);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (gint64)st.st_blocks * 512;
}

/* 64 MiB of QEMU's words: the begin, the end, and how much is between them is there. */
static void test_messages_log_cannot_fill_run(void **state)
{
	Fixture *f = *state;
	gsize left_out = 0;

	in_child(f, supervise, 64 * MIB);
	assert_between(blocks_bytes(f), HVR_LOG_BEGIN_BYTES, LOG_MAX_BYTES);
	g_autofree char *text = log_of(f, "--messages");
	gsize length = strlen(text);
	assert_between(length, HVR_LOG_BEGIN_BYTES + HVR_LOG_END_BYTES, LOG_MAX_BYTES);
	assert_true(g_str_has_prefix(text, "hailo-vm-run: VM 'lab' is running\nline 0   "));
	assert_true(g_str_has_suffix(text, "\nhailo-vm-run: VM 'lab' has ended\n"));
	assert_non_null(strstr(text, "\nline 1000   "));
	assert_non_null(strstr(text, "\nline 1048575   "));

	const char *cut = strstr(text, "bytes left out]\n");
	assert_non_null(cut);
	assert_null(strstr(cut + strlen("bytes left out]"), "left out"));
	while (cut[-1] != '[')
		cut--;
	assert_int_equal(sscanf(cut, "%zu", &left_out), 1);
	/* Nothing is lost but what is said to be; the cut itself is "\n[N bytes left out]\n". */
	const gsize ours = strlen("hailo-vm-run: VM 'lab' is running\n") +
			   strlen("hailo-vm-run: VM 'lab' has ended\n");
	const gsize mark = 1 + strcspn(cut, "\n") + 1 + 1;
	assert_int_equal(length - mark + left_out, 64 * MIB + ours);
}

/* What is short stays whole. */
static void test_short(void **state)
{
	Fixture *f = *state;

	in_child(f, supervise, 128 * 1024);
	g_autofree char *text = log_of(f, "--messages");
	assert_null(strstr(text, "left out"));
	assert_non_null(strstr(text, "\nline 2047 "));
}

/* Nothing that writes beside the supervisor grows it either: the next cut sees all. */
static void test_cut_sees_all(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = messages_path(f);
	g_auto(HvrFd) fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	g_autofree char *much = g_strnfill(MIB, 'x');

	for (guint i = 0; i < 8; i++)
		assert_true(hvr_fd_write_all(fd, much, MIB));
	assert_true(hvr_log_cut(fd));
	assert_between(blocks_bytes(f), HVR_LOG_BEGIN_BYTES, LOG_MAX_BYTES);
	assert_int_equal(lseek(fd, HVR_LOG_BEGIN_BYTES, SEEK_SET), HVR_LOG_BEGIN_BYTES);
	assert_between(hvr_log_skip_hole(fd), 6 * MIB, 8 * MIB);
	assert_int_equal(lseek(fd, 0, SEEK_END), 8 * MIB);
	assert_int_equal(hvr_log_skip_hole(fd), 0);
}

/* ramfs knows no holes. */
static gboolean mount_ramfs(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->fs->root, FOLDER, NULL);

	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", path, "ramfs", 0, NULL) == 0;
}

static void supervise_on_ramfs(const Fixture *f, gsize bytes)
{
	static const char last[] = "hailo-vm-run: this file is full: nothing more is kept\n";
	g_autofree char *path = messages_path(f);
	g_autofree char *text = NULL;

	if (!mount_ramfs(f))
		_exit(2);
	supervise(f, bytes);
	if (!g_file_get_contents(path, &text, NULL, NULL) || strlen(text) > LOG_MAX_BYTES ||
	    !g_str_has_suffix(text, last))
		_exit(1);
}

/* There only the begin is kept. */
static void test_without_holes(void **state)
{
	if (geteuid() != 0)
		skip();
	in_child(*state, supervise_on_ramfs, 4 * MIB);
}

/* Whoever follows is told what went by too fast, and goes on. */
static void test_follow_over_the_cut(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->fs->root, "out", NULL);
	char *words[] = { (char *)"log", (char *)"lab", (char *)"--messages", (char *)"-f", NULL };
	int status = 0;

	in_child(f, supervise, 4 * MIB);
	pid_t follower = fork();
	if (follower == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		dup2(fd, STDOUT_FILENO);
		_exit(hvr_dispatch(&f->context, words, NULL));
	}
	in_child(f, supervise, 16 * MIB);
	kill(f->qemu, SIGKILL);
	assert_int_equal(waitpid(follower, &status, 0), follower);
	assert_int_equal(status, 0);
	g_autofree char *text = NULL;
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_non_null(strstr(text, " bytes left out]\n"));
	assert_true(g_str_has_prefix(text, "hailo-vm-run: VM 'lab' is running\n"));
	assert_true(g_str_has_suffix(text, "\nhailo-vm-run: VM 'lab' has ended\n"));
	assert_non_null(strstr(text, "\nline 262143 "));
}

/* The same when standard output is a terminal. [transfer full] */
static char *log_on_terminal(Fixture *f, const char *option)
{
	char *words[] = { (char *)"log", (char *)"lab", (char *)option, NULL };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), own = dup(STDOUT_FILENO);

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	fflush(stdout);
	dup2(slave, STDOUT_FILENO);
	int status = hvr_dispatch(&f->context, words, NULL);
	dup2(own, STDOUT_FILENO);
	close(own);
	assert_int_equal(status, 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	char *text = pipe_read(master);
	close(slave);
	close(master);
	return text;
}

/* A guest's serial port: text on a terminal unless asked for as it is, bytes anywhere else. */
static void test_escape_in_serial(void **state)
{
	Fixture *f = *state;

	fake_files_write(f->fs->root, "serial.log",
			 "boot\r\n\033]0;x\a\xc2\x9b"
			 "2J ok\n",
			 0600);
	g_autofree char *shown = log_on_terminal(f, "--serial");
	assert_non_null(strstr(shown, "boot\r"));
	assert_non_null(strstr(shown, "\\x1b]0;x\\x07\\u009b2J ok"));
	assert_null(strchr(shown, '\033'));
	g_autofree char *raw = log_on_terminal(f, "--raw");
	assert_non_null(strstr(raw, "\033]0;x\a\xc2\x9b"
				    "2J ok"));
	g_autofree char *bytes = log_of(f, "--serial");
	assert_string_equal(bytes, "boot\r\n\033]0;x\a\xc2\x9b"
				   "2J ok\n");
}

/* A supervised VM has its serial port's record; what the user's own file has is theirs. */
static void test_record(void **state)
{
	Fixture *f = *state;

	fake_files_write(f->fs->root, "serial.log", "the user's\n", 0600);
	fake_sysfs_put_file(f->fs, FOLDER "serial.log", "recorded\n");
	fake_sysfs_put_file(f->fs, FOLDER "messages.log", "said\n");
	g_autofree char *serial = log_of(f, "--serial");
	assert_string_equal(serial, "recorded\n");
	g_autofree char *all = log_of(f, NULL);
	assert_string_equal(all, "said\nrecorded\n");
}

static void end(Fixture *f)
{
	g_autofree char *proc = g_strdup_printf("proc/%d", (int)f->qemu);
	g_autoptr(HvrVm) vm = hvr_vm_look(&f->context, "lab");
	const HvrEndedHow how = { .why = "guest powered off" };

	fake_sysfs_put_file(f->fs, FOLDER "serial.log", "Power down\n");
	fake_sysfs_put_file(f->fs, FOLDER "messages.log", "said\n");
	fake_sysfs_remove_file(f->fs, proc);
	hvr_ended_keep(&f->context, vm, &how);
}

/* The same as before, though the VM is gone, and there is nothing to follow. */
static void test_ended(void **state)
{
	Fixture *f = *state;

	end(f);
	g_autofree char *all = log_of(f, NULL);
	assert_string_equal(all, "said\nPower down\n");
	g_autofree char *followed = log_of(f, "-f");
	assert_string_equal(followed, all);
	g_autofree char *messages = log_of(f, "--messages");
	assert_string_equal(messages, "said\n");
	g_autofree char *since = log_of(f, "--since=start");
	assert_string_equal(since, all);
}

/* What `status` prints, and what it ends with. [transfer full] */
static char *status_of(Fixture *f, const char *option, int expected)
{
	char *words[] = { (char *)"status", (char *)"lab", (char *)option, NULL };
	g_autofree char *path = g_build_filename(f->fs->root, "out", NULL);
	g_autoptr(GError) error = NULL;
	int own = dup(STDOUT_FILENO);
	char *text = NULL;

	fflush(stdout);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	int status = hvr_dispatch(&f->context, words, &error);
	fflush(stdout);
	dup2(own, STDOUT_FILENO);
	close(own);
	close(fd);
	if (status < 0)
		status = hvr_exit_status(error);
	assert_int_equal(status, expected);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

/* How it ended, until somebody forgets it; one that runs nobody can forget. */
static void test_status_of_ended(void **state)
{
	Fixture *f = *state;

	g_free(status_of(f, "--forget", 69));
	end(f);
	g_autofree char *text = status_of(f, NULL, 0);
	assert_true(g_str_has_prefix(text, "lab: ended at "));
	assert_true(g_str_has_suffix(text, ": guest powered off\n"));
	g_autofree char *json = status_of(f, "--json", 0);
	assert_non_null(strstr(json, "\"vms\":[],\"ended\":[{\"name\":\"lab\",\"reason\":\"guest "
				     "powered off\",\"status\":0,"));
	g_free(status_of(f, "--forget", 0));
	g_free(status_of(f, NULL, 69));
	g_free(status_of(f, "--forget", 69));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_messages_log_cannot_fill_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_sees_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_follow_over_the_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escape_in_serial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_of_ended, setup, teardown),
	};

	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
