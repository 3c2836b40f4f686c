/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a profile and a host to the list of changes, or to a refusal: each row is a machine and what
 * is decided for it. Looking only: nothing is changed by any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/decide.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "tests/unit/scenarios.h"
#include "vfio/access.h"
#include "vfio/fd.h"
#include "vfio/step.h"

#define CARD "0000:02:00.0"
#define NIC  "0000:02:00.1"

#define TAKE_CARD                                                                                  \
	CARD ": empty reset_method\n" CARD ": set d3cold_allowed to '0'\n" CARD                    \
	     ": set power/control to 'on'\n" CARD ": set driver_override to 'vfio-pci'\n" CARD     \
	     ": unbind from hailo\n" CARD ": bind to vfio-pci\n" CARD                              \
	     ": set power/control to 'on'\n" CARD                                                  \
	     ": give /dev/vfio/14 to 65534:65534, mode 0600\n"

static const Scenario *find(const char *name)
{
	const Scenario *scenario = scenarios;

	while (g_strcmp0(scenario->name, name) != 0)
		scenario++;
	return scenario;
}

static gboolean decide(HvrContext *context, const HvrProfile *profile, HvrDecision *decision,
		       GError **error)
{
	HvrDecideFor whom = { profile->devices, "lab", TRUE, HVR_CLAIM_NO_WAIT };

	hvr_context_open_runtime(context, FALSE, NULL);
	return hvr_decide(context, profile, &whom, decision, error);
}

static void append_steps(GString *text, const GPtrArray *steps)
{
	for (guint i = 0; i < steps->len; i++) {
		g_autofree char *line = hvr_step_describe(g_ptr_array_index(steps, i));
		g_string_append_printf(text, "%s\n", line);
	}
}

static char *describe(const HvrPlan *plan)
{
	GString *text = g_string_new(NULL);

	append_steps(text, plan->first);
	for (guint i = 0; i < plan->functions->len; i++)
		append_steps(text, ((const HvrPlanFunction *)plan->functions->pdata[i])->steps);
	for (guint i = 0; i < plan->cards->len; i++) {
		const HvrPlanCard *card = plan->cards->pdata[i];
		g_autofree char *path = hvr_access_path(card->access);
		g_string_append_printf(text, "card %s by %s\n", card->id, path);
	}
	return g_string_free(text, FALSE);
}

/* What is done, in order, and which cards QEMU gets. */
static void test_steps(void **state)
{
	static const struct {
		const char *scenario, *plan;
	} cases[] = {
		{ "card", "load module vfio-pci\n" TAKE_CARD "card npu by vfio/14\n" },
		{ "century, bind",
		  "load module vfio-pci\n" TAKE_CARD NIC ": set d3cold_allowed to '0'\n" NIC
		  ": set driver_override to 'vfio-pci'\n" NIC ": unbind from igb\n" NIC
		  ": bind to vfio-pci\n" NIC ": set power/control to 'on'\n" NIC
		  ": give /dev/vfio/14 to 65534:65534, mode 0600\ncard npu by vfio/14\n" },
		{ "on vfio-pci",
		  CARD ": empty reset_method\n" CARD ": set power/control to 'on'\n" CARD
		       ": give /dev/vfio/14 to 65534:65534, mode 0600\ncard npu by vfio/14\n" },
		{ "with an override",
		  "load module vfio-pci\n" CARD ": set d3cold_allowed to '0'\n" CARD
		  ": set driver_override to 'vfio-pci'\n" CARD ": unbind from hailo\n" CARD
		  ": bind to vfio-pci\n" CARD ": set power/control to 'on'\n" CARD
		  ": give /dev/vfio/14 to 65534:65534, mode 0600\ncard npu by vfio/14\n" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = machine_new(find(cases[i].scenario));
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		if (!decide(&context, machine->profile, &decision, &error))
			fail_msg("%s: %s", cases[i].scenario, error->message);
		g_autofree char *text = describe(decision.plan);
		assert_string_equal(text, cases[i].plan);
		g_autofree char *difference = machine_difference(machine);
		assert_null(difference);
	}
}

/* With group = pass all endpoints are QEMU's, also one that no driver had, each with its own id. */
static void test_pass(void **state)
{
	g_autoptr(Machine) machine = machine_new(find("century, pass"));
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) decision = { 0 };

	assert_true(decide(&context, machine->profile, &decision, NULL));
	g_autofree char *text = describe(decision.plan);
	assert_non_null(strstr(text, "card npu by vfio/14\ncard npu-02-00-1 by vfio/14\n"
				     "card npu-02-00-2 by vfio/14\n"));
	/* The Hailo's quirk is not theirs, nor is what the profile says of its ROM. */
	assert_null(strstr(text, NIC ": empty reset_method"));
	for (guint i = 0; i < decision.plan->cards->len; i++) {
		const HvrPlanCard *card = decision.plan->cards->pdata[i];
		assert_int_equal(card->device != NULL, g_str_equal(card->id, "npu"));
	}
}

