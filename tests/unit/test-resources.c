/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM needs of the host beside its cards is looked at, or made, before a card is taken: what
 * is missing then costs no card a reset. Whole runs on a fake machine, which notes each call that
 * would reach a card; the sockets, files and limits are this machine's own.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/scenarios.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

static void build(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
}

static const Scenario one_card = { "card", build, "[device npu]\n", "run" };

typedef struct {
	Machine *machine;
	char *folder; /* of the VM's user: the profile is in it */
	GError *error;
	gboolean looked; /* the hook below has been here */
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->machine = machine_new(&one_card);
	f->folder = g_dir_make_tmp("hvr-resources-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0777), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	g_clear_error(&f->error);
	machine_free(f->machine);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* The card, and @sections of the profile. */
static void use(Fixture *f, const char *sections)
{
	g_autofree char *text = g_strconcat("[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
					    "[qemu]\nbinary = /bin/true\n"
					    "[security]\nuser = nobody\n[device npu]\n",
					    sections, NULL);
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&f->machine->profile, hvr_profile_free);
	f->machine->profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);
	if (!f->machine->profile)
		fail_msg("%s", error->message);
}

static gboolean is_there(const Fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename(f->folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Whatever is written below /sys would move the card. */
static guint count_writes(const Fixture *f)
{
	guint count = 0;

	for (guint i = 0; i < f->machine->fs->log->len; i++)
		if (g_str_has_prefix(f->machine->fs->log->pdata[i], "write "))
			count++;
	return count;
}

static void assert_as_it_was(Fixture *f)
{
	machine_unload(f->machine);
	g_autofree char *difference = machine_difference(f->machine);

	if (difference)
		fail_msg("%s", difference);
}

#define NEW_DISK "[disk root]\nfile = root.raw\nformat = raw\nsize = 1M\n"

static void look_when_card_moves(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	Fixture *f = data;

	if (f->looked || !g_str_has_prefix(what, "write "))
		return;
	f->looked = TRUE;
	assert_true(is_there(f, "root.raw"));
	assert_true(is_there(f, "serial.log"));
	assert_true(fake_files_exist(fs->root, "run/hailo-vm-run/vms/lab/qmp.sock"));
	assert_true(fake_files_exist(fs->root, "run/hailo-vm-run/vms/lab/agent.sock"));
}

static void test_all_is_made_before_the_card_moves(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK "[serial]\nmode = file\nfile = serial.log\n[guest]\nagent = yes\n");
	f->machine->fs->before = look_when_card_moves;
	f->machine->fs->hook_data = f;
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(f->looked);
	assert_as_it_was(f);
}

/* QEMU is /bin/true: it ends before any guest could have written to the image. */
static void test_image_of_a_failed_start_is_removed(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK);
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(count_writes(f) > 0);
	assert_false(is_there(f, "root.raw"));
}

static void test_image_is_removed_when_the_card_cannot_be_had(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK);
	fake_sysfs_fail_matching(f->machine->fs, "driver_override vfio-pci", EIO);
	assert_false(machine_do(f->machine, "run", &f->error));
	assert_false(is_there(f, "root.raw"));
	assert_as_it_was(f);
}

static void test_image_that_was_there_stays(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->folder, "root.raw", NULL);

	assert_true(g_file_set_contents(path, "mine", -1, NULL));
	assert_int_equal(g_chmod(path, 0666), 0);
	use(f, NEW_DISK);
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(is_there(f, "root.raw"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_is_made_before_the_card_moves),
		TEST(test_image_of_a_failed_start_is_removed),
		TEST(test_image_is_removed_when_the_card_cannot_be_had),
		TEST(test_image_that_was_there_stays),
	};

	if (geteuid() != 0) /* QEMU's user is another one */
		return 77;
	umask(022);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
