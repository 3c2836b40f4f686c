/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a block device: by folders and texts as the kernel has them. A device that really is
 * mounted is in test-images.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/block-use.h"
#include "launcher/parts/image-format.h"
#include "launcher/parts/reserve.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"

#define SDA  "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define SDB  "sys/devices/virtual/block/sdb"
#define ROOT "22 1 259:5 / / rw - ext4 /dev/root rw\n"

static void add_device(FakeSysfs *fs, const char *folder, guint minor_number)
{
	g_autofree char *dev = g_strconcat(folder, "/dev", NULL);
	g_autofree char *number = g_strdup_printf("8:%u\n", minor_number);
	g_autofree char *link = g_strdup_printf("sys/dev/block/8:%u", minor_number);
	g_autofree char *target = g_strconcat("../..", folder + strlen("sys"), NULL);

	fake_sysfs_put_file(fs, dev, number);
	fake_sysfs_put_link(fs, link, target);
}

static void add_holder(FakeSysfs *fs, const char *device, const char *holder, const char *name,
		       const char *uuid)
{
	g_autofree char *folder = g_strconcat("sys/devices/virtual/block/", holder, NULL);
	g_autofree char *dm_name = g_strconcat(folder, "/dm/name", NULL);
	g_autofree char *dm_uuid = g_strconcat(folder, "/dm/uuid", NULL);
	g_autofree char *ro = g_strconcat(folder, "/ro", NULL);
	g_autofree char *link = g_strdup_printf("%s/holders/%s", device, holder);
	g_autofree char *up = g_strdup_printf("/%s", folder);

	fake_sysfs_put_file(fs, ro, "0\n");
	if (name) {
		fake_sysfs_put_file(fs, dm_name, name);
		fake_sysfs_put_file(fs, dm_uuid, uuid);
	}
	/* as far up as that is, and down again */
	g_autoptr(GString) target = g_string_new("../");
	for (const char *c = strchr(device, '/'); c; c = strchr(c + 1, '/'))
		g_string_append(target, "../");
	g_string_append(target, up + strlen("/sys/"));
	fake_sysfs_put_link(fs, link, target->str);
}

/* A disk with three partitions, and one without. */
static FakeSysfs *make(void)
{
	FakeSysfs *fs = fake_sysfs_new();

	add_device(fs, SDA, 0);
	add_device(fs, SDA "/sda1", 1);
	add_device(fs, SDA "/sda2", 2);
	add_device(fs, SDA "/sda3", 3);
	fake_sysfs_put_file(fs, SDA "/sda1/partition", "1\n");
	fake_sysfs_put_file(fs, SDA "/sda2/partition", "2\n");
	fake_sysfs_put_file(fs, SDA "/sda3/partition", "3\n");
	fake_sysfs_put_file(fs, SDA "/queue/rotational", "1\n");
	add_device(fs, SDB, 16);
	fake_sysfs_put_file(fs, "proc/self/mountinfo", ROOT);
	fake_sysfs_put_file(fs, "proc/swaps", "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n");
	return fs;
}

static void assert_use(FakeSysfs *fs, guint minor_number, const char *who, gboolean writes)
{
	g_auto(HvrBlockUse) use = { 0 };

	hvr_block_use_find(&use, &fs->host, makedev(8, minor_number));
	if (g_strcmp0(use.who, who) != 0)
		fail_msg("8:%u: \"%s\", not \"%s\"", minor_number, use.who ? use.who : "(nobody)",
			 who ? who : "(nobody)");
	assert_int_equal(use.writes, writes);
}

/* One that nobody has, and one that there is not. */
static void test_nobody(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	for (guint i = 0; i < 4; i++)
		assert_use(fs, i, NULL, FALSE);
	assert_use(fs, 99, NULL, FALSE);
	fake_sysfs_remove_file(fs, "proc/self/mountinfo");
	fake_sysfs_remove_file(fs, "proc/swaps");
	assert_use(fs, 0, NULL, FALSE);
}

/* A partition that is mounted is the disk's, and no other partition's. */
static void test_mounted(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    ROOT "30 22 8:1 / /srv/a\\040b rw - ext4 /dev/sda1 rw,errors=x\n");
	assert_use(fs, 1, "'/dev/sda1' is mounted on '/srv/a b'", TRUE);
	assert_use(fs, 0, "'/dev/sda1' is mounted on '/srv/a b'", TRUE);
	assert_use(fs, 2, NULL, FALSE);
	assert_use(fs, 16, NULL, FALSE);
}