/* A card that was prepared needs no step, and what it was like is its entry's word. */
static void test_adopt(void **state)
{
	g_autoptr(Machine) machine = machine_new(find("prepared, then run"));
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) decision = { 0 };

	assert_true(machine_do(machine, "prepare", NULL));
	assert_true(decide(&context, machine->profile, &decision, NULL));
	g_autofree char *text = describe(decision.plan);
	assert_string_equal(text, "card npu by vfio/14\n");
	const HvrPlanFunction *planned = g_ptr_array_index(decision.plan->functions, 0);
	assert_non_null(planned->found);
	assert_string_equal(planned->state->driver, "hailo");
	assert_string_equal(planned->state->reset_method, "flr bus");
	hvr_fd_close(context.runtime);
}

typedef struct {
	const char *name;
	const char *scenario;
	void (*change)(FakeSysfs *fs);
	const char *set; /* of the profile */
	int status;
	const char *message;
	const char *hint;
} Refusal;

static void no_iommu(FakeSysfs *fs)
{
	fake_sysfs_set_iommu(fs, FALSE);
	fake_sysfs_put_file(fs, "sys/firmware/acpi/tables/DMAR", "");
}

static void no_protection(FakeSysfs *fs)
{
	fake_sysfs_set_noiommu(fs, 14);
}

static void dead_card(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, CARD);
}

static void no_module(FakeSysfs *fs)
{
	fake_sysfs_remove_module(fs, "vfio-pci");
}

static void process_on_card(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
}

