/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check's lines about setup, on a tree that looks like a Debian with GRUB beside a machine with one
 * card: not set up, as set up, drifted, cut short, unreadable, and with the card elsewhere. None of
 * them is a reason not to be ready.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/check/check.h"
#include "launcher/command/dispatch.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/setup/apply.h"
#include "launcher/setup/cards.h"
#include "launcher/setup/drift.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"

#define CARD	  "0000:02:00.0"
#define MODPROBE  "etc/modprobe.d/hailo-vm-run.conf"
#define SETUP_INI "var/lib/hailo-vm-run/setup.ini"

typedef struct {
	FakeSysfs *machine;
	HvrContext context;
	char *root; /* of the system that is set up */
	int target;
} Fixture;

static gboolean programs_fail;

static gboolean find_program(int target, const char *name, GError **error)
{
	return TRUE;
}

static gboolean run_program(int target, HvrSetupWay way, char **argv, GError **error)
{
	if (programs_fail)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' failed",
			    argv[0]);
	return !programs_fail;
}

static const HvrSetupRunner runner = { find_program, run_program };

static void put(const Fixture *f, const char *path, const char *text, mode_t mode)
{
	fake_files_write(f->root, path, text, mode);
}

static void make_debian(const Fixture *f)
{
	fake_files_make_folder(f->root, "etc/default/grub.d");
	fake_files_make_folder(f->root, "etc/udev/rules.d");
	put(f, "etc/group", "root:x:0:\n", 0644);
	put(f, "usr/sbin/update-grub", "#!/bin/sh\n", 0755);
	put(f, "usr/sbin/update-initramfs", "#!/bin/sh\n", 0755);
	put(f, "usr/share/initramfs-tools/hook-functions", "", 0644);
}

static int set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->machine = fake_layout_intel();
	f->root = g_dir_make_tmp("hvr-check-XXXXXX", NULL);
	f->target = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->context = (HvrContext){ .host = *fake_sysfs_host(f->machine),
				   .runtime = -1,
				   .runtime_parent = -1,
				   .privileged = TRUE,
				   .memlock_max = G_MAXUINT64,
				   .runtime_path = "",
				   .system_config = "/nowhere",
				   .system_root = f->root,
				   .setup_templates = SOURCE_ROOT "/configs/setup" };
	make_debian(f);
	programs_fail = FALSE;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->root);
	close(f->target);
	fake_sysfs_free(f->machine);
	g_free(f->root);
	g_free(f);
	return 0;
}

/* What `hailo-vm-run setup --device CARD PART...` does. Returns whether it came to its end. */
static gboolean do_setup(const Fixture *f, guint parts, const char *card)
{
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(&f->context, f->target, TRUE);
	g_autoptr(HvrSetupState) state = hvr_setup_state_load(f->target, NULL);
	const HvrSetupSite site = { .target = f->target, .system = system, .runner = &runner };

	assert_non_null(state);
	g_ptr_array_set_size(state->cards, 0);
	g_ptr_array_add(state->cards, hvr_setup_card_parse(card, NULL, NULL));
	g_autoptr(HvrSetupPlan) plan =
		hvr_setup_plan_now(system, parts, state->cards, f->context.setup_templates, NULL);
	const HvrSetupScope scope = { .target = f->target, .state = state, .parts = parts };
	g_autoptr(GPtrArray) changes = hvr_setup_changes_make(&scope, plan, NULL);
	assert_non_null(changes);
	state->parts = parts;
	return hvr_setup_apply(&site, changes, state, NULL);
}

/* `hailo-vm-run setup OPTION kernel-args` on this host; @option: one. Returns the exit status. */
static int run_setup(Fixture *f, const char *option)
{
	char *words[] = { (char *)"setup",	 (char *)option,
			  (char *)"--templates", (char *)f->context.setup_templates,
			  (char *)"kernel-args", NULL };
	g_autoptr(GError) error = NULL;
	int status = hvr_dispatch(&f->context, words, &error);

	return error ? hvr_exit_status(error) : status;
}

