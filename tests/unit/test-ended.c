/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a VM: put away once, found by its name, bounded in number, and never in the way
 * of one that runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "launcher/host/leftovers.h"
#include "launcher/report/error.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define VMS   "run/hailo-vm-run/vms/"
#define ENDED "run/hailo-vm-run/ended/"
#define STAT  "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->context = (HvrContext){ .host = f->fs->host };
	f->context.runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	*state = f;
	return f->context.runtime < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

/* The folder of a VM of process 11, with its logs. [transfer full] */
static HvrVm *write_vm(Fixture *f, const char *name)
{
	HvrVm *vm = hvr_vm_new(name);
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, name, NULL);
	g_autofree char *serial = g_strdup_printf(VMS "%s/serial.log", name);
	g_autofree char *messages = g_strdup_printf(VMS "%s/messages.log", name);
	g_autofree char *socket = g_strdup_printf(VMS "%s/qmp.sock", name);

	vm->supervisor = (HvrProcess){ 10, 4711 };
	vm->qemu = (HvrProcess){ 11, 4711 };
	vm->by = g_strdup("kim");
	vm->since = 1700000000;
	assert_true(hvr_vm_write(folder, vm, NULL));
	fake_sysfs_put_file(f->fs, serial, name);
	fake_sysfs_put_file(f->fs, messages, "said");
	fake_sysfs_put_file(f->fs, socket, "");
	return vm;
}

static void end_vm(Fixture *f, const char *name, const char *why, int status)
{
	g_autoptr(HvrVm) vm = write_vm(f, name);
	const HvrEndedHow how = { .why = why, .status = status };

	hvr_ended_keep(&f->context, vm, &how);
}

/* The logs move, and the sockets and the record go. */
static void test_keep(void **state)
{
	Fixture *f = *state;
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	end_vm(f, "lab", "guest powered off", 0);
	assert_false(fake_sysfs_exists(f->fs, VMS "lab"));
	g_autofree char *serial = fake_sysfs_text(f->fs, ENDED "lab/serial.log");
	g_autofree char *messages = fake_sysfs_text(f->fs, ENDED "lab/messages.log");
	assert_string_equal(serial, "lab");
	assert_string_equal(messages, "said");
	assert_false(fake_sysfs_exists(f->fs, ENDED "lab/qmp.sock"));
	assert_false(fake_sysfs_exists(f->fs, ENDED "lab/vm.ini"));

	g_autoptr(HvrEnded) ended = hvr_ended_find(&f->context, "lab");
	assert_non_null(ended);
	assert_string_equal(ended->why, "guest powered off");
	assert_string_equal(ended->by, "kim");
	assert_int_equal(ended->status, 0);
	assert_int_equal(ended->since, 1700000000);
	assert_true(ended->until >= now && ended->until <= now + 60);
	g_auto(HvrFd) folder = hvr_ended_open_folder(&f->context, "lab");
	assert_true(folder >= 0);
	g_autoptr(HvrEnded) other = hvr_ended_find(&f->context, "labs");
	assert_null(other);
}

/* The next one of that name takes its place, also where it has less to say. */
static void test_replace(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrVm) vm = NULL;

	end_vm(f, "lab", "first", 0);
	vm = write_vm(f, "lab");
	fake_sysfs_remove_file(f->fs, VMS "lab/serial.log");
	const HvrEndedHow how = { .why = "second\nhint: none", .status = 69 };
	hvr_ended_keep(&f->context, vm, &how);
	g_autoptr(HvrEnded) ended = hvr_ended_find(&f->context, "lab");
	assert_string_equal(ended->why, "second");
	assert_int_equal(ended->status, 69);
	assert_false(fake_sysfs_exists(f->fs, ENDED "lab/serial.log"));
	g_autoptr(GPtrArray) all = hvr_ended_list(&f->context);
	assert_int_equal(all->len, 1);
}

/* One that runs has not ended, whatever the one before it has left; and when it is gone without a
 * word it has, though nobody has put it away. */
static void test_running(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrVm) vm = NULL;
	struct stat st;

	end_vm(f, "lab", "first", 0);
	vm = write_vm(f, "lab");
	fake_sysfs_put_file(f->fs, "proc/11/stat", STAT);
	g_autoptr(HvrEnded) running = hvr_ended_find(&f->context, "lab");
	g_autoptr(GPtrArray) none = hvr_ended_list(&f->context);
	assert_null(running);
	assert_int_equal(none->len, 0);
	assert_false(hvr_ended_forget(&f->context, "lab"));

	fake_sysfs_remove_file(f->fs, "proc/11");
	g_autoptr(HvrEnded) gone = hvr_ended_find(&f->context, "lab");
	assert_non_null(gone);
	assert_non_null(strstr(gone->why, "without a word"));
	assert_int_equal(gone->status, -1);
	g_autoptr(GPtrArray) one = hvr_ended_list(&f->context);
	assert_int_equal(one->len, 1);
	g_auto(HvrFd) folder = hvr_ended_open_folder(&f->context, "lab");
	assert_int_equal(fstatat(folder, "vm.ini", &st, 0), 0);

	hvr_leftovers_remove(&f->context);
	assert_false(fake_sysfs_exists(f->fs, VMS "lab"));
	g_autoptr(HvrEnded) kept = hvr_ended_find(&f->context, "lab");
	assert_string_equal(kept->why, gone->why);
	assert_true(kept->until > 0);
}

