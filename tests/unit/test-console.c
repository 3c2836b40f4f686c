/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `console`, from whoever has the serial port: a supervisor, for any number at once; a QEMU that
 * has lost its supervisor, also in the middle; a QEMU that never had one. Three processes each: a
 * guest that says back what it is told, its supervisor, and the command.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/runtime.h"
#include "launcher/session/serial-hub.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define STAT   "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n"
#define WAIT_S 60

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	pid_t qemu, supervisor; /* 0: none */
} Fixture;

/* A console that somebody has. */
typedef struct {
	pid_t pid;
	int keys;
	int screen; /* what it shows, and complains of */
	GString *shown;
} Console;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->context = (HvrContext){ .host = f->fs->host };
	f->context.runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	*state = f;
	return f->context.runtime < 0;
}

static void end_process(const Fixture *f, pid_t *pid)
{
	g_autofree char *folder = g_strdup_printf("proc/%d", (int)*pid);

	if (*pid == 0)
		return;
	fake_sysfs_remove_file(f->fs, folder);
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	end_process(f, &f->qemu);
	end_process(f, &f->supervisor);
	hvr_fd_close(f->context.runtime);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

/* One connection after the other, as QEMU does. */
static G_NORETURN void be_guest(int listening)
{
	char bytes[64];
	ssize_t n;

	fcntl(listening, F_SETFL, 0);
	for (;;) {
		g_auto(HvrFd) port = accept(listening, NULL, NULL);
		while ((n = recv(port, bytes, sizeof(bytes), 0)) > 0)
			if (!hvr_fd_write_all(port, "heard ", 6) ||
			    !hvr_fd_write_all(port, bytes, (gsize)n))
				break;
	}
}

static G_NORETURN void supervise(HvrSerialEnds *ends)
{
	HvrSerialHub *hub = hvr_serial_hub_new(ends, -1);

	for (;;)
		g_main_context_iteration(NULL, TRUE);
	hvr_serial_hub_free(hub);
}

/* 0 in the child, which ends with us. */
static pid_t start_process(const Fixture *f)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	g_autofree char *path = g_strdup_printf("proc/%d/stat", (int)pid);
	fake_sysfs_put_file(f->fs, path, STAT);
	assert_true(pid > 0);
	return pid;
}

static void write_record(const Fixture *f, int folder, const char *serial)
{
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");

	vm->qemu = (HvrProcess){ f->qemu, 4711 };
	if (f->supervisor)
		vm->supervisor = (HvrProcess){ f->supervisor, 4711 };
	vm->serial = g_strdup(serial);
	assert_true(hvr_vm_write(folder, vm, NULL));
}

/* A VM of whom @said has been heard. */
static void start_vm(Fixture *f, const char *said)
{
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);
	HvrSerialEnds ends;
	int listening = -1;

	assert_true(hvr_serial_ends_make(folder, &ends, &listening, NULL));
	assert_true(hvr_fd_write_all(ends.record, said, strlen(said)));
	f->qemu = start_process(f);
	if (f->qemu == 0) {
		hvr_serial_ends_clear(&ends);
		be_guest(listening);
	}
	hvr_fd_close(listening);
	f->supervisor = start_process(f);
	if (f->supervisor == 0)
		supervise(&ends);
	hvr_serial_ends_clear(&ends);
	write_record(f, folder, "stdio");
}

/* One that nobody stays with. */
static void start_alone(Fixture *f, const char *serial)
{
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);
	g_auto(HvrFd) listening = -1;

	if (g_str_equal(serial, "socket"))
		listening = hvr_runtime_listen(folder, HVR_VM_SERIAL, NULL);
	f->qemu = start_process(f);
	if (f->qemu == 0) {
		be_guest(listening);
	}
	write_record(f, folder, serial);
}

static void open_console(const Fixture *f, Console *console)
{
	char *words[] = { (char *)"console", (char *)"lab", NULL };
	HvrContext context = f->context;
	int keys[2], screen[2];

	assert_int_equal(pipe2(keys, O_CLOEXEC), 0);
	assert_int_equal(pipe2(screen, O_CLOEXEC), 0);
	*console = (Console){ .keys = keys[1], .screen = screen[0], .shown = g_string_new(NULL) };
	console->pid = fork();
	if (console->pid == 0) {
		g_autoptr(GError) error = NULL;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(keys[0], STDIN_FILENO);
		dup2(screen[1], STDOUT_FILENO);
		dup2(screen[1], STDERR_FILENO);
		close(keys[1]);
		close(screen[1]);
		hvr_interrupt_init();
		int status = hvr_dispatch(&context, words, &error);
		if (error)
			hvr_message_error(error);
		if (hvr_interrupt_pending())
			_exit(128 + hvr_interrupt_pending());
		_exit(status < 0 ? hvr_exit_status(error) : status);
	}
	close(keys[0]);
	close(screen[1]);
	fcntl(console->screen, F_SETFL, O_NONBLOCK);
}

