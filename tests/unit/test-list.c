/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host has is shown whole and as it is, for people, programs and Graphviz. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	HvrInventory *inventory;
	GPtrArray *items;
} View;

static void view_clear(View *view)
{
	g_clear_pointer(&view->items, g_ptr_array_unref);
	g_clear_pointer(&view->inventory, hvr_inventory_free);
	hvr_fd_close(view->context.runtime);
	hvr_fd_close(view->context.runtime_parent);
	g_clear_pointer(&view->fs, fake_sysfs_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(View, view_clear)

static void look(View *view, HvrListWhat what)
{
	g_autofree char *before = fake_sysfs_snapshot(view->fs);

	g_clear_pointer(&view->items, g_ptr_array_unref);
	g_clear_pointer(&view->inventory, hvr_inventory_free);
	view->inventory = hvr_inventory_read(&view->context.host, NULL);
	assert_non_null(view->inventory);
	view->items = hvr_list_read(&view->context, view->inventory, &what);
	g_autofree char *after = fake_sysfs_snapshot(view->fs);
	assert_string_equal(before, after);
}

static View view_of(FakeLayout layout, HvrListWhat what)
{
	View view = { .fs = layout() };

	view.context = (HvrContext){
		.host = view.fs->host, .runtime = -1, .runtime_parent = -1, .privileged = TRUE
	};
	look(&view, what);
	return view;
}

static const HvrListItem *item_at(const View *view, const char *name)
{
	for (guint i = 0; i < view->items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(view->items, i);
		if (g_str_equal(item->function->name, name))
			return item;
	}
	fail_msg("no item %s", name);
	return NULL;
}

static char *use_of(const View *view, const char *name)
{
	return hvr_occupancy_describe(&item_at(view, name)->occupancy);
}

static const HvrListWhat accelerators = { .judge = TRUE }, everything = { .all = TRUE },
			 around = { .surround = TRUE };

/* The table has the accelerators alone, in columns, and all that was asked for. */
static void test_table(void **state)
{
	g_auto(View) view = view_of(fake_layout_switches, accelerators);
	const char *owner = item_at(&view, "0000:05:00.0")->node_owner;
	g_autofree char *text = hvr_list_table(view.items, 0);
	g_autofree char *gap = g_strnfill(strlen(owner) + 17 - 4, ' ');
	g_autofree char *wanted = g_strdup_printf(
		"ADDRESS       NAME                    GROUP  DRIVER  IN USE BY  RESET    "
		"LINK         POWER  NUMA  NODE%s  PATH                              HEALTH  "
		"PASSABLE\n"
		"0000:05:00.0  Hailo-8 AI accelerator  30     hailo   free       flr bus  "
		"8.0 GT/s x4  D0     -     /dev/hailo0 %s %04o  00:01.0/00.0/08.0/00.0/01.0/00.0  "
		"ok      yes\n"
		"0000:06:00.0  Hailo-8 AI accelerator  31     hailo   free       flr bus  "
		"8.0 GT/s x4  D0     -     /dev/hailo1 %s %04o  00:01.0/00.0/08.0/00.0/02.0/00.0  "
		"ok      yes\n",
		gap, owner, item_at(&view, "0000:05:00.0")->node_mode, owner,
		item_at(&view, "0000:06:00.0")->node_mode);

	assert_string_equal(text, wanted);
}

/* Every layout: address, path and group of its first accelerator, and who shares the group. */
static void test_layouts(void **state)
{
	static const struct {
		FakeLayout layout;
		const char *name, *path, *group;
		guint count;
	} cases[] = {
		{ fake_layout_intel, CARD, "00:1c.4/00.0", "14", 1 },
		{ fake_layout_amd, "0000:0b:00.0", "00:02.1/00.0", "16", 1 },
		{ fake_layout_arm, "0004:01:00.0", "0004:00:01.0/00.0", "3", 1 },
		{ fake_layout_vmd, "10000:e1:00.0", "10000:e0:06.0/00.0", "14", 1 },
		{ fake_layout_sriov, CARD, "00:1c.4/00.0", "14", 1 },
		{ fake_layout_century, "0000:03:01.0", "00:08.0/00.0/01.0",
		  "9 + 0000:02:00.0 0000:03:02.0 0000:03:03.0", 2 },
		{ fake_layout_no_iommu, CARD, "00:1c.4/00.0", "none", 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(View) view = view_of(cases[i].layout, accelerators);
		const HvrListItem *item = item_at(&view, cases[i].name);
		g_autofree char *group = hvr_list_group_text(item);

		assert_int_equal(view.items->len, cases[i].count);
		assert_string_equal(item->function->path, cases[i].path);
		assert_string_equal(group, cases[i].group);
		assert_string_equal(item->function->driver, "hailo");
	}
}

/* --all has every function, and reads the small files of ours alone unless asked to. */
static void test_all(void **state)
{
	g_auto(View) view = view_of(fake_layout_sriov, everything);
	const HvrListItem *nic = item_at(&view, "0000:04:00.0");

	assert_int_equal(view.items->len, 6);
	assert_null(nic->power_state);
	assert_string_equal(item_at(&view, CARD)->power_state, "D0");
	look(&view, (HvrListWhat){ .all = TRUE, .details = TRUE });
	assert_string_equal(item_at(&view, "0000:04:10.1")->reset_method, "flr");
}

static int make_runtime(FakeSysfs *fs, HvrContext *context)
{
	g_autofree char *run = g_build_filename(fs->root, "run", NULL);
	g_autofree char *stat = g_strdup_printf("proc/%d/stat", (int)getpid());

	fake_sysfs_put_file(fs, stat,
			    "1 (test) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n");

	context->runtime_parent = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(hvr_context_open_runtime(context, TRUE, NULL));
	return context->runtime;
}

/* A VM's lock names the VM, also before the group's node is open. */
static void test_in_use_by_vm(void **state)
{
	g_auto(View) view = view_of(fake_layout_intel, accelerators);
	int runtime = make_runtime(view.fs, &view.context);
	HvrLock *lock = hvr_lock_try(&view.context.host, runtime, "group-14", "lab", NULL);

	assert_non_null(lock);
	look(&view, accelerators);
	g_autofree char *taken = use_of(&view, CARD);
	assert_true(g_str_has_prefix(taken, "VM lab (pid "));
	hvr_lock_release(lock);
	look(&view, accelerators);
	g_autofree char *after = use_of(&view, CARD);
	assert_string_equal(after, "free");
}

/* A process is named; a group that somebody has open is in use even if nobody can be named. */
static void test_in_use_by_process(void **state)
{
	g_auto(View) view = view_of(fake_layout_switches, accelerators);

	fake_sysfs_add_process(view.fs, 812, "hailortcli", "/dev/hailo1");
	look(&view, accelerators);
	g_autofree char *first = use_of(&view, "0000:05:00.0");
	g_autofree char *second = use_of(&view, "0000:06:00.0");
	assert_string_equal(first, "free");
	assert_string_equal(second, "hailortcli (pid 812)");
}

static FakeSysfs *layout_on_vfio(void)
{
	FakeSysfs *fs = fake_layout_intel();
	const FakeFunction card = { .parent = "0000:00:1c.4",
				    .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .driver = "vfio-pci",
				    .reset_method = "" };

	fake_sysfs_remove_function(fs, CARD);
	fake_sysfs_add_function(fs, CARD, &card);
	return fs;
}

static void test_on_vfio(void **state)
{
	g_auto(View) view = view_of(layout_on_vfio, accelerators);
	g_autofree char *idle = use_of(&view, CARD);
	const HvrListItem *item = item_at(&view, CARD);

	assert_string_equal(idle, "free");
	assert_string_equal(item->node, "/dev/vfio/14");
	assert_non_null(item->node_owner);
	assert_string_equal(item->reset_method, "");
	fake_sysfs_set_in_use(view.fs, 14, TRUE);
	look(&view, accelerators);
	g_autofree char *busy = use_of(&view, CARD);
	assert_string_equal(busy, "a process");
}

/* To a plain user, and of a captured tree, "free" is not said without knowing. */
static void test_unknown(void **state)
{
	g_auto(View) view = view_of(fake_layout_intel, accelerators);

	view.context.privileged = FALSE;
	look(&view, accelerators);
	g_autofree char *plain = use_of(&view, CARD);
	assert_string_equal(plain, "unknown");
	view.context.privileged = view.context.captured = TRUE;
	fake_sysfs_clear_log(view.fs);
	look(&view, accelerators);
	g_autofree char *captured = use_of(&view, CARD);
	assert_string_equal(captured, "unknown");
	assert_int_equal(view.fs->log->len, 0);
}

/* The way to each accelerator, its neighbours, and nothing else. */
static void test_tree(void **state)
{
	g_auto(View) view = view_of(fake_layout_century, around);
	g_autofree char *unicode = hvr_list_tree(view.items, HVR_LIST_UNICODE, 0);
	g_autofree char *ascii = hvr_list_tree(view.items, HVR_LIST_ASCII, 0);

	assert_non_null(strstr(unicode, "root bus 0000:00\n└─ 0000:00:08.0 "));
	assert_non_null(strstr(ascii, "root bus 0000:00\n`- 0000:00:08.0 "));
	assert_non_null(strstr(ascii, "\n   `- 0000:02:00.0 "));
	assert_non_null(strstr(ascii, "\n      |- 0000:03:01.0 Hailo-8 AI accelerator "
				      "[1e60:2864], driver hailo, group 9, free\n"));
	assert_non_null(strstr(ascii, "\n      `- 0000:03:03.0 "));
}

/* Each root bus is a tree of its own, VMD's too. */
static void test_tree_domains(void **state)
{
	g_auto(View) view = view_of(fake_layout_vmd, everything);
	g_autofree char *text = hvr_list_tree(view.items, HVR_LIST_ASCII, 0);

	assert_non_null(strstr(text, "root bus 0000:00\n`- 0000:00:0e.0 "));
	assert_non_null(strstr(text, "root bus 10000:e0\n`- 10000:e0:06.0 "));
	assert_non_null(strstr(text, "\n   `- 10000:e1:00.0 Hailo-8 AI accelerator"));
}

/* Graphviz: a frame for the group, an arrow from each bridge. */
static void test_dot(void **state)
{
	g_auto(View) view = view_of(fake_layout_century, around);
	g_autofree char *text = hvr_list_dot(view.items);

	assert_true(g_str_has_prefix(text, "digraph pci {\n"));
	assert_true(g_str_has_suffix(text, "\n}\n"));
	assert_non_null(strstr(text, "subgraph cluster_9 {\n\t\tlabel=\"IOMMU group 9\";\n"));
	assert_non_null(strstr(text, "\t\"0000:02:00.0\" -> \"0000:03:01.0\";\n"));
	assert_non_null(strstr(text, "\\nHailo-8 AI accelerator\\nhailo\", style=bold];\n"));
	assert_null(strstr(text, "red"));
}

/* The keys that scripts rely on. */
static void test_json(void **state)
{
	g_auto(View) view = view_of(fake_layout_century, accelerators);
	JsonObject *root = hvr_list_to_json(view.items, NULL);
	JsonArray *devices = json_object_get_array_member(root, "devices");
	JsonObject *first = json_array_get_object_element(devices, 0);
	JsonArray *members = json_object_get_array_member(first, "group_members");
	JsonArray *methods = json_object_get_array_member(first, "reset_method");

	assert_int_equal(json_array_get_length(devices), 2);
	assert_string_equal(json_object_get_string_member(first, "address"), "0000:03:01.0");
	assert_string_equal(json_object_get_string_member(first, "path"), "00:08.0/00.0/01.0");
	assert_string_equal(json_object_get_string_member(first, "vendor"), "1e60");
	assert_string_equal(json_object_get_string_member(first, "device"), "2864");
	assert_string_equal(json_object_get_string_member(first, "class"), "0b4000");
	assert_string_equal(json_object_get_string_member(first, "name"), "Hailo-8 AI accelerator");
	assert_int_equal(json_object_get_int_member(first, "iommu_group"), 9);
	assert_int_equal(json_array_get_length(members), 3);
	assert_string_equal(json_array_get_string_element(members, 0), "0000:02:00.0");
	assert_string_equal(json_object_get_string_member(first, "driver"), "hailo");
	assert_int_equal(json_array_get_length(methods), 2);
	JsonObject *resets = json_object_get_object_member(first, "resets");
	JsonArray *function = json_object_get_array_member(resets, "function");
	assert_true(json_object_get_boolean_member(resets, "known"));
	assert_false(json_object_get_boolean_member(resets, "guarded"));
	assert_int_equal(json_array_get_length(function), 3);
	assert_string_equal(json_array_get_string_element(function, 0), "start");
	assert_string_equal(json_array_get_string_element(function, 2), "close");
	assert_int_equal(json_array_get_length(json_object_get_array_member(resets, "bus")), 3);
	assert_true(json_object_get_null_member(first, "in_use_by"));
	assert_string_equal(json_object_get_string_member(first, "use"), "free");
	assert_true(json_object_has_member(first, "node"));
	json_object_unref(root);
}

static void journal(const View *view, const HvrPciAddress *address, const char *vm)
{
	const HvrPciFunction *function = hvr_inventory_find(view->inventory, address);
	g_autoptr(HvrPciState) saved = hvr_pci_state_read(&view->context.host, function, NULL);
	g_autoptr(HvrJournalEntry) entry = hvr_journal_entry_new(function, saved);

	entry->vm = g_strdup(vm);
	assert_true(hvr_journal_write(view->context.runtime, entry, NULL));
}

/* On a bus with a function of another group QEMU does no bus reset, unless it has that, too. */
static void test_resets_beside_another(void **state)
{
	static const struct {
		const char *vm, *beside; /* who has the card, and what is beside it */
		guint bus;
	} cases[] = {
		{ NULL, NULL, HVR_RESET_ALWAYS },
		{ "lab", NULL, HVR_RESET_AT_CLOSE },
		{ "lab", "other", HVR_RESET_AT_CLOSE },
		{ "lab", "lab", HVR_RESET_ALWAYS },
	};
	const HvrPciAddress card = { .bus = 2 }, next = { .bus = 2, .function = 1 };
	const FakeFunction beside = { .parent = "0000:00:1c.4", .vendor = 0x8086, .group = 99 };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(View) view = view_of(fake_layout_intel, accelerators);
		fake_sysfs_add_function(view.fs, "0000:02:00.1", &beside);
		view.context.runtime_parent = dup(view.fs->host.run);
		view.context.runtime_path = "/run/hailo-vm-run";
		assert_true(hvr_context_open_runtime(&view.context, TRUE, NULL));
		look(&view, accelerators);
		if (cases[i].vm)
			journal(&view, &card, cases[i].vm);
		if (cases[i].beside)
			journal(&view, &next, cases[i].beside);
		look(&view, accelerators);
		assert_int_equal(item_at(&view, CARD)->resets.bus, cases[i].bus);
	}
}

/* A host without any: an empty list, and no line at all in the tree. */
static FakeSysfs *layout_empty(void)
{
	return fake_sysfs_new();
}

static void test_empty(void **state)
{
	g_auto(View) view = view_of(layout_empty, everything);
	g_autofree char *tree = hvr_list_tree(view.items, HVR_LIST_UNICODE, 0);
	JsonObject *root = hvr_list_to_json(view.items, NULL);

	assert_int_equal(view.items->len, 0);
	assert_string_equal(tree, "");
	assert_int_equal(json_array_get_length(json_object_get_array_member(root, "devices")), 0);
	json_object_unref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_in_use_by_vm),
		cmocka_unit_test(test_in_use_by_process),
		cmocka_unit_test(test_on_vfio),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_domains),
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_resets_beside_another),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
