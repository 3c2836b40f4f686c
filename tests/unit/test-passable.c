/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of each card: can a VM have it? What is said is what run says, and no more than was looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/host/decide.h"
#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "launcher/profile/read.h"
#include "launcher/runtime/holds.h"
#include "tests/fake/layouts.h"

#define CARD "0000:02:00.0"
#define PATH "sys/devices/pci0000:00/0000:00:1c.4/" CARD

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

/* A neighbour in the card's group, of this class and on this driver. */
static void add_neighbour(FakeSysfs *fs, const char *name, guint32 class_code, const char *driver)
{
	const FakeFunction neighbour = { .vendor = 0x8086,
					 .device = 0x3a18,
					 .class_code = class_code,
					 .group = 14,
					 .driver = driver };

	fake_sysfs_add_function(fs, name, &neighbour);
}

static void sound(FakeSysfs *fs)
{
	add_neighbour(fs, "0000:00:1f.3", 0x040300, "snd_hda_intel");
}

static void sound_and_disk(FakeSysfs *fs)
{
	sound(fs);
	add_neighbour(fs, "0000:00:1f.2", 0x010601, "ahci");
}

static void idle_neighbour(FakeSysfs *fs)
{
	add_neighbour(fs, "0000:00:1f.3", 0x040300, NULL);
}

static void dead(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, CARD);
}

static void cold(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, PATH "/power_state", "D3cold\n");
}

static void held_open(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
}

static void reserved(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/iommu_groups/14/reserved_regions",
			    "0x00000000000e8000 0x00000000000e8fff direct\n");
}

static void virtuals(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, PATH "/sriov_numvfs", "3\n");
}

static void direct_interrupts(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/irq/0/chip_name", "IO-APIC\n");
	fake_sysfs_put_file(fs, "sys/kernel/irq/126/chip_name", "PCI-MSI-0000:00:1f.2\n");
}

static void no_interrupts(FakeSysfs *fs)
{
	fake_sysfs_remove_file(fs, "sys/kernel/irq");
}

static void no_module(FakeSysfs *fs)
{
	fake_sysfs_remove_module(fs, "vfio_pci");
}

typedef struct {
	const char *name;
	FakeLayout layout; /* NULL: the Intel board */
	void (*damage)(FakeSysfs *fs);
	const char *said; /* begins with it */
} Case;

static const Case cases[] = {
	{ "nothing", NULL, NULL, "yes" },
	{ "a neighbour on no driver", NULL, idle_neighbour, "yes" },
	{ "a neighbour", NULL, sound, "no: group 14 also has 0000:00:1f.3 snd_hda_intel" },
	{ "two", NULL, sound_and_disk, "no: group 14 also has 0000:00:1f.2 ahci and 1 more" },
	{ "dead", NULL, dead, "no: does not answer" },
	{ "a process", NULL, held_open, "no: in use by hailortcli (pid 812)" },
	{ "reserved memory", NULL, reserved, "no: the firmware keeps memory for its group" },
	{ "virtual functions", NULL, virtuals, "no: it has 3 virtual functions" },
	{ "direct interrupts", NULL, direct_interrupts, "no: interrupts are not remapped" },
	{ "no interrupts", NULL, no_interrupts, "unknown: whether interrupts are remapped" },
	{ "no module", NULL, no_module, "no: cannot load module vfio-pci" },
	{ "no IOMMU", fake_layout_no_iommu, NULL, "no: no IOMMU is in use" },
	{ "cold", NULL, cold, "unknown: it is without power (D3cold), and is not woken for this" },
	{ "Arm", fake_layout_arm, NULL, "no: this host is an Arm one" },
	{ "VMD", fake_layout_vmd, NULL, "no: QEMU takes no PCI domain above ffff" },
};

/* What run would say of a VM that has @card alone. */
static gboolean would_run(const HvrContext *context, const char *card, char **out_why)
{
	g_autofree char *text = g_strdup_printf("[vm]\nmemory = 1G\naccel = tcg\n"
						"[device npu]\naddress = %s\n[qemu]\nbinary = "
						"/bin/true\n[security]\nsandbox = no\n",
						card);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	const HvrDecideFor whom = { .devices = profile->devices, .vm = "lab", .look = TRUE };
	g_auto(HvrDecision) decision = { 0 };
	g_autoptr(GError) error = NULL;

	if (hvr_decide(context, profile, &whom, &decision, &error))
		return TRUE;
	*out_why = g_strdup(error->message);
	return FALSE;
}

