/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Before it is asked for, what setup changes is said in words: of what it changes, and nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compat/compat.h"
#include "launcher/setup/cards.h"
#include "launcher/setup/show.h"
#include "launcher/setup/summary.h"
#include "tests/fake/layouts.h"

#define CARD "0000:02:00.0"

/* A change of each of these parts; its strings are literals. */
static GPtrArray *changes_of(guint parts)
{
	GPtrArray *changes = g_ptr_array_new_with_free_func(g_free);

	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++) {
		const HvrSetupChange change = { .kind = HVR_CHANGE_WRITE,
						.part = (HvrSetupPart)part,
						.path = (char *)"etc/file",
						.text = (char *)"secret of the file\n",
						.owner = { .mode = 0644 } };
		if (parts & (1u << part))
			g_ptr_array_add(changes, g_memdup2(&change, sizeof(change)));
	}
	return changes;
}

static GPtrArray *cards_of(const char *spec, const HvrInventory *inventory)
{
	GPtrArray *cards = hvr_setup_cards_new();

	g_ptr_array_add(cards, hvr_setup_card_parse(spec, inventory, NULL));
	return cards;
}

static char *summary_of(guint parts, const HvrInventory *inventory, HvrSetupSummary what)
{
	g_autoptr(GPtrArray) changes = changes_of(parts);
	g_autoptr(GPtrArray) cards = cards_of("1e60:2864", inventory);
	const HvrSetupSystem system = { .live = TRUE,
					.cpu = HVR_CPU_INTEL,
					.running = what.system ? what.system->running : NULL };

	what.changes = changes;
	what.cards = cards;
	what.inventory = inventory;
	what.system = &system;
	char *text = hvr_setup_summary(&what);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (strlen(*line) > 80)
			fail_msg("%zu characters: '%s'", strlen(*line), *line);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

/* All parts: which cards leave the host, which arguments come, who may run, and the way back, at
 * the end. */
static void test_all(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autofree char *text =
		summary_of(HVR_SETUP_ALL_PARTS, inventory, (HvrSetupSummary){ .target = NULL });

	assert_true(g_str_has_prefix(text, "What will be different, at the latest after the next "
					   "boot:\n- "));
	assert_has(text,
		   "- The kernel's command line gets intel_iommu=on iommu=pt, for the IOMMU.\n");
	assert_has(text, "- Cards leave the host at boot: 1e60:2864 (now " CARD " on hailo).\n");
	assert_has(text, "programs\n  of the host no longer see them.\n");
	assert_has(text, "- Function resets of 1e60:2864 are off.\n");
	assert_has(text, "- Members of group hailo-vm run VMs");
	assert_has(text, "hailo-vm@NAME.service");
	assert_true(g_str_has_suffix(text, "\nTo take it back: sudo hailo-vm-run setup --undo\n"));
}

/* One part is one line, and nothing is said of the others. */
static void test_one(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);

	fake_sysfs_remove_function(fs, CARD);
	g_autoptr(HvrInventory) empty = hvr_inventory_read(&fs->host, NULL);
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++) {
		g_autofree char *text =
			summary_of(1u << part, inventory, (HvrSetupSummary){ .target = NULL });
		g_auto(GStrv) items = g_strsplit(text, "\n- ", -1);
		assert_int_equal(g_strv_length(items), 2);
		assert_int_equal(strstr(text, "leave the host") != NULL,
				 part == HVR_SETUP_EARLY_BIND);
	}
	g_autofree char *none =
		summary_of(1u << HVR_SETUP_EARLY_BIND, empty, (HvrSetupSummary){ .target = NULL });
	assert_has(none, "1e60:2864 (now none).\n");
}

/* Taken back: the cards are the host's again; of an image nothing is said of this host's cards, and
 * its own way back is named, without what its name may do to a terminal. */
static void test_undo_and_target(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autofree char *undone =
		summary_of(HVR_SETUP_ALL_PARTS, inventory, (HvrSetupSummary){ .undo = TRUE });
	g_autofree char *image = summary_of(
		HVR_SETUP_ALL_PARTS, NULL,
		(HvrSetupSummary){ .target = "/img\033[2J\n- x", .left = "two loaders" });
	g_autofree char *unfinished = summary_of(0, inventory, (HvrSetupSummary){ .target = NULL });

	assert_has(undone, "- The host gets its cards at boot: 1e60:2864 (now " CARD);
	assert_null(strstr(undone, "To take it back"));
	assert_has(image, "What will be different when /img\\x1b[2J\\x0a- x boots:\n");
	assert_has(image, "- Cards leave the host at boot: 1e60:2864.\n");
	assert_has(image, "- The IOMMU is left as it is: two loaders.\n");
	assert_has(image, "setup --undo --target /img\\x1b[2J\\x0a- x\n");
	assert_has(unfinished, "- What setup left unfinished is finished.\n");
}

/* A running kernel that has its arguments gets none. */
static void test_arguments(void **state)
{
	const HvrSetupSystem system = { .running = (char *)"quiet intel_iommu=on iommu=pt" };
	g_autofree char *text = summary_of(1u << HVR_SETUP_KERNEL_ARGS, NULL,
					   (HvrSetupSummary){ .system = &system });

	assert_has(text, "which it has now, are made to last");
	assert_null(strstr(text, "gets"));
}

/* What the file says that setup wrote may be anybody's, who made the image. */
static void test_words_of_others(void **state)
{
	g_autoptr(GPtrArray) changes = changes_of(1u << HVR_SETUP_RESET_POLICY);
	g_autoptr(GPtrArray) cards = hvr_setup_cards_new();
	const HvrSetupSystem system = { .cpu = HVR_CPU_INTEL };
	const HvrSetupSummary what = { .changes = changes, .system = &system, .cards = cards };

	g_ptr_array_add(cards, hvr_setup_card_from_text("1e60:2864 bus\n- nothing \033[2J"));
	g_autofree char *text = hvr_setup_summary(&what);
	assert_has(text, "\n- 1e60:2864 is reset by: bus\\x0a- nothing \\x1b[2J.\n");
	assert_null(strchr(text, '\033'));
}

/* Whoever is asked sees the files' names; what is in them is for who wants it. */
static void test_detail(void **state)
{
	g_autoptr(GPtrArray) changes = changes_of(1u << HVR_SETUP_SERVICE);
	g_autofree char *names = hvr_setup_show(changes, NULL, HVR_SETUP_NAMES);
	g_autofree char *contents = hvr_setup_show(changes, NULL, HVR_SETUP_CONTENTS);

	assert_string_equal(names, "create etc/file (service, mode 0644)\n");
	assert_string_equal(contents,
			    "create etc/file (service, mode 0644)\n+secret of the file\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_undo_and_target),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_words_of_others),
		cmocka_unit_test(test_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
