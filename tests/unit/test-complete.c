/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can stand at a place of the command line: all that fits there, and nothing that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/complete.h"
#include "launcher/command/table.h"
#include "launcher/profile/table.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define STAT	"1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n"
#define PROFILE "[vm]\nmemory = 1G\n[device npu]\n[disk root]\nfile = a\n"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	char *config_home, *system_config;
} Fixture;

/* VM lab with npu in it and eth taken out, of QEMU process 11. */
static void write_vm(Fixture *f)
{
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");
	g_auto(HvrFd) folder = hvr_vm_make_folder(f->context.runtime, "lab", NULL);

	vm->profile = g_strdup("/etc/hailo-vm-run/lab.ini");
	vm->qemu = (HvrProcess){ 11, 4711 };
	g_ptr_array_add(vm->devices, hvr_vm_device_new("npu", "npu", "0000:02:00.0", "p0", 14));
	g_ptr_array_add(vm->devices, hvr_vm_device_new("npu-1", "npu", "0000:02:00.1", "p1", 14));
	g_ptr_array_add(vm->devices, hvr_vm_device_new("eth", "eth", "0000:04:00.0", "p2", 15));
	((HvrVmDevice *)vm->devices->pdata[2])->in_vm = FALSE;
	assert_true(hvr_vm_write(folder, vm, NULL));
	fake_sysfs_put_file(f->fs, "proc/11/stat", STAT);
}

static void write_journal(Fixture *f, guint8 bus, const char *vm)
{
	const HvrPciFunction function = {
		.address = { .bus = bus }, .vendor = 0x1e60, .device = 0x2864, .group = 14
	};
	g_autoptr(HvrPciState) saved = hvr_pci_state_new();
	g_autoptr(HvrJournalEntry) entry = hvr_journal_entry_new(&function, saved);

	entry->vm = g_strdup(vm);
	assert_true(hvr_journal_write(f->context.runtime, entry, NULL));
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_layout_intel();
	f->config_home = g_build_filename(f->fs->root, "home", NULL);
	f->system_config = g_build_filename(f->fs->root, "etc", NULL);
	f->context = (HvrContext){ .host = f->fs->host,
				   .runtime_parent = -1,
				   .config_home = f->config_home,
				   .system_config = f->system_config };
	f->context.runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	assert_true(f->context.runtime >= 0);
	write_vm(f);
	fake_sysfs_put_file(f->fs, "run/hailo-vm-run/ended/gone/ended.ini", "[ended]\nwhy=x\n");
	write_journal(f, 2, "lab");
	write_journal(f, 3, NULL);
	fake_sysfs_put_file(f->fs, "work/here.ini", PROFILE);
	fake_sysfs_put_file(f->fs, "work/here.txt", "");
	fake_sysfs_put_file(f->fs, "work/-odd.ini", "");
	fake_sysfs_put_file(f->fs, "work/two\nlines.ini", "");
	fake_sysfs_put_file(f->fs, "home/hailo-vm-run/mine.ini", PROFILE);
	fake_sysfs_put_file(f->fs, "etc/lab.ini", PROFILE);
	fake_sysfs_put_file(f->fs, "etc/here.ini", PROFILE);
	*state = f;
	return chdir(f->fs->root) || chdir("work");
}

