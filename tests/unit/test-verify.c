/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest says of its Hailo-8, judged: outputs of the real driver and tools as they are known,
 * each failure held to the words that tell it and to the thing to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/guest/verify.h"

#define IDENTIFY                                                                                   \
	"Executing on device: 0000:01:00.0\nIdentifying board\nControl Protocol Version: 2\n"      \
	"Firmware Version: 4.23.0 (release,app,extended context switch buffer)\n"                  \
	"Logger Version: 0\nBoard Name: Hailo-8\nDevice Architecture: HAILO8\n"                    \
	"Serial Number: HLLWM2A224101556\nPart Number: HM218B1C2FAE\n"                             \
	"Product Name: HAILO-8 AI ACC M.2 M KEY MODULE EXT TEMP\n"
#define FAILED "[HailoRT] [error] CHECK_SUCCESS failed with status="

/* One guest: a good one, but for what is named. */
typedef struct {
	const char *driver, *driver5, *node, *problem, *log;
	int version_status;
	const char *version;
	int identify_status;
	const char *identify;
} Guest;

static const Guest good = {
	.driver = "4.23.0",
	.node = "hailo0",
	.log = "[    1.0] hailo 0000:01:00.0: Probing: Device enabled\n",
	.version = "HailoRT-CLI version 4.23.0\n",
	.identify = IDENTIFY,
};

static GPtrArray *judge(const Guest *guest, const char *minimum)
{
	g_auto(HvrVerifyFacts) facts = {
		.driver = g_strdup(guest->driver),
		.driver5 = g_strdup(guest->driver5),
		.nodes = g_ptr_array_new(),
		.log = g_strdup(guest->log),
		.version = { guest->version_status, g_strdup(guest->version) },
		.identify = { guest->identify_status, g_strdup(guest->identify) },
	};

	if (guest->node)
		g_ptr_array_add(facts.nodes, hvr_verify_node_new(guest->node, guest->problem));
	return hvr_verify_judge(&facts, minimum);
}

static const HvrCheckResult *find(const GPtrArray *results, const char *id)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (g_str_equal(result->id, id))
			return result;
	}
	return NULL;
}

static void must_fail(const Guest *guest, const char *id, const char *seen, const char *fix)
{
	g_autoptr(GPtrArray) results = judge(guest, "4.20");
	const HvrCheckResult *result = find(results, id);

	assert_non_null(result);
	assert_int_equal(result->status, HVR_CHECK_FAIL);
	if (!strstr(result->seen, seen) || !strstr(result->fix, fix))
		fail_msg("%s: %s; %s", id, result->seen, result->fix);
	assert_int_equal(hvr_check_exit_status(results), 1);
}

/* A guest in which everything is as it should be. */
static void test_good(void **state)
{
	g_autoptr(GPtrArray) results = judge(&good, "4.20");
	const HvrCheckResult *card = find(results, "guest-card");

	for (guint i = 0; i < results->len; i++)
		assert_int_equal(((HvrCheckResult *)g_ptr_array_index(results, i))->status,
				 HVR_CHECK_PASS);
	assert_int_equal(results->len, 6);
	assert_int_equal(hvr_check_exit_status(results), 0);
	assert_non_null(strstr(card->seen, "HAILO8, firmware 4.23.0"));
	assert_non_null(strstr(card->seen, "HLLWM2A224101556"));
}