/* `hailo-vm-run setup --dry-run guard`, about @n kinds of cards; 0: about one at a path. */
static int run_guard(Fixture *f, guint n, char **out_message)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	static const char *const first[] = { "setup", "--dry-run", "guard", "--templates" };
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(first); i++)
		g_ptr_array_add(words, g_strdup(first[i]));
	g_ptr_array_add(words, g_strdup(f->context.setup_templates));
	for (guint i = 0; i < n; i++)
		g_ptr_array_add(words, g_strdup_printf("--device=1e60:%04x", 0x2864 + i));
	if (n == 0)
		g_ptr_array_add(words, g_strdup("--device=00:1c.4/00.0"));
	g_ptr_array_add(words, NULL);
	int status = hvr_dispatch(&f->context, (char **)words->pdata, &error);
	*out_message = error ? g_strdup(error->message) : NULL;
	return error ? hvr_exit_status(error) : status;
}

static char *snapshot(const Fixture *f)
{
	GString *text = g_string_new(NULL);

	fake_files_snapshot(f->root, ".", text);
	return g_string_free(text, FALSE);
}

/* Without a QEMU: what the machine of this test has of it is not asked. */
static GPtrArray *check(Fixture *f)
{
	static const char profile_text[] = "[vm]\nmemory = 1G\naccel = tcg\n"
					   "[device npu]\npick = free\n"
					   "[qemu]\nbinary = /nowhere/qemu\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", profile_text, strlen(profile_text), NULL, NULL);
	g_autofree char *before = snapshot(f);
	GPtrArray *results = hvr_check_run(&f->context, profile, NULL);
	g_autofree char *after = snapshot(f);

	assert_non_null(results);
	assert_string_equal(before, after);
	return results;
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

/* @fix: NULL: there is none */
static void assert_line(const GPtrArray *results, const char *id, HvrCheckStatus status,
			const char *seen, const char *fix)
{
	const HvrCheckResult *result = find(results, id);

	if (!result || result->status != status || !strstr(result->seen, seen) ||
	    !result->fix != !fix || (fix && !strstr(result->fix, fix))) {
		g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
		fail_msg("no line '%s' with status %s, '%s' and fix '%s' in\n%s", id,
			 hvr_check_status_name(status), seen, fix ? fix : "none", text);
	}
	assert_null(strchr(result->seen, '\n'));
	assert_true(status == HVR_CHECK_PASS || status == HVR_CHECK_WARN);
}

static void assert_seen(Fixture *f, const char *id, HvrCheckStatus status, const char *seen,
			const char *fix)
{
	g_autoptr(GPtrArray) results = check(f);

	assert_line(results, id, status, seen, fix);
}

static void nothing_is_set_up(void **state)
{
	g_autoptr(GPtrArray) results = check(*state);

	assert_line(results, "setup", HVR_CHECK_PASS, "not in place", NULL);
	assert_null(find(results, "setup-cards"));
}

static void all_is_as_set_up(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "1e60:2864"));
	assert_seen(f, "setup", HVR_CHECK_PASS,
		    "as set up: kernel-args, early-bind, modprobe, reset-policy, permissions, "
		    "service",
		    NULL);
	assert_seen(f, "setup-cards", HVR_CHECK_PASS, "1e60:2864 is " CARD, NULL);
}

/* Of parts that name no card, none can be the wrong one. */
static void some_parts_name_no_card(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, 1u << HVR_SETUP_MODPROBE, "1e60:45c4"));
	g_autoptr(GPtrArray) results = check(f);
	assert_line(results, "setup", HVR_CHECK_PASS, "as set up: modprobe", NULL);
	assert_null(find(results, "setup-cards"));
}