static int teardown(void **state)
{
	Fixture *f = *state;

	if (chdir("/") < 0)
		return 1;
	hvr_fd_close(f->context.runtime);
	fake_sysfs_free(f->fs);
	g_free(f->config_home);
	g_free(f->system_config);
	g_free(f);
	return 0;
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The candidates for the last word of @line, sorted, a blank behind each. [transfer full] */
static char *completed(Fixture *f, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	char nothing[] = "", *empty[] = { nothing, NULL };
	g_autofree char *answer = hvr_complete(&f->context, *line ? words : empty);
	g_auto(GStrv) lines = g_strsplit(answer, "\n", -1);
	guint n = g_strv_length(lines);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		lines[i][strcspn(lines[i], "\t")] = '\0';
	qsort(lines, n, sizeof(*lines), compare);
	for (guint i = 0; i < n; i++)
		if (*lines[i])
			g_string_append_printf(text, "%s ", lines[i]);
	return g_string_free(text, FALSE);
}

static void assert_completed(Fixture *f, const char *line, const char *wanted)
{
	g_autofree char *text = completed(f, line);

	if (strcmp(text, wanted) != 0)
		fail_msg("'%s': '%s', not '%s'", line, text, wanted);
}

/* Each place of a command has what its help says of it. */
static void test_places(void **state)
{
	static const struct {
		const char *line, *candidates;
	} cases[] = {
		{ "run ", ":files .ini here lab mine " },
		{ "run la", ":files .ini lab " },
		{ "run lab ", "" },
		{ "la", ":files .ini lab " },
		{ "stop ", "--all lab " },
		{ "status ", "gone lab " },
		{ "log ", "gone lab " },
		{ "console ", "lab " },
		{ "stop lab ", "--all lab " },
		{ "list ", "" },
		{ "unplug lab ", "npu " },
		{ "plug lab ", "eth " },
		{ "unplug other ", "" },
		{ "unplug --timeout 5 lab ", "npu " },
		{ "unplug -t 5 lab ", "npu " },
		{ "unplug --timeout=5 lab ", "npu " },
		{ "unplug --keep lab ", "npu " },
		{ "unplug -- lab ", "npu " },
		{ "release ", "--all 0000:02:00.0 0000:03:00.0 :files .ini here lab mine " },
		{ "release 0000:03", "0000:03:00.0 :files .ini " },
		{ "exec lab ", "-- " },
		{ "exec lab -- ", "" },
		{ "exec lab -- --ti", "" },
		{ "exec lab uname --ti", "" },
		{ "ssh lab ", "-- " },
		{ "release -- ", "--all 0000:02:00.0 0000:03:00.0 :files .ini here lab mine " },
		{ "exec --wait 3 ", "lab " },
		{ "new ", "debian kernel rig ubuntu windows " },
		{ "new rig ", ":files " },
		{ "new --card ", "0000:02:00.0 none " },
		{ "setup per", "permissions " },
		{ "setup service per", "permissions " },
		{ "help unp", "unplug " },
		{ "qmp lab unp", "" },
		{ "nothing-of-this-name ", "" },
		{ "list here ", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_completed(*state, cases[i].line, cases[i].candidates);
}

/* Options, and what belongs behind them. */
static void test_options(void **state)
{
	static const struct {
		const char *line, *candidates;
	} cases[] = {
		{ "list -", "--all --dot --help --json --tree " },
		{ "list --d", "--dot " },
		{ "plug -", "--help " },
		{ "--v", "--version " },
		{ "--det", "--detach " },
		{ "lab --det", "--detach " },
		{ "print --format ", "docker libvirt qemu " },
		{ "print -f l", "libvirt " },
		{ "print --format=l", "--format=libvirt " },
		{ "setup --cpu a", "amd arm " },
		{ "setup --device ", "00:1c.4/00.0 1e60:2864 " },
		{ "setup --profile m", ":files .ini mine " },
		{ "setup --target ", ":folders " },
		{ "run --events ", ":files " },
		{ "run --events=x", ":files " },
		{ "run --wait-ready ", "" },
		{ "run --wait ", ":files .ini here lab mine " },
		{ "run --no-such=", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_completed(*state, cases[i].line, cases[i].candidates);
}

/* --set: sections and keys of the table, named sections of the profile in front, then values. */
static void test_settings(void **state)
{
	static const struct {
		const char *line, *candidates;
	} cases[] = {
		{ "run --set vm.c", "vm.cpu= vm.cpus= " },
		{ "run --set device", "" },
		{ "run here --set device.npu.p",
		  "device.npu.path= device.npu.pick= device.npu.properties= " },
		{ "run here -s disk",
		  "disk.root.aio= disk.root.base= disk.root.bus= disk.root.cache= "
		  "disk.root.detect-zeroes= disk.root.discard= disk.root.file= disk.root.format= "
		  "disk.root.iothread= disk.root.media= "
		  "disk.root.readonly= disk.root.size= disk.root.snapshot= " },
		{ "run --set vm.accel=", "vm.accel=auto vm.accel=kvm vm.accel=tcg " },
		{ "run --set=vm.accel=k", "--set=vm.accel=kvm " },
		{ "run --set device.npu.pick=f", "device.npu.pick=free " },
		{ "run --set device.npu.match=", "device.npu.match=1e60:2864 " },
		{ "run --set device.npu.address=", "device.npu.address=0000:02:00.0 " },
		{ "run --set device.npu.path=", "device.npu.path=00:1c.4/00.0 " },
		{ "run --set boot.kernel=x", ":files " },
		{ "run --set share.work.path=", ":folders " },
		{ "run --set vm.cpus=", "vm.cpus=2 " },
		{ "run here --without d", "device device.npu disk disk.root " },
		{ "run here --without=device.", "--without=device.npu " },
		{ "run --without gr", "graphics " },
		{ "run --without device", "" },
		{ "run --set nothing=", "" },
		{ "run --set no.such=", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_completed(*state, cases[i].line, cases[i].candidates);
}

/* Every command and every key can be had, each once. */
static void test_all(void **state)
{
	g_autofree char *first = completed(*state, "");
	g_autofree char *keys = completed(*state, "run --set ");

	for (guint i = 0; hvr_commands[i]; i++) {
		g_autofree char *word = g_strdup_printf("%s ", hvr_commands[i]->name);
		assert_non_null(strstr(first, word));
	}
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++)
		for (gsize i = 0; !s->named && i < s->n_keys; i++) {
			g_autofree char *word =
				g_strdup_printf("%s.%s= ", s->name, s->keys[i].name);
			if (!strstr(keys, word))
				fail_msg("%s is missing", word);
		}
}

/* A host with nothing: no /sys, no runtime folder, no profile. Nothing is said, and nothing made.
 */
static void test_nothing(void **state)
{
	Fixture *f = *state;
	Fixture bare = { .context = { .host = { .sys = -1, .dev = -1, .proc = -1, .run = -1 },
				      .runtime = -1,
				      .runtime_parent = -1,
				      .system_config = "/nonexistent" } };

	assert_int_equal(chdir(f->fs->root), 0);
	assert_completed(&bare, "unplug ", "");
	assert_completed(&bare, "unplug lab ", "");
	assert_completed(&bare, "release 0", ":files .ini ");
	assert_completed(&bare, "setup --device ", "");
	assert_completed(&bare, "run x --set device", "");
	g_autofree char *of_root = hvr_complete(&bare.context, (char *[]){ NULL });
	assert_string_equal(of_root, ":folders\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