static void default_route(FakeSysfs *fs)
{
	fake_sysfs_put_file(
		fs, "proc/net/route",
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
		"eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
}

/* Each with its exit status, what is wrong, and what to do; and nothing is changed. */
static void test_refusals(void **state)
{
	static const Refusal cases[] = {
		{ "no IOMMU", "card", no_iommu, NULL, 69, CARD ": it has no IOMMU group",
		  "intel_iommu=on" },
		{ "no-IOMMU group", "on vfio-pci", no_protection, NULL, 69,
		  CARD ": it is in a no-IOMMU group, which protects nothing", "" },
		{ "dead", "card", dead_card, NULL, 69, CARD ": does not answer",
		  "power the host off and on" },
		{ "no vfio-pci", "card", no_module, NULL, 69, "module vfio-pci", "" },
		{ "not viable", "century, bind", NULL, "device npu.group=refuse", 69,
		  CARD ": IOMMU group 14 is not viable: the host uses " NIC
		       " (8086:1533, driver igb) of it",
		  "set in [device npu] group = bind" },
		{ "in use", "card", process_on_card, NULL, 75, "hailortcli (pid 812",
		  "end what uses it" },
		{ "default route", "century, bind", default_route, NULL, 69,
		  NIC ": this host cannot do without it: the default route (eth0)", "" },
		{ "no QEMU", "card", NULL, "qemu.binary=/nowhere/qemu", 69,
		  "there is no program '/nowhere/qemu'", "install QEMU" },
		{ "no kernel", "card", NULL, "boot.kernel=/nowhere/kernel", 78,
		  "[boot] kernel: '/nowhere/kernel' does not exist (there is no '/nowhere')",
		  "correct the path" },
		{ "no such user", "card", NULL, "security.user=no-such-user-here", 78,
		  "there is no user 'no-such-user-here'", "useradd" },
		{ "nearly a user", "card", NULL, "security.user=nobdy", 78,
		  "there is no user 'nobdy' on this host", "did you mean 'nobody'?" },
		{ "root", "card", NULL, "security.user=root", 78, "QEMU is not run as root", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = machine_new(find(cases[i].scenario));
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		const char *const sets[] = { cases[i].set, NULL };
		g_autofree char *ini = g_strconcat(
			"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[qemu]\nbinary = /bin/true\n"
			"[security]\nuser = nobody\n",
			machine->scenario->profile, NULL);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("lab.ini", ini, strlen(ini), sets, NULL);
		assert_non_null(profile);
		if (cases[i].change)
			cases[i].change(machine->fs);
		g_autofree char *before = fake_sysfs_snapshot(machine->fs);
		if (decide(&context, profile, &decision, &error))
			fail_msg("%s: not refused", cases[i].name);
		if (hvr_exit_status(error) != cases[i].status ||
		    !strstr(error->message, cases[i].message) ||
		    (cases[i].hint && !strchr(error->message, '\n')) ||
		    (cases[i].hint && !strstr(strchr(error->message, '\n'), cases[i].hint)))
			fail_msg("%s: %d: %s", cases[i].name, hvr_exit_status(error),
				 error->message);
		g_autofree char *after = fake_sysfs_snapshot(machine->fs);
		assert_string_equal(before, after);
	}
}

/* A limit on locked memory counts for a VM with a card, and says by how much it is too low. */
static void test_memlock(void **state)
{
	g_autoptr(Machine) machine = machine_new(find("card"));
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) decision = { 0 };
	g_autoptr(GError) error = NULL;

	context.memlock_max = 8 << 20;
	assert_false(decide(&context, machine->profile, &decision, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "8 MiB"));
	assert_non_null(strstr(error->message, "64 MiB"));
}

static char *notes_of(const HvrPlan *plan)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < plan->notes->len; i++)
		g_string_append_printf(text, "%s\n", (char *)plan->notes->pdata[i]);
	return g_strdup(text->str);
}

/* A disk that a plain FLR leaves unusable: said where the kernel's own reset is not left to it. */
static void test_care(void **state)
{
	static const struct {
		const char *kernel, *profile;
		gboolean warned;
	} cases[] = {
		{ "device_specific flr bus", "auto", FALSE },
		{ "flr bus", "auto", TRUE },
		{ "device_specific flr bus", "flr", TRUE },
		{ "device_specific flr bus", "", FALSE },
		{ "device_specific flr bus", "bus", FALSE },
		{ "flr bus", "bus", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = machine_new(find("card"));
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		HvrProfileDevice *device = machine->profile->devices->pdata[0];
		const FakeFunction disk = { .parent = "0000:00:1c.4",
					    .vendor = 0x144d,
					    .device = 0xa804,
					    .class_code = 0x010802,
					    .group = 40,
					    .driver = "nvme",
					    .reset_method = cases[i].kernel };

		fake_sysfs_add_function(machine->fs, "0000:07:00.0", &disk);
		device->vendor = disk.vendor;
		device->device = disk.device;
		g_free(device->reset);
		device->reset = g_strdup(cases[i].profile);
		assert_true(decide(&context, machine->profile, &decision, NULL));
		g_autofree char *notes = notes_of(decision.plan);
		if ((strstr(notes, "warning: 0000:07:00.0: Samsung SM961 or PM961: with FLR alone "
				   "(reset methods flr") != NULL) != cases[i].warned)
			fail_msg("%u: %s", (guint)i, notes);
	}
}

/* Behind an IOMMU of the guest's each card counts all of the memory once more. */
static void test_memlock_of_iommu(void **state)
{
	g_autoptr(Machine) machine = machine_new(find("two cards"));
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) decision = { 0 }, again = { 0 }, refused = { 0 };
	g_autoptr(GError) error = NULL;

	assert_true(decide(&context, machine->profile, &decision, NULL));
	assert_true(decision.plan->memlock_bytes == (64 << 20) + HVR_PLAN_MEMLOCK_EXTRA);
	machine->profile->iommu = HVR_IOMMU_INTEL;
	assert_true(decide(&context, machine->profile, &again, NULL));
	assert_true(again.plan->memlock_bytes == (128 << 20) + HVR_PLAN_MEMLOCK_EXTRA);
	context.memlock_max = 100 << 20;
	assert_false(decide(&context, machine->profile, &refused, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "locks all of its 64 MiB, once for each of 2 cards "
					       "behind its IOMMU"));
}