static void a_changed_file_is_drift(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "1e60:2864"));
	put(f, MODPROBE, "# mine\n", 0644);
	assert_seen(f, "setup", HVR_CHECK_WARN,
		    "drifted: modprobe: " MODPROBE " is not as setup would write it", "--status");
	fake_files_remove(f->root, "etc/default/grub.d/hailo-vm-run.cfg");
	assert_seen(f, "setup", HVR_CHECK_WARN,
		    "drifted: kernel-args: etc/default/grub.d/hailo-vm-run.cfg is missing, and 1 "
		    "more",
		    "--status");
}

/* An upgrade of the host that brings another initramfs generator leaves the scripts behind. */
static void another_generator_is_drift(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "1e60:2864"));
	fake_files_remove(f->root, "usr/sbin/update-initramfs");
	put(f, "usr/bin/dracut", "#!/bin/sh\n", 0755);
	assert_seen(f, "setup", HVR_CHECK_WARN, "module-setup.sh is missing, and 3 more", "setup");
}

static void what_was_cut_short_is_not_finished(void **state)
{
	Fixture *f = *state;

	programs_fail = TRUE;
	assert_false(do_setup(f, 1u << HVR_SETUP_KERNEL_ARGS, "1e60:2864"));
	assert_seen(f, "setup", HVR_CHECK_WARN, "not finished", "hailo-vm-run setup");
}

static void boot(const Fixture *f, const char *boot_id, const char *arguments)
{
	fake_files_write(f->machine->root, "proc/sys/kernel/random/boot_id", boot_id, 0444);
	fake_files_write(f->machine->root, "proc/cmdline", arguments, 0444);
}

/* What no boot has been without is not missed; what this one has, neither. */
static void what_has_no_effect_is_seen(void **state)
{
	Fixture *f = *state;

	boot(f, "1111-aaaa\n", "BOOT_IMAGE=/vmlinuz quiet\n");
	assert_true(do_setup(f, 1u << HVR_SETUP_KERNEL_ARGS, "1e60:2864"));
	assert_seen(f, "setup", HVR_CHECK_PASS, "as set up: kernel-args", NULL);
	boot(f, "2222-bbbb\n", "BOOT_IMAGE=/vmlinuz quiet iommu=pt\n");
	assert_seen(f, "setup", HVR_CHECK_WARN,
		    "kernel-args is done, but this host was booted since without intel_iommu=on",
		    "efibootmgr); by what is installed: add intel_iommu=on to GRUB_CMDLINE_LINUX");
	assert_int_equal(run_setup(f, "--status"), 1);
	boot(f, "2222-bbbb\n", "BOOT_IMAGE=/vmlinuz iommu=pt intel_iommu=on\n");
	assert_seen(f, "setup", HVR_CHECK_PASS, "as set up: kernel-args", NULL);
	assert_int_equal(run_setup(f, "--status"), 0);
}

/* Nothing is done to a loader that setup does not change, and the status says so. */
static void what_is_left_has_a_status(void **state)
{
	Fixture *f = *state;

	fake_files_remove(f->root, "etc/default/grub.d");
	fake_files_remove(f->root, "usr/sbin/update-grub");
	boot(f, "1111-aaaa\n", "BOOT_IMAGE=/vmlinuz quiet\n");
	put(f, "etc/update-extlinux.conf", "default_kernel_opts=\"quiet\"\n", 0644);
	g_autofree char *before = snapshot(f);
	assert_int_equal(run_setup(f, "--yes"), 69);
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
	/* By hand, then. */
	boot(f, "2222-bbbb\n", "BOOT_IMAGE=/vmlinuz quiet intel_iommu=on iommu=pt\n");
	assert_int_equal(run_setup(f, "--yes"), 0);
}

static void move_card(const Fixture *f, const char *port, const char *address)
{
	fake_sysfs_remove_function(f->machine, CARD);
	fake_sysfs_add_hailo8(f->machine, port, address, 14, 1);
}

/* Another card above it took its bus number: the way to it is the same. */
static void a_renumbered_card_is_found_by_its_path(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "00:1c.4/00.0"));
	move_card(f, "0000:00:1c.4", "0000:03:00.0");
	assert_seen(f, "setup", HVR_CHECK_PASS, "as set up", NULL);
	assert_seen(f, "setup-cards", HVR_CHECK_PASS, "00:1c.4/00.0 is 0000:03:00.0", NULL);
}

