/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a running VM, and its folder: who is alive is the kernel's word, not the record's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define VMS  "run/hailo-vm-run/vms/"
#define STAT "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n"

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

static void set_alive(Fixture *f, int pid, gboolean alive)
{
	g_autofree char *folder = g_strdup_printf("proc/%d", pid);
	g_autofree char *path = g_strconcat(folder, "/stat", NULL);

	if (alive)
		fake_sysfs_put_file(f->fs, path, STAT);
	else
		fake_sysfs_remove_file(f->fs, folder);
}

/* A VM of processes 10 (supervisor) and 11 (QEMU), recorded. */
static void write_vm(Fixture *f, const char *name)
{
	g_autoptr(HvrVm) vm = hvr_vm_new(name);
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, name, NULL);

	vm->profile = g_strdup("/etc/a b;c=d.ini");
	vm->supervisor = (HvrProcess){ 10, 4711 };
	vm->qemu = (HvrProcess){ 11, 4711 };
	vm->since = 1700000000;
	vm->ssh_user = g_strdup("me");
	g_ptr_array_add(vm->devices, hvr_vm_device_new("npu", "npu", "0000:02:00.0", "p0", 14));
	g_ptr_array_add(vm->devices,
			hvr_vm_device_new("npu-02-00-1", "npu", "0000:02:00.1", "p1", 14));
	g_ptr_array_add(vm->forwards, hvr_vm_forward_new(FALSE, "127.0.0.1", 40022, 22));
	g_ptr_array_add(vm->forwards, hvr_vm_forward_new(TRUE, "0.0.0.0", 40053, 53));
	((HvrVmDevice *)vm->devices->pdata[0])->keep = TRUE;
	((HvrVmDevice *)vm->devices->pdata[1])->in_vm = FALSE;
	assert_true(folder >= 0);
	assert_true(hvr_vm_write(folder, vm, NULL));
}

/* What is written is read, device by device. */
static void test_round_trip(void **state)
{
	Fixture *f = *state;

	write_vm(f, "lab");
	set_alive(f, 11, TRUE);
	g_autoptr(HvrVm) vm = hvr_vm_read(&f->context, "lab", NULL);
	assert_non_null(vm);
	assert_string_equal(vm->name, "lab");
	assert_string_equal(vm->profile, "/etc/a b;c=d.ini");
	assert_int_equal(vm->supervisor.pid, 10);
	assert_int_equal(vm->qemu.pid, 11);
	assert_int_equal(vm->qemu.start_time, 4711);
	assert_int_equal(vm->since, 1700000000);
	assert_string_equal(vm->ssh_user, "me");
	assert_int_equal(vm->devices->len, 2);
	const HvrVmDevice *first = vm->devices->pdata[0], *second = vm->devices->pdata[1];
	assert_string_equal(first->id, "npu");
	assert_string_equal(second->id, "npu-02-00-1");
	assert_string_equal(second->section, "npu");
	assert_string_equal(second->address, "0000:02:00.1");
	assert_string_equal(second->port, "p1");
	assert_int_equal(second->group, 14);
	assert_true(first->keep && first->in_vm);
	assert_false(second->keep || second->in_vm);
	assert_int_equal(vm->forwards->len, 2);
	g_autofree char *tcp = hvr_vm_forward_text(vm->forwards->pdata[0]);
	g_autofree char *udp = hvr_vm_forward_text(vm->forwards->pdata[1]);
	assert_string_equal(tcp, "tcp:127.0.0.1:40022-22");
	assert_string_equal(udp, "udp:0.0.0.0:40053-53");
}

/* Alive while QEMU or its supervisor is; then only a folder that a crash has left. */
static void test_alive(void **state)
{
	static const struct {
		gboolean supervisor, qemu, listed;
	} cases[] = {
		{ TRUE, TRUE, TRUE },
		{ FALSE, TRUE, TRUE },
		{ TRUE, FALSE, TRUE },
		{ FALSE, FALSE, FALSE },
	};
	Fixture *f = *state;

	write_vm(f, "lab");
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		set_alive(f, 10, cases[i].supervisor);
		set_alive(f, 11, cases[i].qemu);
		g_autoptr(HvrVm) vm = hvr_vm_read(&f->context, "lab", NULL);
		g_autoptr(GPtrArray) list = hvr_vm_list(&f->context);
		assert_int_equal(vm != NULL, cases[i].listed);
		assert_int_equal(list->len, cases[i].listed);
	}
}

