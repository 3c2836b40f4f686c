/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where udev does not run, nobody waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/udev.h"

/* What must come comes at once; so long waits a test that would fail. */
#define LONG_MS 20000

/* There is nothing to hear. */
static void test_no_udev(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	HvrHost host = fs->host;

	assert_null(hvr_udev_watch_new(&host, "vfio"));
	host.run = -1;
	assert_null(hvr_udev_watch_new(&host, "vfio"));
	assert_true(hvr_udev_watch_wait(NULL, "14", LONG_MS));
	hvr_udev_watch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_udev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
