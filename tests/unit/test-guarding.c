/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [device] reset-guard: which machine has the module loaded for a card, which is refused before
 * anything is changed, and what is said of reset_method where the module came or went meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/decide.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/unit/scenarios.h"

#define CARD	 "0000:02:00.0"
#define NIC	 "0000:02:00.1"
#define CARDS	 "sys/module/hailo_vm_run_guard/parameters/cards"
#define LOADABLE ".fake/modules/hailo_vm_run_guard"
#define OPTIONS	 ".fake/options/hailo_vm_run_guard"
#define RELEASE	 "6.1.0-40-amd64"
#define LOADS	 "load_module hailo-vm-run-guard"

static Machine *machine_of(const char *name, const char *const *sets)
{
	const Scenario *scenario = scenarios;

	while (g_strcmp0(scenario->name, name) != 0)
		scenario++;
	Machine *machine = machine_new(scenario);
	g_autofree char *ini =
		g_strconcat("[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
			    "[qemu]\nbinary = /bin/true\n[security]\nuser = nobody\n",
			    scenario->profile, NULL);
	g_autoptr(GError) error = NULL;
	hvr_profile_free(machine->profile);
	machine->profile = hvr_profile_parse("lab.ini", ini, strlen(ini), sets, &error);
	if (!machine->profile)
		fail_msg("%s", error->message);
	return machine;
}

/* As its package has it. */
static void installed(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", RELEASE "\n");
	fake_sysfs_put_file(fs, "lib/modules/" RELEASE "/updates/dkms/hailo-vm-run-guard.ko", "");
	fake_sysfs_put_file(fs, LOADABLE, "");
}

static void installed_for_others(FakeSysfs *fs)
{
	installed(fs);
	fake_sysfs_put_file(fs, OPTIONS, "ids=8086:100e");
}

static void installed_for_both(FakeSysfs *fs)
{
	installed(fs);
	fake_sysfs_put_file(fs, OPTIONS, "ids=1e60:2864,8086:1533");
}

static void loaded(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, CARDS, CARD "\n");
}

static void loaded_for_others(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, CARDS, "0000:09:00.0\n");
}

static gboolean decide(HvrContext *context, const HvrProfile *profile, HvrDecision *decision,
		       GError **error)
{
	const HvrDecideFor whom = {
		.devices = profile->devices, .vm = "lab", .look = TRUE, .wait_s = HVR_CLAIM_NO_WAIT
	};

	hvr_context_open_runtime(context, FALSE, NULL);
	return hvr_decide(context, profile, &whom, decision, error);
}

static gboolean notes_have(const HvrPlan *plan, const char *text)
{
	for (guint i = 0; i < plan->notes->len; i++)
		if (strstr(g_ptr_array_index(plan->notes, i), text))
			return TRUE;
	return FALSE;
}