/* Each reason, in short; nothing is written, and run agrees. */
static void test_cases(void **state)
{
	const HvrListWhat what = { .judge = TRUE };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *one = &cases[i];
		g_autoptr(FakeSysfs) fs = one->layout ? one->layout() : fake_layout_intel();
		HvrContext context = context_of(fs);
		if (one->damage)
			one->damage(fs);
		g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
		g_autofree char *before = fake_sysfs_snapshot(fs);
		g_autoptr(GPtrArray) items = hvr_list_read(&context, inventory, &what);
		g_autofree char *after = fake_sysfs_snapshot(fs);
		const HvrListItem *item = g_ptr_array_index(items, 0);
		g_autofree char *said = hvr_passable_describe(&item->passable);
		g_autofree char *why = NULL;

		if (!g_str_has_prefix(said, one->said))
			fail_msg("%s: '%s', not '%s'", one->name, said, one->said);
		assert_string_equal(before, after);
		assert_null(strchr(said, '\n'));
		gboolean would = would_run(&context, item->function->name, &why);
		if (would != (item->passable.kind != HVR_PASSABLE_NO))
			fail_msg("%s: '%s', and run: %s", one->name, said,
				 would ? "would start" : why);
	}
}

/* A card that is held, one that the job was not given, and what a captured tree does not tell. */
static void test_not_offered(void **state)
{
	const HvrListWhat what = { .judge = TRUE };
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	HvrContext context = context_of(fs), given = context, captured = context;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	HvrPciAddress address;

	given.cards_variable = "HAILO_VM_CARDS";
	given.cards = "";
	captured.captured = TRUE;
	g_autoptr(GPtrArray) none = hvr_list_read(&given, inventory, &what);
	g_autoptr(GPtrArray) elsewhere = hvr_list_read(&captured, inventory, &what);
	assert_true(hvr_pci_address_parse(CARD, &address));
	fake_sysfs_put_file(fs, "var/lib/.keep", "");
	g_autoptr(HvrHold) hold = hvr_hold_new(hvr_inventory_find(inventory, &address), "sparks");
	assert_true(hvr_hold_write(&context, hold, NULL));
	g_autoptr(GPtrArray) held = hvr_list_read(&context, inventory, &what);
	const HvrListItem *items[] = { g_ptr_array_index(none, 0), g_ptr_array_index(elsewhere, 0),
				       g_ptr_array_index(held, 0) };
	g_autofree char *first = hvr_passable_describe(&items[0]->passable);
	g_autofree char *second = hvr_passable_describe(&items[1]->passable);
	g_autofree char *third = hvr_passable_describe(&items[2]->passable);
	assert_true(g_str_has_prefix(first, "no: not among HAILO_VM_CARDS"));
	assert_string_equal(second, "unknown: nothing in this tree is against it");
	assert_non_null(strstr(third, "sparks"));
	assert_true(g_str_has_prefix(third, "no: held "));
}

static JsonObject *first_device(JsonObject *root)
{
	JsonArray *devices = json_object_get_array_member(root, "devices");

	return json_array_get_object_element(devices, 0);
}

/* true, false or null, and why; null of what was not asked. */
static void test_json(void **state)
{
	static const struct {
		void (*damage)(FakeSysfs *fs);
		gboolean judge;
		const char *why;
	} seen[] = { { NULL, TRUE, NULL },
		     { sound, TRUE, "group 14 also has 0000:00:1f.3 snd_hda_intel" },
		     { cold, TRUE, "it is without power (D3cold), and is not woken for this" },
		     { NULL, FALSE, NULL } };

	for (gsize i = 0; i < G_N_ELEMENTS(seen); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		HvrContext context = context_of(fs);
		const HvrListWhat what = { .judge = seen[i].judge };
		if (seen[i].damage)
			seen[i].damage(fs);
		g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
		g_autoptr(GPtrArray) items = hvr_list_read(&context, inventory, &what);
		JsonObject *root = hvr_list_to_json(items, NULL);
		JsonObject *device = first_device(root);

		if (i < 2)
			assert_int_equal(json_object_get_boolean_member(device, "passable"),
					 i == 0);
		assert_int_equal(json_object_get_null_member(device, "passable"), i >= 2);
		if (seen[i].why)
			assert_string_equal(json_object_get_string_member(device, "why"),
					    seen[i].why);
		else
			assert_true(json_object_get_null_member(device, "why"));
		json_object_unref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
