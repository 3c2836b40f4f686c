/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What check asks follows the profile, and what it says last is what is to be read. */
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "compat/compat.h"
#include "launcher/check/check.h"
#include "launcher/host/decide.h"
#include "launcher/profile/read.h"
#include "tests/fake/layouts.h"

/* A QEMU without vfio-pci. Not below the fake machine: that may be noexec. */
static char *folder, *binary;

static int set_up(void **state)
{
	static const char text[] =
		"#!/bin/sh\ncase \"$*\" in\n"
		"'-sandbox on -version') echo ok;;\n"
		"-version) echo 'QEMU emulator version 7.2.22 (Debian)';;\n"
		"'-machine none -device help') echo 'name \"pcie-root-port\", bus PCI';;\n"
		"*) exit 9;;\nesac\n";

	folder = g_dir_make_tmp("hvr-check-shape-XXXXXX", NULL);
	assert_non_null(folder);
	assert_int_equal(chmod(folder, 0755), 0);
	binary = g_build_filename(folder, "qemu", NULL);
	assert_true(g_file_set_contents(binary, text, -1, NULL));
	assert_int_equal(chmod(binary, 0755), 0);
	return 0;
}

static int tear_down(void **state)
{
	g_unlink(binary);
	g_rmdir(folder);
	g_free(folder);
	g_free(binary);
	return 0;
}

static HvrContext context_of(FakeSysfs *fs)
{
	return (HvrContext){ .host = fs->host,
			     .runtime = -1,
			     .runtime_parent = -1,
			     .privileged = TRUE,
			     .memlock_max = G_MAXUINT64,
			     .runtime_path = "",
			     .system_config = "/nowhere" };
}