/* Where it is loaded for a card, and what is said of its resets. */
static void test_planned(void **state)
{
	static const struct {
		const char *name, *scenario;
		void (*change)(FakeSysfs *fs);
		const char *set, *other;
		gboolean loads;
		const char *note;
	} cases[] = {
		{ "nothing there", "card", NULL, NULL, NULL, FALSE, "bus resets still reach it" },
		{ "installed", "card", installed, NULL, NULL, TRUE,
		  "no reset can reach it, once module hailo-vm-run-guard is loaded" },
		{ "off", "card", installed, "device npu.reset-guard=off", NULL, FALSE,
		  "bus resets still reach it" },
		{ "off, and there", "card", loaded, "device npu.reset-guard=off", NULL, FALSE,
		  "no reset can reach it: function resets are off, and module" },
		{ "required", "card", installed, "device npu.reset-guard=require", NULL, TRUE,
		  "once module hailo-vm-run-guard is loaded" },
		{ "required, and there", "card", loaded, "device npu.reset-guard=require", NULL,
		  FALSE, "no reset can reach it: function resets are off, and module" },
		{ "for others", "card", installed_for_others, NULL, NULL, FALSE,
		  "bus resets still reach it" },
		/* Who keeps the kernel's choice, or wants bus resets, has no need of it. */
		{ "kept", "card", installed, "device npu.reset=keep", NULL, FALSE,
		  "function resets (flr bus) reach it" },
		{ "kept, required", "card", installed, "device npu.reset=keep",
		  "device npu.reset-guard=require", TRUE, "function resets (flr bus) reach it" },
		{ "by bus", "card", installed, "device npu.reset=bus", NULL, FALSE,
		  "bus resets (bus) reach it" },
		{ "one method", "card", installed, "device npu.reset=flr", NULL, TRUE,
		  "function resets (flr) reach it" },
		/* One with the flag is enough for all of its bus. */
		{ "passed", "century, pass", installed, NULL, NULL, TRUE,
		  NIC ": function resets (flr pm) reach it" },
		{ "passed, both", "century, pass", installed_for_both,
		  "device npu.reset-guard=require", NULL, TRUE, CARD ": no reset can reach it" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { cases[i].set, cases[i].other, NULL };
		g_autoptr(Machine) machine = machine_of(cases[i].scenario, sets);
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		if (cases[i].change)
			cases[i].change(machine->fs);
		g_autofree char *before = fake_sysfs_snapshot(machine->fs);
		if (!decide(&context, machine->profile, &decision, &error))
			fail_msg("%s: %s", cases[i].name, error->message);
		if ((decision.plan->guard != NULL) != cases[i].loads ||
		    notes_have(decision.plan, "it stays loaded") != cases[i].loads ||
		    !notes_have(decision.plan, cases[i].note))
			fail_msg("%s: %d: %s", cases[i].name, decision.plan->guard != NULL,
				 (char *)g_ptr_array_index(decision.plan->notes, 0));
		g_autofree char *after = fake_sysfs_snapshot(machine->fs);
		assert_string_equal(before, after);
	}
}

/* 69 with what to do, and nothing is changed. */
static void test_refused(void **state)
{
	static const struct {
		const char *name;
		void (*change)(FakeSysfs *fs);
		const char *set, *message, *hint;
	} cases[] = {
		{ "nothing there", NULL, "device npu.reset-guard=require",
		  CARD ": reset-guard = require, and module hailo-vm-run-guard is not loaded",
		  "no such module: install package hailo-vm-run-guard-dkms" },
		{ "installed for others", installed_for_others, "device npu.reset-guard=require",
		  "is not loaded",
		  "'options hailo-vm-run-guard ids=1e60:2864' in /etc/modprobe.d/" },
		{ "loaded for others", loaded_for_others, "device npu.reset-guard=require",
		  "is loaded for others", "loaded anew while no VM has a card" },
		{ "bus", loaded, "device npu.reset=bus",
		  CARD ": reset = bus, and module hailo-vm-run-guard keeps bus resets from it",
		  "rmmod hailo-vm-run-guard" },
		{ "among others", loaded, "device npu.reset=flr bus", "reset = flr bus, and module",
		  "leave out the bus" },
		{ "no such capability", NULL, "device npu.reset=pm",
		  CARD ": reset = pm, and it cannot be reset by pm", "NoSoftRst-" },
		{ "one of them", NULL, "device npu.reset=flr af_flr",
		  "it cannot be reset by af_flr", "list --json" },
		{ "of CXL", loaded, "device npu.reset=cxl_bus", "reset = cxl_bus, and module",
		  "leave out the bus" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { cases[i].set, NULL };
		g_autoptr(Machine) machine = machine_of("card", sets);
		g_autoptr(GError) error = NULL;
		if (cases[i].change)
			cases[i].change(machine->fs);
		g_autofree char *before = fake_sysfs_snapshot(machine->fs);
		if (machine_do(machine, "run", &error))
			fail_msg("%s: not refused", cases[i].name);
		if (hvr_exit_status(error) != 69 || !strstr(error->message, cases[i].message) ||
		    !strstr(error->message, cases[i].hint))
			fail_msg("%s: %d: %s", cases[i].name, hvr_exit_status(error),
				 error->message);
		g_autofree char *after = fake_sysfs_snapshot(machine->fs);
		assert_string_equal(before, after);
	}
}

/* The module takes both cards, and one of them is to have its bus resets: it is not loaded for the
 * other's sake, and who requires it there is refused. */
static void test_two_wishes(void **state)
{
	static const struct {
		const char *set;
		gboolean taken;
	} cases[] = {
		{ "device a.reset-guard=auto", TRUE },
		{ "device a.reset-guard=require", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { "device b.reset=bus", cases[i].set, NULL };
		g_autoptr(Machine) machine = machine_of("two cards", sets);
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		installed(machine->fs);
		gboolean taken = decide(&context, machine->profile, &decision, &error);
		assert_int_equal(taken, cases[i].taken);
		if (taken)
			assert_null(decision.plan->guard);
		else
			assert_non_null(strstr(error->message, "another section of the profile"));
	}
}

/* As above, of a card that keeps the kernel's choice: that is in the way where it is the bus alone,
 * and not where the section has the guard itself. */
static void test_kept_beside_another(void **state)
{
	static const struct {
		const char *methods, *set;
		gboolean loads;
	} cases[] = {
		{ "bus\n", "device b.reset=keep", FALSE },
		{ "flr bus\n", "device b.reset=keep", TRUE },
		{ "pm bus\n", "device b.reset=keep", TRUE },
		{ "device_specific bus\n", "device b.reset=keep", TRUE },
		{ "\n", "device b.reset=keep", TRUE },
		{ "bus\n", "device b.reset=none", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { cases[i].set, NULL };
		const char *const guarded[] = { cases[i].set, "device b.reset-guard=require",
						NULL };
		const char *const *const wishes[] = { sets, guarded };

		for (guint k = 0; k < G_N_ELEMENTS(wishes); k++) {
			g_autoptr(Machine) machine = machine_of("two cards", wishes[k]);
			HvrContext context = machine_context(machine);
			g_auto(HvrDecision) decision = { 0 };
			g_autoptr(GError) error = NULL;
			installed(machine->fs);
			fake_sysfs_put_file(machine->fs,
					    "sys/bus/pci/devices/0000:03:00.0/reset_method",
					    cases[i].methods);
			if (!decide(&context, machine->profile, &decision, &error))
				fail_msg("%u: %s", i, error->message);
			if ((decision.plan->guard != NULL) != (k == 1 || cases[i].loads))
				fail_msg("%u, %u: %d", i, k, decision.plan->guard != NULL);
		}
	}
}

/* On a root bus there is nothing that could be reset but the card itself. */
static void test_root_bus(void **state)
{
	static const struct {
		const char *set;
		gboolean refused;
	} cases[] = {
		{ "device npu.reset=bus", TRUE },
		{ "device npu.reset=flr", FALSE },
		{ "device npu.reset=none", FALSE },
	};
	const FakeFunction card = { .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .driver = "hailo",
				    .reset_method = "flr" };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { cases[i].set, NULL };
		g_autoptr(Machine) machine = machine_of("card", sets);
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		fake_sysfs_remove_function(machine->fs, CARD);
		fake_sysfs_add_function(machine->fs, "0000:00:09.0", &card);
		gboolean well = decide(&context, machine->profile, &decision, &error);
		if (well == cases[i].refused)
			fail_msg("%s: %s", cases[i].set, well ? "taken" : error->message);
		if (!well)
			assert_non_null(strstr(error->message, "it is on a root bus"));
	}
}

/* A plain user loads nothing: what is there counts, and require says who can. */
static void test_plain_user(void **state)
{
	const char *const sets[] = { "device npu.reset-guard=require", NULL };
	g_autoptr(Machine) machine = machine_of("card", sets);
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) refused = { 0 }, well = { 0 };
	g_autoptr(GError) error = NULL;

	installed(machine->fs);
	machine->profile->devices->len = 1;
	HvrProfileDevice *device = g_ptr_array_index(machine->profile->devices, 0);
	device->reset_guard = HVR_RESET_GUARD_OFF;
	assert_true(machine_do(machine, "prepare", NULL));
	device->reset_guard = HVR_RESET_GUARD_REQUIRE;
	context.privileged = FALSE;
	assert_false(decide(&context, machine->profile, &refused, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "only root can load it"));
	loaded(machine->fs);
	assert_true(decide(&context, machine->profile, &well, NULL));
	assert_null(well.plan->guard);
}

/* The first call that does more than ask. */
static const char *first_change(const FakeSysfs *fs)
{
	for (guint i = 0; i < fs->log->len; i++) {
		const char *call = g_ptr_array_index(fs->log, i);
		if (!g_str_has_prefix(call, "access_status "))
			return call;
	}
	return "";
}

/* It comes before the card is touched, once, and stays. */
static void test_loaded_first(void **state)
{
	static const char *const guards[] = { "device npu.reset-guard=auto",
					      "device npu.reset-guard=require" };

	for (guint i = 0; i < G_N_ELEMENTS(guards); i++) {
		const char *const sets[] = { guards[i], NULL };
		g_autoptr(Machine) machine = machine_of("card", sets);
		g_autoptr(GError) error = NULL;
		installed(machine->fs);
		if (!machine_do(machine, "prepare", &error))
			fail_msg("%s: %s", guards[i], error->message);
		assert_string_equal(first_change(machine->fs), LOADS);
		g_autofree char *cards = fake_sysfs_text(machine->fs, CARDS);
		assert_string_equal(cards, CARD);
		assert_true(machine_do(machine, "release", NULL));
		assert_true(fake_sysfs_exists(machine->fs, CARDS));
	}
}

/* modprobe finds it and the kernel refuses it, as with Secure Boot; or it comes and has other
 * cards. Who requires it ends before the card is touched; others are told. */
static void test_not_loaded(void **state)
{
	static const struct {
		const char *set;
		gboolean fails, well;
	} cases[] = {
		{ "device npu.reset-guard=auto", TRUE, TRUE },
		{ "device npu.reset-guard=require", TRUE, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const sets[] = { cases[i].set, NULL };
		g_autoptr(Machine) machine = machine_of("card", sets);
		g_autoptr(GError) error = NULL;
		installed(machine->fs);
		fake_sysfs_fail_matching(machine->fs, LOADS, EKEYREJECTED);
		g_autofree char *before = fake_sysfs_snapshot(machine->fs);
		assert_int_equal(machine_do(machine, "prepare", &error), cases[i].well);
		g_autofree char *messages = machine_messages(machine);
		if (cases[i].well) {
			assert_non_null(strstr(messages, "warning: " CARD ": cannot load module "
							 "hailo-vm-run-guard: "));
			assert_non_null(strstr(messages, "bus resets still reach it\n"));
			continue;
		}
		assert_int_equal(hvr_exit_status(error), 69);
		assert_non_null(strstr(error->message, "Secure Boot"));
		g_autofree char *after = fake_sysfs_snapshot(machine->fs);
		assert_string_equal(before, after);
	}
}

/* What it was like when it was taken, as far as the kernel will have it; and the rest is said. */
static void test_given_back(void **state)
{
	static const struct {
		const char *name;
		gboolean before, after; /* the module is there */
		const char *left, *said;
	} cases[] = {
		{ "never", FALSE, FALSE, "flr bus", NULL },
		{ "always", TRUE, TRUE, "flr", NULL },
		{ "it came", FALSE, TRUE, "flr",
		  "reset_method was 'flr bus' and is 'flr': module hailo-vm-run-guard takes bus "
		  "resets away; when it is unloaded: echo default > " },
		{ "it went", TRUE, FALSE, "flr",
		  "reset_method is 'flr', as it was while module hailo-vm-run-guard took bus "
		  "resets away; for all that there is now: echo default > " },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = machine_of("card", NULL);
		g_autofree char *path = NULL;
		if (cases[i].before) {
			loaded(machine->fs);
			path = g_strdup("sys/bus/pci/devices/" CARD "/reset_method");
			assert_true(machine->fs->host.kernel->write(&machine->fs->host,
								    path + strlen("sys/"),
								    "default\n", 1000, NULL));
		}
		assert_true(machine_do(machine, "prepare", NULL));
		if (cases[i].after)
			loaded(machine->fs);
		else
			fake_sysfs_remove_file(machine->fs, "sys/module/hailo_vm_run_guard");
		assert_true(machine_do(machine, "release", NULL));
		g_autofree char *left = fake_sysfs_attribute(machine->fs, CARD, "reset_method");
		g_autofree char *messages = machine_messages(machine);
		if (g_strcmp0(left, cases[i].left) != 0)
			fail_msg("%s: '%s' is left", cases[i].name, left);
		if (cases[i].said ? !strstr(messages, cases[i].said)
				  : strstr(messages, "warning: " CARD) != NULL)
			fail_msg("%s: %s", cases[i].name, messages);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_planned),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_root_bus),
		cmocka_unit_test(test_two_wishes),
		cmocka_unit_test(test_kept_beside_another),
		cmocka_unit_test(test_plain_user),
		cmocka_unit_test(test_loaded_first),
		cmocka_unit_test(test_not_loaded),
		cmocka_unit_test(test_given_back),
	};

	if (geteuid() != 0) /* the VM's user is somebody else */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
