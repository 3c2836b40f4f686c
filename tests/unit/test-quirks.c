/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of accelerators: found by vendor and device together, each entry whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vfio/quirks.h"

/* The Hailo-8: no reset method is left. */
static void test_hailo8(void **state)
{
	const HvrQuirk *quirk = hvr_quirk_find(0x1e60, 0x2864);

	assert_non_null(quirk);
	assert_string_equal(quirk->name, "Hailo-8 AI accelerator");
	assert_string_equal(quirk->reset_method, "");
}

/* The others keep the kernel's reset methods: nothing else is known to be needed. */
static void test_others(void **state)
{
	static const struct {
		guint16 device;
		const char *name;
	} cases[] = {
		{ 0x45c4, "Hailo-10H AI accelerator" },
		{ 0x43a2, "Hailo-15L AI accelerator" },
		{ 0x26a2, "Hailo Mars AI accelerator" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrQuirk *quirk = hvr_quirk_find(0x1e60, cases[i].device);

		assert_non_null(quirk);
		assert_string_equal(quirk->name, cases[i].name);
		assert_null(quirk->reset_method);
	}
}

/* Those of which Linux knows that an FLR will not do are no accelerators. */
static void test_cares(void **state)
{
	static const struct {
		guint16 vendor, device;
		const char *name;
	} cases[] = {
		{ 0x144d, 0xa802, "Samsung SM951 or PM951" },
		{ 0x144d, 0xa804, "Samsung SM961 or PM961" },
		{ 0x8086, 0x0953, "Intel DC P3700" },
		{ 0x8086, 0x0a54, "Intel DC P4510" },
		{ 0x025e, 0xf1ac, "Solidigm P44 Pro" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrResetCare *care = hvr_reset_care_find(cases[i].vendor, cases[i].device);

		assert_non_null(care);
		assert_string_equal(care->name, cases[i].name);
		assert_non_null(care->why);
		assert_null(hvr_quirk_find(cases[i].vendor, cases[i].device));
	}
	assert_null(hvr_reset_care_find(0x144d, 0xa808));
	assert_null(hvr_reset_care_find(0x1e60, 0x2864));
	assert_null(hvr_reset_care_find(0x1ac1, 0x089a));
}

/* One half of an identity is nobody's. */
static void test_unknown(void **state)
{
	assert_null(hvr_quirk_find(0x1e60, 0x2865));
	assert_null(hvr_quirk_find(0x1e61, 0x2864));
	assert_null(hvr_quirk_find(0x2864, 0x1e60));
	assert_null(hvr_quirk_find(0, 0));
	assert_null(hvr_quirk_find(0xffff, 0xffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hailo8),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cares),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