static HvrProfile *profile_of(const char *more)
{
	g_autofree char *text = g_strdup_printf(
		"[vm]\nmemory = 4G\naccel = tcg\n[qemu]\nbinary = %s\n%s", binary, more);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
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

/* All that only a card needs is missing: the IOMMU, VFIO, the limit, the bus itself. */
static FakeSysfs *poor_host(gboolean with_bus)
{
	FakeSysfs *fs = fake_layout_no_iommu();

	fake_sysfs_remove_module(fs, "vfio_pci");
	fake_sysfs_remove_module(fs, "vfio_iommu_type1");
	fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", "5.10.0-30-amd64\n");
	fake_sysfs_put_file(fs, "sys/kernel/security/lockdown",
			    "none [integrity] confidentiality\n");
	if (!with_bus)
		fake_sysfs_remove_file(fs, "sys/bus/pci");
	return fs;
}

/* Of what no card of the profile needs there is no line, and one that says so; run agrees. */
static void test_no_card(void **state)
{
	static const char *const not_asked[] = { "iommu",      "interrupts", "isolation",
						 "vfio-pci",   "vfio-type1", "vfio-container",
						 "pci",	       "kernel",     "lockdown",
						 "memlock",    "setup",	     "setup-cards",
						 "card-group", "card-alive" };

	for (guint with_bus = 0; with_bus < 2; with_bus++) {
		g_autoptr(FakeSysfs) fs = poor_host(with_bus);
		HvrContext context = context_of(fs);
		g_autoptr(HvrProfile) profile = profile_of("");
		HvrDecideFor whom = { .devices = profile->devices, .vm = "lab", .look = TRUE };
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;

		context.memlock_max = 64 << 10;
		context.system_root = fs->root;
		g_autoptr(GPtrArray) results = hvr_check_run(&context, profile, NULL);
		g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
		print_message("%s", text);
		assert_int_equal(hvr_check_exit_status(results), 0);
		for (gsize i = 0; i < G_N_ELEMENTS(not_asked); i++)
			assert_null(find(results, not_asked[i]));
		assert_string_equal(find(results, "card")->seen,
				    "no card in this profile: the host's IOMMU and VFIO were not "
				    "asked");
		assert_non_null(strstr(find(results, "memory")->seen, "may use 4096 MiB"));
		assert_int_equal(find(results, "qemu-devices")->status, HVR_CHECK_PASS);
		if (!hvr_decide(&context, profile, &whom, &decision, &error))
			fail_msg("run: %s", error->message);
	}
}

/* The same host, asked for a card. */
static void test_card(void **state)
{
	static const char *const failed[] = { "iommu", "vfio-pci", "vfio-type1", "qemu-devices" };
	g_autoptr(FakeSysfs) fs = poor_host(TRUE);
	HvrContext context = context_of(fs);
	g_autoptr(HvrProfile) profile = profile_of("[device npu]\n");
	g_autoptr(GPtrArray) results = hvr_check_run(&context, profile, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(failed); i++) {
		const HvrCheckResult *result = find(results, failed[i]);
		if (!result || result->status != HVR_CHECK_FAIL)
			fail_msg("%s has not failed", failed[i]);
	}
}

/* Without a profile there is no section, and advice names none; a captured tree that has no routes
 * does not tell which interface its host needs. */
static void test_advice_without_a_profile(void **state)
{
	for (guint captured = 0; captured < 2; captured++) {
		g_autoptr(FakeSysfs) fs = fake_layout_century();
		HvrContext context = context_of(fs);

		context.captured = captured;
		if (captured)
			fake_sysfs_remove_file(fs, "proc/net/route");
		g_autoptr(GPtrArray) results = hvr_check_run(&context, NULL, NULL);
		const HvrCheckResult *group = find(results, "card-group");
		print_message("%s\n", group->fix);
		assert_int_equal(group->status, HVR_CHECK_FAIL);
		assert_true(g_str_has_prefix(group->fix, "use a slot that has a group of its own"));
		for (guint i = 0; i < results->len; i++) {
			const HvrCheckResult *result = g_ptr_array_index(results, i);
			assert_null(strstr(result->seen, "device card"));
			assert_true(!result->fix || !strstr(result->fix, "device card"));
		}
		assert_int_equal(strstr(group->fix, "group = bind") == NULL, captured);
		if (captured)
			assert_non_null(strstr(group->fix, "without 0000:03:03.0 (driver e1000) "
							   "is not to be seen"));
		else
			assert_non_null(strstr(group->fix, "a profile's section for 0000:03:01.0"));
	}
}

static void add(GPtrArray *results, const char *id, HvrCheckStatus status)
{
	const HvrCheckResult result = { .id = id,
					.status = status,
					.subject = g_strdup("host"),
					.seen = g_strdup("seen"),
					.fix = status ? g_strdup("do it") : NULL };

	g_ptr_array_add(results, g_memdup2(&result, sizeof(result)));
}

/* As asked: two cards with the same failure, and every status between passes. */
static GPtrArray *mixed_results(void)
{
	GPtrArray *results = hvr_check_results_new();

	add(results, "iommu", HVR_CHECK_FAIL);
	add(results, "cpu", HVR_CHECK_PASS);
	add(results, "qemu", HVR_CHECK_UNKNOWN);
	add(results, "card-group", HVR_CHECK_FAIL);
	add(results, "kvm", HVR_CHECK_WARN);
	add(results, "card-group", HVR_CHECK_FAIL);
	add(results, "memory", HVR_CHECK_PASS);
	return results;
}

/* The worst is read last, and the last line names it; --quiet leaves what is well. */
static void test_order(void **state)
{
	static const char rest[] = "WARN    kvm: host: seen\n        fix: do it\n"
				   "UNKNOWN qemu: host: seen\n        fix: do it\n"
				   "FAIL    iommu: host: seen\n        fix: do it\n"
				   "FAIL    card-group: host: seen\n        fix: do it\n"
				   "FAIL    card-group: host: seen\n        fix: do it\n"
				   "not ready: iommu, card-group (3 of 7 failed), 1 unknown, "
				   "1 warning\n";
	static const char passed[] = "PASS    cpu: host: seen\nPASS    memory: host: seen\n";
	g_autoptr(GPtrArray) results = mixed_results();
	g_autofree char *all = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	g_autofree char *quiet = hvr_check_to_text(results, &(HvrCheckStyle){ .quiet = TRUE });
	g_autofree char *wanted = g_strconcat(passed, rest, NULL);

	assert_string_equal(all, wanted);
	assert_string_equal(quiet, rest);
}

/* A terminal's lines break between words; a fix is one line, as it may be copied. */
static void test_width(void **state)
{
	static const char wanted[] = "WARN    kvm: host:\n        seen\n        fix: do it\n"
				     "UNKNOWN qemu: host:\n        seen\n        fix: do it\n"
				     "FAIL    iommu:\n        host: seen\n        fix: do it\n";
	static const char end[] =
		"\nnot ready:\n        iommu,\n        card-group\n        (3 of 7\n"
		"        failed), 1\n        unknown, 1\n        warning\n";
	g_autoptr(GPtrArray) results = mixed_results();
	const HvrCheckStyle style = { .quiet = TRUE, .width = 19 };
	g_autofree char *text = hvr_check_to_text(results, &style);

	if (!g_str_has_prefix(text, wanted) || !g_str_has_suffix(text, end))
		fail_msg("%s", text);
}

/* What cannot be told is never "ready"; the JSON is in the order of the questions. */
static void test_verdicts(void **state)
{
	g_autoptr(GPtrArray) results = hvr_check_results_new();

	add(results, "kvm", HVR_CHECK_WARN);
	add(results, "cpu", HVR_CHECK_PASS);
	g_autofree char *ready = hvr_check_to_text(results, &(HvrCheckStyle){ .quiet = TRUE });
	assert_true(g_str_has_suffix(ready, "\nready, 1 warning\n"));
	assert_int_equal(hvr_check_exit_status(results), 0);
	add(results, "vfio-pci", HVR_CHECK_UNKNOWN);
	g_autofree char *unknown = hvr_check_to_text(results, &(HvrCheckStyle){ .quiet = TRUE });
	assert_true(
		g_str_has_suffix(unknown, "\ncannot tell: vfio-pci (1 of 3 unknown), 1 warning\n"));
	assert_int_equal(hvr_check_exit_status(results), 2);
	JsonObject *root = hvr_check_to_json(results);
	JsonArray *checks = json_object_get_array_member(root, "checks");
	assert_true(json_object_get_null_member(root, "ready"));
	assert_string_equal(
		json_object_get_string_member(json_array_get_object_element(checks, 0), "id"),
		"kvm");
	json_object_unref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_card),
		cmocka_unit_test(test_card),
		cmocka_unit_test(test_advice_without_a_profile),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
