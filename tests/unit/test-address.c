/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parsers take the kernel's spelling, in either case, and nothing around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vfio/address.h"

/* What is an address is printed again as the kernel has it. */
static void test_parse(void **state)
{
	static const struct {
		const char *text, *formatted;
	} cases[] = {
		{ "02:00.0", "0000:02:00.0" },		{ "0000:02:00.0", "0000:02:00.0" },
		{ "00000000:02:00.0", "0000:02:00.0" }, { "ABCD:Ef:1F.7", "abcd:ef:1f.7" },
		{ "10000:e1:00.0", "10000:e1:00.0" },	{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char buffer[HVR_PCI_ADDRESS_SIZE];
		HvrPciAddress address;

		if (!hvr_pci_address_parse(cases[i].text, &address))
			fail_msg("'%s' is an address", cases[i].text);
		assert_string_equal(hvr_pci_address_format(&address, buffer), cases[i].formatted);
	}
}

/* Whatever else is refused, and the result is not touched. */
static void test_parse_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"0",
		"02:00",
		"02:00.",
		"02:00.8",  /* functions are 0 to 7 */
		"02:20.0",  /* slots end at 1f */
		"02:00.00", /* two digits */
		"2:00.0",   /* one digit */
		"02:0.0",
		"002:00.0",
		"0000:2:00.0",
		"000:02:00.0",
		"000000000:02:00.0",
		"0000:02:00.0\n",
		"0000:02:00.0 ",
		" 0000:02:00.0",
		"0000:02:00.0/..",
		"0000:02:00.0:",
		"+000:02:00.0",
		"0x00:02:00.0",
		"0000-02-00.0",
		"0000:02:00:0",
		"g000:02:00.0",
		"0000::00.0",
		"../../../etc",
		"\xd9\xa0\xd9\xa0:00.0", /* digits, but Arabic ones */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		HvrPciAddress address = { 1, 2, 3, 4 };

		if (hvr_pci_address_parse(cases[i], &address))
			fail_msg("'%s' is no address", cases[i]);
		assert_int_equal(address.domain, 1);
		assert_int_equal(address.function, 4);
	}
}

/* The order is domain, bus, slot, function, and large domains do not wrap. */
static void test_compare(void **state)
{
	static const char *const sorted[] = {
		"0000:00:00.0", "0000:00:00.7", "0000:00:1f.0",	 "0000:02:00.0",
		"0000:ff:00.0", "0001:00:00.0", "10000:00:00.0", "ffffffff:00:00.0",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(sorted); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(sorted); j++) {
			HvrPciAddress a, b;
			int order;

			assert_true(hvr_pci_address_parse(sorted[i], &a));
			assert_true(hvr_pci_address_parse(sorted[j], &b));
			order = hvr_pci_address_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

/* A stable path is normalised to lower case, without a domain of 0; normal ones stay. */
static void test_path_normalise(void **state)
{
	static const struct {
		const char *text, *normal;
	} cases[] = {
		{ "00:1c.4/00.0", "00:1c.4/00.0" },
		{ "00:1C.4/00.0", "00:1c.4/00.0" },
		{ "0000:00:1c.4/00.0", "00:1c.4/00.0" },
		{ "10000:e0:06.0/00.0", "10000:e0:06.0/00.0" },
		{ "00:02.0", "00:02.0" },
		{ "00:01.0/00.0/0a.0/1f.7", "00:01.0/00.0/0a.0/1f.7" },
		{ "", NULL },
		{ "/", NULL },
		{ "00:1c.4/", NULL },
		{ "/00:1c.4", NULL },
		{ "00:1c.4//00.0", NULL },
		{ "00:1c.4/00.8", NULL },
		{ "00:1c.4/20.0", NULL },
		{ "00:1c.4/0.0", NULL },
		{ "00:1c.4/00:00.0", NULL },
		{ "1c.4/00.0", NULL },
		{ "00:1c.4/..", NULL },
		{ "00:1c.4/00.0 ", NULL },
		{ "00:1c.4 /00.0", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *normal = hvr_pci_path_normalise(cases[i].text);

		if (cases[i].normal)
			assert_string_equal(normal, cases[i].normal);
		else if (normal)
			fail_msg("'%s' is no stable path", cases[i].text);
	}
}

/* The kernel's place of a function becomes a stable path, by the last root bus in it. */
static void test_path_from_sysfs(void **state)
{
	static const struct {
		const char *target, *path;
	} cases[] = {
		{ "../../../devices/pci0000:00/0000:00:1c.4/0000:02:00.0", "00:1c.4/00.0" },
		{ "devices/pci0000:00/0000:00:02.0", "00:02.0" },
		{ "devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
		  "10000:e0:06.0/00.0" },
		{ "devices/platform/soc/fd500000.pcie/pci0001:00/0001:00:00.0/0001:01:00.0",
		  "0001:00:00.0/00.0" },
		{ "devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:03.0/0000:05:00.1",
		  "00:01.0/00.0/03.0/00.1" },
		{ "pci0000:00/0000:00:02.0", "00:02.0" },
		{ "", NULL },
		{ "0000:02:00.0", NULL },
		{ "devices/0000:00:1c.4/0000:02:00.0", NULL },
		{ "devices/pci0000:00", NULL },
		{ "devices/pci0000:00/0000:00:1c.4/", NULL },
		{ "devices/pci0000:00/0000:00:1c.4/net/eth0", NULL },
		{ "devices/pci0000/0000:00:1c.4", NULL },
		{ "devices/pci0000:00x/0000:00:1c.4", NULL },
		{ "devices/virtual/net/lo", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = hvr_pci_path_from_sysfs(cases[i].target);

		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else if (path)
			fail_msg("'%s' gives '%s'", cases[i].target, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_compare),		cmocka_unit_test(test_path_normalise),
		cmocka_unit_test(test_path_from_sysfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
