/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a card's BARs take of a port's windows, by the kernel's attribute "resource". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/bars.h"

#define CARD  "0000:02:00.0"
#define EMPTY "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define KIB   G_GUINT64_CONSTANT(1024)
#define MIB   (KIB * 1024)
#define GIB   (MIB * 1024)

/* In the kernel's form (resource_show()), with its flags (include/linux/ioport.h): not of a
 * recorded card. */
static void test_read(void **state)
{
	static const struct {
		const char *text;
		guint64 prefetchable, memory, rom;
		const char *kinds; /* G, I, U, F: in the order of HvrBarKind */
	} cases[] = {
		/* three small 64-bit prefetchable ones, of which the second is less than a page */
		{ "0x000000fe00000000 0x000000fe00003fff 0x000000000014220c\n" EMPTY
		  "0x000000fe00008000 0x000000fe000081ff 0x000000000014220c\n" EMPTY
		  "0x000000fe00004000 0x000000fe00007fff 0x000000000014220c\n" EMPTY EMPTY,
		  36 * KIB, 0, 0, "GUGUGU" },
		/* 32-bit, 64-bit prefetchable of 16 GiB, I/O, and a ROM; virtual functions behind
		 */
		{ "0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200\n"
		  "0x0000003800000000 0x0000003bffffffff 0x000000000014220c\n" EMPTY EMPTY EMPTY
		  "0x000000000000e000 0x000000000000e07f 0x0000000000040101\n"
		  "0x00000000f7000000 0x00000000f707ffff 0x0000000000046200\n"
		  "0x0000004000000000 0x000000ffffffffff 0x000000000014220c\n",
		  16 * GIB, 16 * MIB, 512 * KIB, "GGUGGI" },
		/* 64-bit but not prefetchable, and prefetchable but 32-bit, are below 4 GiB */
		{ "0x00000000e0000000 0x00000000e0ffffff 0x0000000000140204\n" EMPTY
		  "0x00000000d0000000 0x00000000d7ffffff 0x0000000000042208\n",
		  0, 144 * MIB, 0, "GUGGGG" },
		/* what twice of is not to be had: 1 GiB is, and all that is 64-bit */
		{ "0x0000000080000000 0x00000000bfffffff 0x0000000000040200\n"
		  "0x0000000040000000 0x00000000bfffffff 0x0000000000040200\n"
		  "0x0000003800000000 0x000000387fffffff 0x0000000000140204\n",
		  0, 5 * GIB, 0, "GFGUGG" },
		/* the kernel has found no place for it */
		{ "0x0000000000000000 0x00000000000fffff 0x000000002014220c\n", MIB, 0, 0,
		  "GUGGGG" },
		{ "", 0, 0, 0, "GGGGGG" },
		{ "nonsense\n0x10 0x1 0x200\n", 0, 0, 0, "GGGGGG" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();
		HvrBars bars;

		fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
		fake_sysfs_put_file(fs, "sys/bus/pci/devices/" CARD "/resource", cases[i].text);
		hvr_bars_read(&fs->host, CARD, &bars);
		assert_true(bars.prefetchable == cases[i].prefetchable);
		assert_true(bars.memory == cases[i].memory);
		assert_true(bars.rom == cases[i].rom);
		for (guint k = 0; k < HVR_BARS; k++)
			assert_int_equal("GIUF"[bars.kinds[k]], cases[i].kinds[k]);
	}
}

static void test_absent(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	HvrBars bars = { .memory = 1 };

	hvr_bars_read(&fs->host, CARD, &bars);
	assert_true(bars.prefetchable == 0 && bars.memory == 0 && bars.rom == 0);
}

static void test_window(void **state)
{
	assert_true(hvr_bars_window(0) == 1);
	assert_true(hvr_bars_window(4096) == 4096);
	assert_true(hvr_bars_window(4097) == 8192);
	assert_true(hvr_bars_window(G_MAXUINT64) == G_GUINT64_CONSTANT(1) << 62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