static void a_card_in_another_slot_is_another_card(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "00:1c.4/00.0"));
	move_card(f, "0000:00:1c.5", "0000:03:00.0");
	assert_seen(f, "setup-cards", HVR_CHECK_WARN,
		    "0000:03:00.0 is not what it was set up for, and there is no 00:1c.4/00.0 any "
		    "more",
		    "setup --device 00:1c.5/00.0");
}

/* By its kind it is found wherever it is, and so is a second one. */
static void a_card_of_the_kind_may_be_anywhere(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "1e60:2864"));
	move_card(f, "0000:00:1c.5", "0000:03:00.0");
	fake_sysfs_add_hailo8(f->machine, "0000:00:1c.6", "0000:04:00.0", 15, 2);
	assert_seen(f, "setup-cards", HVR_CHECK_PASS, "1e60:2864 is 0000:03:00.0 0000:04:00.0",
		    NULL);
}

static void a_card_that_is_gone_is_named(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "00:1c.4/00.0"));
	fake_sysfs_remove_function(f->machine, CARD);
	assert_seen(f, "setup-cards", HVR_CHECK_WARN, "there is no 00:1c.4/00.0 any more",
		    "hailo-vm-run list");
}

static void what_cannot_be_read_is_a_warning(void **state)
{
	Fixture *f = *state;

	assert_true(do_setup(f, HVR_SETUP_ALL_PARTS, "1e60:2864"));
	f->context.setup_templates = "/nowhere";
	assert_seen(f, "setup", HVR_CHECK_WARN, "/nowhere", "");
	put(f, SETUP_INI, "[nonsense]\n", 0644);
	assert_seen(f, "setup", HVR_CHECK_WARN, "makes no sense", "");
	/* A link out of the system is not followed. */
	fake_files_remove(f->root, "var/lib/hailo-vm-run");
	fake_files_link_text(f->root, "var/lib/hailo-vm-run", f->machine->root);
	f->context.privileged = FALSE;
	assert_seen(f, "setup", HVR_CHECK_WARN, "cannot open", "check as root");
	f->context.system_root = "/nowhere/at/all";
	assert_seen(f, "setup", HVR_CHECK_WARN, "cannot open", "check as root");
}

/* A captured tree is another machine's, and what setup did is not in it. */
static void a_captured_tree_has_no_setup(void **state)
{
	Fixture *f = *state;

	f->context.captured = TRUE;
	g_autoptr(GPtrArray) results = check(f);
	assert_null(find(results, "setup"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A module that does not load, or is loaded for other cards, is worse than none. */
static void guard_wants_few_ids(void **state)
{
	static const struct {
		guint n;
		int status;
	} cases[] = { { 0, 64 }, { 1, 0 }, { 16, 0 }, { 17, 64 } };
	Fixture *f = *state;

	f->context.privileged = TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message = NULL;
		int status = run_guard(f, cases[i].n, &message);
		if (status != cases[i].status)
			fail_msg("%u: %d: %s", cases[i].n, status, message);
		if (message)
			assert_non_null(strstr(message, "guard is for 1 to 16 kinds of cards"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_set_up),
		TEST(all_is_as_set_up),
		TEST(some_parts_name_no_card),
		TEST(a_changed_file_is_drift),
		TEST(another_generator_is_drift),
		TEST(what_was_cut_short_is_not_finished),
		TEST(what_has_no_effect_is_seen),
		TEST(what_is_left_has_a_status),
		TEST(a_renumbered_card_is_found_by_its_path),
		TEST(a_card_in_another_slot_is_another_card),
		TEST(a_card_of_the_kind_may_be_anywhere),
		TEST(a_card_that_is_gone_is_named),
		TEST(what_cannot_be_read_is_a_warning),
		TEST(a_captured_tree_has_no_setup),
		TEST(guard_wants_few_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