/* FALSE: it has ended */
static gboolean read_some(Console *console)
{
	gint64 end = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
	char bytes[1024];

	if (!hvr_fd_readable_before(console->screen, end))
		fail_msg("nothing comes behind '%s'", console->shown->str);
	ssize_t n = read(console->screen, bytes, sizeof(bytes));
	if (n > 0)
		g_string_append_len(console->shown, bytes, n);
	return n > 0;
}

static void wait_shown(Console *console, const char *text)
{
	while (!strstr(console->shown->str, text))
		if (!read_some(console))
			fail_msg("no '%s' in '%s'", text, console->shown->str);
}

static void type(const Console *console, const char *text)
{
	if (!hvr_fd_write_all(console->keys, text, strlen(text)))
		fail_msg("nobody reads '%s' behind '%s'", text, console->shown->str);
}

/* Its exit status. */
static int close_console(Console *console)
{
	int status = 0;

	while (read_some(console))
		;
	close(console->keys);
	close(console->screen);
	assert_int_equal(waitpid(console->pid, &status, 0), console->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void clear(Console *console)
{
	g_string_free(console->shown, TRUE);
}

/* Both see the same, and each begins where the guest is. */
static void test_two(void **state)
{
	Fixture *f = *state;
	Console one, other;

	start_vm(f, "Booting\r\nlab login: ");
	open_console(f, &one);
	open_console(f, &other);
	wait_shown(&one, "lab login: ");
	wait_shown(&other, "lab login: ");
	type(&one, "root");
	wait_shown(&one, "heard root");
	wait_shown(&other, "heard root");
	type(&other, "secret");
	wait_shown(&one, "heard secret");
	wait_shown(&other, "heard secret");

	const HvrEndedHow how = { .why = "guest powered off" };
	g_autoptr(HvrVm) vm = hvr_vm_look(&f->context, "lab");
	end_process(f, &f->qemu);
	hvr_ended_keep(&f->context, vm, &how);
	end_process(f, &f->supervisor);
	assert_int_equal(close_console(&one), 0);
	assert_int_equal(close_console(&other), 0);
	assert_true(g_str_has_prefix(one.shown->str, "Booting\r\nlab login: heard root"));
	assert_non_null(strstr(other.shown->str, "VM 'lab' ended at "));
	clear(&one);
	clear(&other);
}

/* The supervisor is killed, and the console goes on; who comes then joins QEMU, too, and sees what
 * was recorded. */
static void test_supervisor_lost(void **state)
{
	Fixture *f = *state;
	Console one, late;

	start_vm(f, "lab login: ");
	open_console(f, &one);
	wait_shown(&one, "lab login: ");
	end_process(f, &f->supervisor);
	wait_shown(&one, "has lost its supervisor, and goes on");
	type(&one, "root");
	wait_shown(&one, "heard root");
	kill(one.pid, SIGTERM);
	assert_int_equal(close_console(&one), 128 + SIGTERM);

	open_console(f, &late);
	wait_shown(&late, "lab login: ");
	type(&late, "root");
	wait_shown(&late, "heard root");
	end_process(f, &f->qemu);
	assert_int_equal(close_console(&late), 0);
	assert_non_null(strstr(late.shown->str, "VM 'lab' ended"));
	clear(&one);
	clear(&late);
}

/* --exec: QEMU's own socket; without one there is nothing to join. */
static void test_alone(void **state)
{
	Fixture *f = *state;
	static const struct {
		const char *serial, *said;
	} refused[] = {
		{ "stdio", "was started with --exec, and [serial] mode = stdio\n" },
		{ "none", "has no serial port ([serial] mode = none)\n" },
	};
	Console console;

	start_alone(f, "socket");
	open_console(f, &console);
	type(&console, "root");
	wait_shown(&console, "heard root");
	end_process(f, &f->qemu);
	assert_int_equal(close_console(&console), 0);
	clear(&console);
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		start_alone(f, refused[i].serial);
		open_console(f, &console);
		assert_int_equal(close_console(&console), 69);
		if (!strstr(console.shown->str, refused[i].said))
			fail_msg("%s: %s", refused[i].serial, console.shown->str);
		clear(&console);
		end_process(f, &f->qemu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two, setup, teardown),
		cmocka_unit_test_setup_teardown(test_supervisor_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
	};

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