/* What no mount may write to: the file system's own word counts, not one mount's. */
static void test_mounted_readonly(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    ROOT "30 22 8:1 / /mnt rw - iso9660 /dev/sda1 ro,nojoliet\n");
	assert_use(fs, 0, "'/dev/sda1' is mounted on '/mnt'", FALSE);
	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    ROOT "30 22 8:1 / /mnt ro - ext4 /dev/sda1 rw\n");
	assert_use(fs, 0, "'/dev/sda1' is mounted on '/mnt'", TRUE);
}

/* The whole disk itself, as a partition sees it. */
static void test_whole(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	add_holder(fs, SDA, "md127", NULL, NULL);
	assert_use(fs, 3, "'/dev/sda' is part of md127", TRUE);
	assert_true(hvr_block_whole(&fs->host, makedev(8, 3)) == makedev(8, 0));
	assert_true(hvr_block_whole(&fs->host, makedev(8, 0)) == makedev(8, 0));
	assert_true(hvr_block_whole(&fs->host, makedev(8, 16)) == makedev(8, 16));
	assert_true(hvr_block_whole(&fs->host, makedev(8, 99)) == makedev(8, 99));
}

static void test_swap(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	fake_sysfs_put_file(fs, "proc/swaps",
			    "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
			    "/dev/sda2                               partition\t999420\t0\t-2\n");
	assert_use(fs, 2, "'/dev/sda2' is swap", TRUE);
	assert_use(fs, 0, "'/dev/sda2' is swap", TRUE);
	assert_use(fs, 1, NULL, FALSE);
}

/* By what their makers call them, in dm's uuid. */
static void test_holders(void **state)
{
	static const struct {
		const char *uuid, *what;
	} kinds[] = {
		{ "LVM-AbCdEf\n", "LVM's vg0-data (dm-0)" },
		{ "CRYPT-LUKS2-0123-x\n", "the encrypted vg0-data (dm-0)" },
		{ "mpath-3600\n", "multipath's vg0-data (dm-0)" },
		{ "\n", "device-mapper's vg0-data (dm-0)" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(FakeSysfs) fs = make();
		g_autofree char *who = g_strdup_printf("'/dev/sda1' is part of %s", kinds[i].what);

		add_holder(fs, SDA "/sda1", "dm-0", "vg0-data\n", kinds[i].uuid);
		assert_use(fs, 1, who, TRUE);
		assert_use(fs, 0, who, TRUE);
		fake_sysfs_put_file(fs, "sys/devices/virtual/block/dm-0/ro", "1\n");
		assert_use(fs, 1, who, FALSE);
	}
}

/* mountinfo has its first device's name alone, and no number of it. */
static void test_btrfs(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	fake_sysfs_put_file(fs, "sys/fs/btrfs/0123-4567/devices/sda1", "");
	fake_sysfs_put_file(fs, "sys/fs/btrfs/0123-4567/devices/sdb", "");
	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    ROOT "30 22 0:45 / /pool rw - btrfs /dev/sda1 rw\n");
	assert_use(fs, 1, "'/dev/sda1' is mounted on '/pool'", TRUE);
	assert_use(fs, 16, "'/dev/sdb' is in a btrfs", TRUE);
}

/* Many are not all told, and what a name holds makes no second line. */
static void test_many(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    "30 22 8:1 / /a\\012hint:\\040b rw - ext4 /dev/sda1 rw\n"
			    "31 22 8:1 / /b rw - ext4 /dev/sda1 rw\n"
			    "32 22 8:1 / /c rw - ext4 /dev/sda1 rw\n"
			    "33 22 8:3 / /d rw - ext4 /dev/sda3 rw\n");
	assert_use(fs, 0,
		   "'/dev/sda1' is mounted on '/a\\x0ahint: b', '/dev/sda1' is mounted on '/b', "
		   "'/dev/sda1' is mounted on '/c', and 1 more",
		   TRUE);
}