/* hailortcli's known failures, by the words, and by the status alone. */
static void test_known(void **state)
{
	static const struct {
		int status;
		const char *text, *seen, *fix;
	} cases[] = {
		{ 36, "[error] Failed to open device file /dev/hailo0 with error 6\n", "BAR",
		  "plug" },
		{ 36, FAILED "HAILO_DRIVER_OPERATION_FAILED(36)\n", "refused", "dmesg" },
		{ 64, FAILED "HAILO_DRIVER_NOT_INSTALLED(64)\n", "not loaded", "modprobe" },
		{ 73, FAILED "HAILO_DEVICE_IN_USE(73)\n", "another process", "hailort.service" },
		{ 74, FAILED "HAILO_OUT_OF_PHYSICAL_DEVICES(74)\n", "no free card", "status" },
		{ 76, FAILED "HAILO_INVALID_DRIVER_VERSION(76)\n", "different versions",
		  "one release" },
		{ 13, FAILED "HAILO_OPEN_FILE_FAILURE(13)\n", "cannot be opened", "udev" },
		{ 1, "Hailo devices not found\n", "finds no card", "in the VM" },
		{ 36, "", "refused", "dmesg" },
		{ 64, "", "not loaded", "modprobe" },
		{ 73, "", "another process", "hailort.service" },
		{ 74, "", "no free card", "status" },
		{ 76, "", "different versions", "one release" },
		{ 99, "what is that", "status 99: what is that", "dmesg" },
		{ 0, "Executing on device: 0000:01:00.0\n", "status 0", "dmesg" },
		{ -1, NULL, "did not end", "power cycle" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Guest guest = good;
		guest.identify_status = cases[i].status;
		guest.identify = cases[i].text;
		must_fail(&guest, "guest-card", cases[i].seen, cases[i].fix);
	}
}

/* What the guest's kernel says, if it is the Hailo driver that says it. */
static void test_log(void **state)
{
	static const char *const lines[][2] = {
		{ "hailo 0000:01:00.0: Firmware file not found", "hailo8_fw.bin" },
		{ "hailo1x 0000:01:00.0: Failed init pcie resources", "4.x" },
		{ "hailo: Device disconnected while opening device", "plug" },
		{ "hailo: hailo_nnc_driver_down, timeout waiting for shutdown response", "plug" },
		{ "hailo: probe of 0000:01:00.0 failed with error -19", "plug" },
		{ "hailo1x: probe of 0000:01:00.0 failed with error -22", "4.x" },
		{ "hailo 0000:01:00.0: Failed to enable MSI -28", "MSI" },
		{ "hailo 0000:01:00.0: Firmware batch was already loaded", "4.20" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *log =
			g_strdup_printf("[ 1.0] pci: fine\n[ 2.0] %s\n[ 3.0] x\n", lines[i][0]);
		Guest guest = good;
		guest.log = log;
		must_fail(&guest, "guest-log", "kernel log says", lines[i][1]);
	}
	Guest guest = good;
	guest.log = "[ 1.0] i915: probe of 0000:00:02.0 failed with error -19\n[ 2.0] hailo: ok\n";
	g_autoptr(GPtrArray) results = judge(&guest, "4.20");
	assert_int_equal(find(results, "guest-log")->status, HVR_CHECK_PASS);
}

/* The driver: none, the wrong line, too old. */
static void test_driver(void **state)
{
	Guest guest = good;

	guest.driver = NULL;
	must_fail(&guest, "guest-driver", "not loaded", "modprobe hailo_pci");
	guest.driver5 = "5.3.0";
	must_fail(&guest, "guest-driver", "5.x, which knows no Hailo-8", "4.x");
	/* 5.0.0 is still hailo_pci, which does. */
	guest.driver = "5.0.0";
	g_autoptr(GPtrArray) results = judge(&guest, "4.20");
	assert_int_equal(find(results, "guest-driver")->status, HVR_CHECK_PASS);
	guest.driver = "4.19.0";
	must_fail(&guest, "guest-minimum", "4.19.0, older than 4.20", "newer HailoRT");
	must_fail(&guest, "guest-library", "library is 4.23.0, the driver 4.19.0", "one release");
}

/* Nodes: none, dead, forbidden. */
static void test_nodes(void **state)
{
	Guest guest = good;

	guest.node = NULL;
	must_fail(&guest, "guest-node", "no hailo node", "status");
	guest.node = "hailo0";
	guest.problem = "failed to open file '/dev/hailo0' (mode: 'r'): No such device or address";
	must_fail(&guest, "guest-node", "error 6", "plug");
	guest.problem = "failed to open file '/dev/hailo0' (mode: 'r'): Permission denied";
	must_fail(&guest, "guest-node", "Permission denied", "dmesg");
}

/* Tools: absent, broken. A log that cannot be read spoils nothing. */
static void test_library(void **state)
{
	Guest guest = good;

	guest.version_status = guest.identify_status = 127;
	guest.version = "env: 'hailortcli': No such file or directory";
	must_fail(&guest, "guest-library", "no hailortcli", "install HailoRT");
	guest.version_status = 0;
	guest.version = "gibberish";
	must_fail(&guest, "guest-library", "status 0", "anew");
	guest = good;
	guest.version_status = -1;
	guest.version = NULL;
	must_fail(&guest, "guest-library", "did not end in time", "overloaded");
	/* It was there a moment ago. */
	guest = good;
	guest.identify_status = 127;
	guest.identify = "env: 'hailortcli': No such file or directory";
	must_fail(&guest, "guest-card", "status 127", "dmesg");
	guest = good;
	guest.log = NULL;
	g_autoptr(GPtrArray) results = judge(&guest, "4.20");
	assert_int_equal(hvr_check_exit_status(results), 0);
}

/* The library takes firmware of another revision, but not of another minor version. */
static void test_firmware(void **state)
{
	static const struct {
		const char *firmware;
		gboolean well;
	} cases[] = {
		{ "4.23.0", TRUE }, { "4.23.1", TRUE },	 { "4.22.0", FALSE },
		{ "4.2.0", FALSE }, { "5.23.0", FALSE }, { "unknown", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf(
			"Firmware Version: %s (release,app)\nDevice Architecture: HAILO8\n",
			cases[i].firmware);
		Guest guest = good;
		guest.identify = text;
		g_autoptr(GPtrArray) results = judge(&guest, "4.20");
		assert_int_equal(hvr_check_exit_status(results), !cases[i].well);
		if (!cases[i].well)
			must_fail(&guest, "guest-card", "the library is 4.23.0", "hailo8_fw.bin");
	}
}

/* Bytes of a guest become one text, and no NUL ends it. */
static void test_text(void **state)
{
	static const guint8 out[] = "\0\0Name: x\0\0\nNext: y", err[] = "why\n";
	g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
	g_autofree char *nothing = hvr_verify_text(NULL, NULL);
	g_autofree char *empty = hvr_verify_text(first, second);

	assert_string_equal(nothing, "");
	assert_string_equal(empty, "");
	g_byte_array_append(first, out, sizeof(out) - 1);
	g_byte_array_append(second, err, sizeof(err) - 1);
	g_autofree char *text = hvr_verify_text(first, second);
	assert_string_equal(text, "  Name: x  \nNext: y\nwhy\n");
	assert_true(hvr_verify_is_blank(NULL));
	assert_true(hvr_verify_is_blank(" \n\t\r\n"));
	assert_false(hvr_verify_is_blank(" \n."));
}

/* Where identify says nothing, scan is asked; what it says that is not known is shown. */
static void test_silence(void **state)
{
	static const struct {
		const char *said, *scan, *seen, *fix;
	} cases[] = {
		{ "", NULL, "no output: HailoRT finds no card", "in the VM" },
		{ " \n", "Hailo devices not found\n",
		  "no output; hailortcli scan: Hailo devices not found: HailoRT finds no card",
		  "in the VM" },
		{ "", "Hailo Devices:\n[-] Device: 0000:01:00.0\n",
		  "no output; hailortcli scan: status 0: Hailo Devices: [-] Device: 0000:01:00.0",
		  "dmesg" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrVerifyFacts) facts = {
			.driver = g_strdup("4.23.0"),
			.version = { 0, g_strdup("HailoRT-CLI version 4.23.0\n") },
			.identify = { 0, g_strdup(cases[i].said) },
			.scan = { 0, g_strdup(cases[i].scan) },
		};
		g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, "4.20");
		const HvrCheckResult *card = find(results, "guest-card");
		assert_int_equal(card->status, HVR_CHECK_FAIL);
		assert_non_null(strstr(card->seen, cases[i].seen));
		assert_non_null(strstr(card->fix, cases[i].fix));
	}
}

/* Whether the card is on the guest's bus says whose fault it is that there is no node. */
static void test_bus(void **state)
{
	g_auto(HvrVerifyFacts)
		facts = { .driver = g_strdup("4.23.0"), .pci = g_strdup("0100\t1e602864\tb\n") };
	g_autoptr(GPtrArray) there = hvr_verify_judge(&facts, "4.20");

	assert_non_null(strstr(find(there, "guest-node")->seen, "01:00.0 is on the guest's PCI"));
	g_free(facts.pci);
	facts.pci = g_strdup("0000\t80861237\t0\n");
	g_autoptr(GPtrArray) absent = hvr_verify_judge(&facts, "4.20");
	assert_non_null(strstr(find(absent, "guest-node")->seen, "no Hailo on the guest's PCI"));
	assert_non_null(strstr(find(absent, "guest-node")->fix, "plug"));
}

/* A guest's words are no commands to a terminal, and have an end. */
static void test_hostile(void **state)
{
	g_autofree char *long_text = g_strnfill(100000, 'x');
	Guest guest = good;

	guest.identify_status = 5;
	guest.identify = "\033[2J\033]0;owned\007\n\xff\xfe";
	g_autoptr(GPtrArray) results = judge(&guest, "4.20");
	const HvrCheckResult *card = find(results, "guest-card");
	for (const char *at = card->seen; *at; at++)
		assert_false(g_ascii_iscntrl(*at));
	assert_true(g_utf8_validate(card->seen, -1, NULL));
	guest.identify = long_text;
	guest.driver = long_text;
	g_autoptr(GPtrArray) bounded = judge(&guest, "4.20");
	for (guint i = 0; i < bounded->len; i++)
		assert_true(strlen(((HvrCheckResult *)g_ptr_array_index(bounded, i))->seen) < 600);
}

static void test_versions(void **state)
{
	static const char *const found[][2] = {
		{ "HailoRT-CLI version 4.23.0", "4.23.0" },
		{ "4.20", "4.20" },
		{ "v4.20.1-rc", "4.20.1" },
		{ "4.", NULL },
		{ "x", NULL },
		{ "", NULL },
		{ "1 of 2: 10.20.30.40", "10.20.30" },
		{ "4.20.", "4.20" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(found); i++) {
		g_autofree char *version = hvr_verify_find_version(found[i][0]);
		assert_int_equal(g_strcmp0(version, found[i][1]), 0);
	}
	assert_true(hvr_verify_compare("4.9", "4.20") < 0);
	assert_true(hvr_verify_compare("4.20", "4.20.0") == 0);
	assert_true(hvr_verify_compare("5.0.0", "4.23.9") > 0);
	assert_true(hvr_verify_compare("4.20.1", "4.20") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	 cmocka_unit_test(test_known),
		cmocka_unit_test(test_log),	 cmocka_unit_test(test_driver),
		cmocka_unit_test(test_nodes),	 cmocka_unit_test(test_library),
		cmocka_unit_test(test_hostile),	 cmocka_unit_test(test_versions),
		cmocka_unit_test(test_firmware), cmocka_unit_test(test_text),
		cmocka_unit_test(test_silence),	 cmocka_unit_test(test_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