/* ... and has an address space of its own, of which a group can have one only. */
static void test_iommu_and_group(void **state)
{
	static const struct {
		const char *scenario;
		gboolean well;
	} cases[] = {
		{ "card", TRUE },
		{ "century, bind", TRUE },
		{ "century, pass", FALSE },
		{ "one slot, two groups", TRUE },
		{ "one slot, one group", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = machine_new(find(cases[i].scenario));
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;

		machine->profile->iommu = HVR_IOMMU_VIRTIO;
		gboolean well = decide(&context, machine->profile, &decision, &error);
		if (well != cases[i].well)
			fail_msg("%s: %s", cases[i].scenario, well ? "done" : error->message);
		if (well)
			continue;
		assert_int_equal(hvr_exit_status(error), 69);
		assert_non_null(strstr(error->message,
				       "0000:02:00.0: it shares IOMMU group 14 with "
				       "0000:02:00.1, which the VM gets as well"));
	}
}

/* A plain user may run what was prepared, and is told who can prepare the rest. */
static void test_plain_user(void **state)
{
	g_autoptr(Machine) machine = machine_new(find("card"));
	HvrContext context = machine_context(machine);
	g_auto(HvrDecision) refused = { 0 }, well = { 0 };
	g_autoptr(GError) error = NULL;

	context.privileged = FALSE;
	assert_false(decide(&context, machine->profile, &refused, &error));
	assert_int_equal(hvr_exit_status(error), 77);
	assert_non_null(strstr(error->message, "sudo hailo-vm-run prepare PROFILE"));

	assert_true(machine_do(machine, "prepare", NULL));
	assert_true(decide(&context, machine->profile, &well, NULL));
	g_autofree char *text = describe(well.plan);
	assert_string_equal(text, "card npu by vfio/14\n");
	hvr_fd_close(context.runtime);
}

static gboolean is_warned_of(const HvrPlan *plan, const char *user)
{
	g_autofree char *start = g_strdup_printf("warning: QEMU runs as %s,", user);

	for (guint i = 0; i < plan->notes->len; i++)
		if (g_str_has_prefix(g_ptr_array_index(plan->notes, i), start))
			return TRUE;
	return FALSE;
}

/* Whoever else has no user of their own is in the same boat; a user of the VM's own is alone. */
static void test_nobody_is_warned_of(void **state)
{
	static const char *const users[] = { "nobody", "daemon" };

	for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
		g_autoptr(Machine) machine = machine_new(find("card"));
		HvrContext context = machine_context(machine);
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;

		g_free(machine->profile->user);
		machine->profile->user = g_strdup(users[i]);
		if (!decide(&context, machine->profile, &decision, &error))
			fail_msg("%s", error->message);
		assert_int_equal(is_warned_of(decision.plan, users[i]), i == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_care),
		cmocka_unit_test(test_memlock),
		cmocka_unit_test(test_memlock_of_iommu),
		cmocka_unit_test(test_iommu_and_group),
		cmocka_unit_test(test_plain_user),
		cmocka_unit_test(test_nobody_is_warned_of),
	};

	if (geteuid() != 0) /* the VM's user is somebody else */
		return 77;
	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