/* Of all names the newest stay: disposable VMs have new ones each time. */
static void test_bounded(void **state)
{
	Fixture *f = *state;

	for (guint i = 0; i < HVR_ENDED_MOST; i++) {
		g_autofree char *name = g_strdup_printf("t-%02u", i);
		g_autofree char *path = g_strdup_printf(ENDED "%s/ended.ini", name);
		g_autofree char *text = g_strdup_printf("[ended]\nwhy=x\nuntil=%u\n", 1000 - i);
		end_vm(f, name, "x", 0);
		fake_sysfs_put_file(f->fs, path, text);
	}
	end_vm(f, "one-more", "x", 0);
	g_autoptr(GPtrArray) all = hvr_ended_list(&f->context);
	assert_int_equal(all->len, HVR_ENDED_MOST);
	assert_string_equal(((HvrEnded *)all->pdata[0])->name, "one-more");
	assert_string_equal(((HvrEnded *)all->pdata[1])->name, "t-00");
	assert_false(fake_sysfs_exists(f->fs, ENDED "t-15"));
	assert_true(fake_sysfs_exists(f->fs, ENDED "t-14"));
}

/* Nor do they fill the folder, however much each had to say: the newest stays in any case. */
static void test_bounded_bytes(void **state)
{
	Fixture *f = *state;
	g_autofree char *much = g_strnfill(HVR_ENDED_BYTES / 2 - 65536, 'x');
	g_autofree char *all = g_strnfill(HVR_ENDED_BYTES + 4096, 'x');

	end_vm(f, "old", "x", 0);
	fake_sysfs_put_file(f->fs, ENDED "old/ended.ini", "[ended]\nwhy=x\nuntil=1\n");
	fake_sysfs_put_file(f->fs, ENDED "old/serial.log", much);
	end_vm(f, "mid", "x", 0);
	fake_sysfs_put_file(f->fs, ENDED "mid/ended.ini", "[ended]\nwhy=x\nuntil=2\n");
	fake_sysfs_put_file(f->fs, ENDED "mid/serial.log", much);
	end_vm(f, "new", "x", 0);
	g_autoptr(GPtrArray) three = hvr_ended_list(&f->context);
	assert_int_equal(three->len, 3);
	fake_sysfs_put_file(f->fs, ENDED "new/serial.log", all);
	end_vm(f, "last", "x", 0);
	g_autoptr(GPtrArray) one = hvr_ended_list(&f->context);
	assert_int_equal(one->len, 1);
	assert_string_equal(((HvrEnded *)one->pdata[0])->name, "last");
}

/* Forgotten, it is as if it had never been. */
static void test_forget(void **state)
{
	Fixture *f = *state;

	end_vm(f, "lab", "x", 0);
	assert_true(hvr_ended_forget(&f->context, "lab"));
	assert_false(fake_sysfs_exists(f->fs, ENDED "lab"));
	assert_false(hvr_ended_forget(&f->context, "lab"));
	g_autoptr(HvrEnded) ended = hvr_ended_find(&f->context, "lab");
	assert_null(ended);
}

/* Whoever asks for the VM is told how it ended. */
static void test_explain(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL, unknown = NULL;

	end_vm(f, "lab", "guest powered off", 0);
	assert_null(hvr_vm_read(&f->context, "lab", &error));
	hvr_ended_explain(&f->context, "lab", &error);
	assert_true(g_str_has_prefix(error->message, "no VM named 'lab' is running; it ended at "));
	assert_non_null(strstr(error->message, ": guest powered off\nwhat it has said: "
					       "hailo-vm-run log lab"));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_null(hvr_vm_read(&f->context, "other", &unknown));
	hvr_ended_explain(&f->context, "other", &unknown);
	assert_string_equal(unknown->message, "no VM named 'other' is running\nno VM is running");
}

/* What QEMU said may be why: no line of it is anything for a terminal, or too long for the file. */
static void test_hostile(void **state)
{
	Fixture *f = *state;
	g_autofree char *much = g_strnfill(100000, 'x');
	g_autofree char *why = g_strconcat("QEMU said \x1b[2J", much, NULL);

	end_vm(f, "lab", why, 69);
	g_autoptr(HvrEnded) ended = hvr_ended_find(&f->context, "lab");
	assert_non_null(ended);
	assert_true(g_str_has_prefix(ended->why, "QEMU said \\x1b[2Jxxx"));
	assert_true(strlen(ended->why) <= 1000);
	g_autoptr(HvrEnded) written = hvr_ended_parse("x", "[ended]\nwhy=a\x1b[31mb\n");
	assert_string_equal(written->why, "a\\x1b[31mb");
	assert_null(hvr_ended_parse("x", "[ended]\n"));
	assert_null(hvr_ended_parse("x", "\x1b"));
}

/* A link in the place of a record leads nowhere, and nothing behind it is touched. */
static void test_links(void **state)
{
	Fixture *f = *state;

	fake_sysfs_put_file(f->fs, "run/elsewhere/ended.ini", "[ended]\nwhy=x\n");
	fake_sysfs_put_link(f->fs, ENDED "lab", "../../elsewhere");
	assert_int_equal(hvr_ended_open_folder(&f->context, "lab"), -1);
	assert_false(hvr_ended_forget(&f->context, "lab"));
	end_vm(f, "lab", "x", 0);
	assert_true(fake_sysfs_exists(f->fs, "run/elsewhere/ended.ini"));
	assert_false(fake_sysfs_exists(f->fs, VMS "lab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