/* What is refused of it: to write always, to read where it may change. */
static void test_judged(void **state)
{
	static const struct {
		gboolean writes; /* the guest */
		gboolean claimed;
		HvrBlockUse use;
		gboolean refused;
	} cases[] = {
		{ TRUE, FALSE, { NULL, FALSE }, FALSE },
		{ TRUE, TRUE, { NULL, FALSE }, TRUE },
		{ TRUE, TRUE, { (char *)"x", FALSE }, TRUE },
		/* in a container O_EXCL may be all that is to be had, or sysfs */
		{ TRUE, FALSE, { (char *)"x", TRUE }, TRUE },
		{ FALSE, FALSE, { NULL, FALSE }, FALSE },
		{ FALSE, TRUE, { NULL, FALSE }, TRUE },
		{ FALSE, TRUE, { (char *)"x", FALSE }, FALSE },
		{ FALSE, TRUE, { (char *)"x", TRUE }, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrImageLink link = { .what = (char *)"[disk a] file",
					    .path = (char *)"/dev/a b",
					    .shown = (char *)"/dev/a b",
					    .writes = cases[i].writes };
		const HvrImageFile file = { .number = 1,
					    .locks = cases[i].claimed ? HVR_IMAGE_LOCK_HOST : 0 };
		g_autoptr(GError) error = NULL;

		assert_int_equal(hvr_image_check_host(&link, &file, &cases[i].use, &error),
				 !cases[i].refused);
		if (!error)
			continue;
		assert_int_equal(hvr_exit_status(error), 75);
		assert_non_null(strstr(error->message, "[disk a] file: '/dev/a b' is in use: "));
		assert_non_null(strstr(error->message, "lsblk '/dev/a b'"));
	}
}

static void test_rule(void **state)
{
	g_autoptr(FakeSysfs) fs = make();

	add_device(fs, "sys/devices/virtual/block/dm-3", 7);
	fake_sysfs_put_file(fs, "sys/devices/virtual/block/dm-3/dm/name", "vg0-data\n");
	g_autofree char *part = hvr_block_rule(&fs->host, makedev(8, 1), "lab");
	g_autofree char *mapped = hvr_block_rule(&fs->host, makedev(8, 7), "lab");
	assert_string_equal(part, "SUBSYSTEM==\"block\", KERNEL==\"sda1\", OWNER=\"lab\"");
	assert_string_equal(mapped,
			    "SUBSYSTEM==\"block\", ENV{DM_NAME}==\"vg0-data\", OWNER=\"lab\"");
	assert_null(hvr_block_rule(&fs->host, makedev(8, 99), "lab"));
}

/* What a VM named @vm that writes to @minor_number is told; NULL: it may. [transfer full] */
static char *reserve(FakeSysfs *fs, const char *vm, guint minor_number, GPtrArray *locks)
{
	static const char text[] = "[vm]\nmemory = 64M\n[disk root]\nfile = /dev/x\n"
				   "format = raw\n";
	const HvrImageUsed used = { .number = makedev(8, minor_number), .writes = TRUE };
	HvrUser user = { .name = (char *)"lab", .uid = geteuid(), .gid = getegid() };
	HvrParts parts = { .user = &user, .images.used = g_array_new(FALSE, FALSE, sizeof(used)) };
	int root = open(fs->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	HvrContext context = { .host = *fake_sysfs_host(fs),
			       .runtime = hvr_runtime_open(root, "runtime", NULL) };
	g_autoptr(HvrProfile) profile = hvr_profile_parse("/x.ini", text, strlen(text), NULL, NULL);
	g_autoptr(GError) error = NULL;

	/* two names for one are what it is about */
	g_free(((HvrProfileDisk *)profile->disks->pdata[0])->file);
	((HvrProfileDisk *)profile->disks->pdata[0])->file = g_strconcat("/dev/", vm, NULL);
	hvr_profile_rename(profile, vm);
	g_array_append_val(parts.images.used, used);
	gboolean good = hvr_reserve(&context, profile, &parts, locks, &error);
	g_array_unref(parts.images.used);
	close(context.runtime);
	close(root);
	assert_true(good == !error);
	if (error)
		assert_int_equal(error->code, HVR_LAUNCH_ERROR_BUSY);
	return error ? g_strdup(error->message) : NULL;
}

/* Of two VMs: a disk and a partition of it are one to write to, two partitions are two. */
static void test_two_vms(void **state)
{
	static const struct {
		guint first, second;
		const char *message; /* what it holds; NULL: both have what they want */
	} cases[] = {
		{ 0, 0, "in use by VM 'first'" },
		{ 0, 2, "[disk root] file: '/dev/second': VM 'first' has the disk" },
		{ 2, 0, "VM 'first' has the disk that it is a partition of, or one of its" },
		{ 1, 2, NULL },
		{ 0, 16, NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		FakeSysfs *fs = make();
		GPtrArray *first = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
		GPtrArray *second =
			g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);

		assert_null(reserve(fs, "first", cases[i].first, first));
		g_autofree char *message = reserve(fs, "second", cases[i].second, second);
		if (!message != !cases[i].message ||
		    (message && !strstr(message, cases[i].message)))
			fail_msg("%u: %s", i, message ? message : "(none)");
		g_ptr_array_unref(second);
		g_ptr_array_unref(first);
		fake_sysfs_free(fs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_mounted),
		cmocka_unit_test(test_mounted_readonly),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_holders),
		cmocka_unit_test(test_btrfs),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_two_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
