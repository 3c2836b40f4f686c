/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard module says of itself, and what is concluded from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/guard.h"
#include "vfio/quirks.h"

#define CARDS	"sys/module/hailo_vm_run_guard/parameters/cards"
#define RELEASE "6.1.0-40-amd64"

static HvrPciFunction function_at(guint8 bus, guint8 slot)
{
	return (HvrPciFunction){ .address = { .bus = bus, .slot = slot } };
}

/* Nothing is there: nothing is guarded. */
static void test_none(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrPciFunction card = function_at(2, 0);
	g_autoptr(HvrGuard) guard = hvr_guard_look(&fs->host);

	assert_false(guard->loaded);
	assert_false(hvr_guard_is_installed(&fs->host));
	assert_false(hvr_guard_keeps(guard, &card));
	assert_false(hvr_guard_keeps(NULL, &card));
}

/* The card, and what shares its bus; not one of another bus or domain. */
static void test_loaded(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrPciFunction card = function_at(2, 0), beside = function_at(2, 1);
	const HvrPciFunction other = function_at(3, 0);
	const HvrPciFunction far = { .address = { .domain = 1, .bus = 2 } };

	fake_sysfs_put_file(fs, CARDS, "0000:02:00.0\n0000:09:00.0\n");
	g_autoptr(HvrGuard) guard = hvr_guard_look(&fs->host);
	assert_true(guard->loaded);
	assert_true(hvr_guard_keeps(guard, &card));
	assert_true(hvr_guard_keeps(guard, &beside));
	assert_false(hvr_guard_keeps(guard, &other));
	assert_false(hvr_guard_keeps(guard, &far));
}

/* Loaded for other cards, or somebody else's module of the same name. */
static void test_not_ours(void **state)
{
	static const char *const said[] = { "", "0000:02:00\n", "all\n",
					    "0000:02:00.0 and more\n" };
	const HvrPciFunction card = function_at(2, 0);

	for (guint i = 0; i < G_N_ELEMENTS(said); i++) {
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();
		fake_sysfs_put_file(fs, CARDS, said[i]);
		g_autoptr(HvrGuard) guard = hvr_guard_look(&fs->host);
		assert_true(guard->loaded);
		assert_false(hvr_guard_keeps(guard, &card));
	}
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	fake_sysfs_put_file(fs, "sys/module/hailo_vm_run_guard/refcnt", "0\n");
	g_autoptr(HvrGuard) guard = hvr_guard_look(&fs->host);
	assert_true(guard->loaded);
	assert_false(hvr_guard_keeps(guard, &card));
}

/* Where DKMS and modules_install put it, packed or not, for the kernel that runs alone. */
static void test_installed(void **state)
{
	static const struct {
		const char *path;
		gboolean installed;
	} cases[] = {
		{ "lib/modules/" RELEASE "/updates/dkms/hailo-vm-run-guard.ko", TRUE },
		{ "usr/lib/modules/" RELEASE "/updates/dkms/hailo-vm-run-guard.ko.xz", TRUE },
		{ "lib/modules/" RELEASE "/extra/hailo-vm-run-guard.ko.zst", TRUE },
		{ "lib/modules/" RELEASE "/updates/hailo-vm-run-guard.ko.gz", TRUE },
		{ "lib/modules/6.1.0-41-amd64/updates/dkms/hailo-vm-run-guard.ko", FALSE },
		{ "lib/modules/" RELEASE "/updates/dkms/hailo-vm-run-guard.ko.old", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();
		fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", RELEASE "\n");
		fake_sysfs_put_file(fs, cases[i].path, "");
		g_autoptr(HvrGuard) guard = hvr_guard_look(&fs->host);
		gboolean installed = hvr_guard_is_installed(&fs->host);
		if (guard->loaded || installed != cases[i].installed)
			fail_msg("%s: %d", cases[i].path, installed);
	}
}

/* Which cards it would be for, by modprobe.d's options or by itself. */
static void test_would_keep(void **state)
{
	static const struct {
		guint16 device;
		const char *options;
		gboolean kept;
	} cases[] = {
		{ 0x2864, "", TRUE },
		{ 0x45c4, "", FALSE },
		{ 0x2864, "ids=1e60:2864", TRUE },
		{ 0x45c4, "ids=1e60:2864,1E60:45C4", TRUE },
		{ 0x2864, "ids=8086:100e", FALSE },
		{ 0x2864, "ids=1e60:28641", FALSE },
		{ 0x2864, "ids=1e60:2864 ids=8086:100e", FALSE },
		{ 0x2864, "ids=", FALSE },
		{ 0x2864, NULL, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction card = { .vendor = 0x1e60,
					      .device = cases[i].device,
					      .quirk = hvr_quirk_find(0x1e60, cases[i].device) };
		const HvrGuard guard = { .options = (char *)cases[i].options };
		if (hvr_guard_would_keep(&guard, &card) != cases[i].kept)
			fail_msg("case %u", i);
	}
}

/* The module's own list is of those whose resets the table switches off, and of no other. */
static void test_default_ids(void **state)
{
	g_autofree char *source = NULL;
	g_autoptr(GString) ids = g_string_new(NULL);

	assert_true(g_file_get_contents(SOURCE_ROOT "/vfio/guard/hailo-vm-run-guard.c", &source,
					NULL, NULL));
	for (guint device = 0; device <= G_MAXUINT16; device++) {
		const HvrQuirk *quirk = hvr_quirk_find(0x1e60, (guint16)device);
		if (quirk && g_strcmp0(quirk->reset_method, "") == 0)
			g_string_append_printf(ids, "%s1e60:%04x", ids->len ? "," : "", device);
	}
	g_autofree char *line =
		g_strdup_printf("static char ids[IDS_MAX * 12] = \"%s\";", ids->str);
	assert_non_null(strstr(source, line));
	g_autofree char *most = g_strdup_printf("#define IDS_MAX %d\n", HVR_GUARD_MOST);
	assert_non_null(strstr(source, most));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),	   cmocka_unit_test(test_loaded),
		cmocka_unit_test(test_not_ours),   cmocka_unit_test(test_installed),
		cmocka_unit_test(test_would_keep), cmocka_unit_test(test_default_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