/* No such VM: 69, and the names of those that run. */
static void test_none(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) nothing = NULL, others = NULL;

	assert_null(hvr_vm_read(&f->context, "lab", &nothing));
	assert_string_equal(nothing->message, "no VM named 'lab' is running\nno VM is running");
	assert_int_equal(hvr_exit_status(nothing), 69);
	write_vm(f, "b");
	write_vm(f, "a");
	set_alive(f, 11, TRUE);
	assert_null(hvr_vm_read(&f->context, "lab", &others));
	assert_string_equal(others->message, "no VM named 'lab' is running\nrunning: a, b");
}

/* A name that is nearly that of a VM, or its profile's file: what was meant. What is no name at all
 * is a mistake of the command line's. */
static void test_near(void **state)
{
	static const struct {
		const char *word, *message;
		int status;
	} cases[] = {
		{ "debina", "no VM named 'debina' is running\ndid you mean 'debian'?", 69 },
		{ "debian.ini", "'debian.ini' is no VM name\ndid you mean 'debian'?", 64 },
		{ "/srv/vms/debian.ini",
		  "'/srv/vms/debian.ini' is no VM name\ndid you mean 'debian'?", 64 },
		{ "../debian", "'../debian' is no VM name\ndid you mean 'debian'?", 64 },
		{ "Debian", "'Debian' is no VM name\ndid you mean 'debian'?", 64 },
		{ "x\ny", "'x\\x0ay' is no VM name\nrunning: debian", 64 },
		{ "", "'' is no VM name\nrunning: debian", 64 },
	};
	Fixture *f = *state;

	write_vm(f, "debian");
	set_alive(f, 11, TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(hvr_vm_read(&f->context, cases[i].word, &error));
		assert_string_equal(error->message, cases[i].message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
	}
}

/* A record that is garbage is that of no VM. */
static void test_garbage(void **state)
{
	static const char *const texts[] = { "",
					     "x",
					     "[vm]\n",
					     "[vm]\nqemu=11\n",
					     "[vm]\nqemu=x y\n",
					     "[vm]\nqemu=11 4711 \n[device npu]\n",
					     "[vm]\nqemu=-11 4711\n" };
	Fixture *f = *state;

	set_alive(f, 11, TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		fake_sysfs_put_file(f->fs, VMS "lab/vm.ini", texts[i]);
		g_autoptr(HvrVm) vm = hvr_vm_read(&f->context, "lab", NULL);
		if (vm) /* what could be read is not made more than it is */
			assert_int_equal(vm->devices->len, 0);
	}
}

/* The folder is new for each VM: what a crash left in it is gone, and goes with it. */
static void test_folder(void **state)
{
	Fixture *f = *state;
	struct stat st;

	write_vm(f, "lab");
	fake_sysfs_put_file(f->fs, VMS "lab/qmp.sock", "");
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);
	assert_int_equal(fstat(folder, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_false(fake_sysfs_exists(f->fs, VMS "lab/vm.ini"));
	assert_false(fake_sysfs_exists(f->fs, VMS "lab/qmp.sock"));
	fake_sysfs_put_link(f->fs, VMS "lab/link", "../../../../dev");
	hvr_vm_remove_folder(f->context.runtime, "lab");
	assert_false(fake_sysfs_exists(f->fs, VMS "lab"));
	assert_true(fake_sysfs_exists(f->fs, "dev"));
	hvr_vm_remove_folder(f->context.runtime, "lab");
}

/* Links in place of the folder or its record are not followed, and nothing behind them is touched.
 */
static void test_links(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_file(f->fs, "run/elsewhere/precious", "precious");
	fake_sysfs_put_link(f->fs, VMS "lab", "../../elsewhere");
	assert_int_equal(hvr_vm_make_folder(f->context.runtime, "lab", &error), -1);
	hvr_vm_remove_folder(f->context.runtime, "lab");
	assert_int_equal(hvr_vm_open_folder(f->context.runtime, "lab"), -1);

	fake_sysfs_remove_file(f->fs, VMS "lab");
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");
	fake_sysfs_put_link(f->fs, VMS "lab/vm.ini", "../../../elsewhere/precious");
	assert_true(hvr_vm_write(folder, vm, NULL));
	g_autofree char *precious = fake_sysfs_text(f->fs, "run/elsewhere/precious");
	assert_string_equal(precious, "precious");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_near, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
