/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics, by the grammar of OpenMetrics 1.0, and what they say of cards in each state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/list/metrics.h"
#include "launcher/runtime/counters.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"

/* A sample: NAME{LABEL="VALUE",...} NUMBER, where \\, \" and \n are the escapes of a value. */
#define SAMPLE                                                                                     \
	"^([a-zA-Z_:][a-zA-Z0-9_:]*)"                                                              \
	"(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\""                             \
	"(,[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\")*\\})? ([0-9]+)$"

static gboolean matches(const char *regex, const char *line)
{
	return g_regex_match_simple(regex, line, 0, 0);
}

/* Is @line a sample of the family @name? A counter's has "_total" behind it. */
static void assert_sample(const char *line, const char *name, const char *type)
{
	g_autofree char *start =
		g_strconcat(name, g_str_equal(type, "counter") ? "_total" : "", NULL);
	gsize length = strlen(start);

	if (!matches(SAMPLE, line) || strncmp(line, start, length) != 0 ||
	    (line[length] != '{' && line[length] != ' '))
		fail_msg("in family %s: %s", name, line);
}

/* Families one after the other, each once, with TYPE and HELP in front; no sample twice; at the end
 * "# EOF" and nothing behind it. */
static void assert_grammar(const char *text)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *family = NULL, *type = NULL;

	assert_true(g_utf8_validate(text, -1, NULL));
	assert_true(g_str_has_suffix(text, "\n# EOF\n"));
	for (guint i = 0; !g_str_equal(lines[i], "# EOF"); i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", 4);
		if (g_str_has_prefix(lines[i], "# TYPE ")) {
			assert_true(g_str_equal(words[3], "gauge") ||
				    g_str_equal(words[3], "counter"));
			assert_true(g_hash_table_add(seen, g_strconcat("# ", words[2], NULL)));
			g_free(family);
			g_free(type);
			family = g_strdup(words[2]);
			type = g_strdup(words[3]);
		} else if (g_str_has_prefix(lines[i], "# HELP ")) {
			assert_string_equal(words[2], family);
			assert_true(*words[3] && !strchr(words[3], '\\'));
		} else {
			const char *value = strrchr(lines[i], ' ');
			assert_non_null(family);
			assert_sample(lines[i], family, type);
			assert_true(g_hash_table_add(
				seen, g_strndup(lines[i], (gsize)(value - lines[i]))));
		}
	}
	assert_int_equal(strlen(strstr(text, "# EOF")), strlen("# EOF\n"));
}

static char *text_of(const HvrContext *context)
{
	const HvrListWhat what = { .all = FALSE };
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(context, inventory, &what);
	g_autoptr(GPtrArray) missing = hvr_list_missing(context, inventory);
	g_autoptr(GPtrArray) counters = hvr_counters_read(context);
	const HvrMetrics all = { .items = items,
				 .counters = counters,
				 .waiting = 3,
				 .missing = missing->len,
				 .vms = 2 };

	return hvr_metrics_text(&all);
}

static void assert_line(const char *text, const char *line)
{
	g_autofree char *whole = g_strconcat("\n", line, "\n", NULL);

	if (!strstr(text, whole))
		fail_msg("no line %s in\n%s", line, text);
}

/* One card in each of several states; the counts are of all of them. */
static void test_states(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrContext context = { .host = fs->host, .runtime = -1, .privileged = TRUE };
	const HvrPciAddress held = { .bus = 3 };

	fake_sysfs_add_hailo8(fs, "0000:00:1c.0", "0000:02:00.0", 14, 0);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.1", "0000:03:00.0", 15, 1);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.2", "0000:04:00.0", 16, 2);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.3", "0000:05:00.0", 17, 3);
	fake_sysfs_set_dead(fs, "0000:04:00.0");
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/0000:03:00.0/reset_method", "\n");
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/0000:05:00.0/reset_method", "\n");
	fake_sysfs_put_file(fs, "sys/module/hailo_vm_run_guard/parameters/cards", "0000:05:00.0\n");
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo3");
	fake_files_make_folder(fs->root, "var/lib");
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(HvrHold) hold = hvr_hold_new(hvr_inventory_find(inventory, &held), "x");
	assert_true(hvr_hold_write(&context, hold, NULL));
	assert_true(
		hvr_counters_add(&context, "00:1c.0/00.0", "1e60:2864", HVR_COUNTER_USES, NULL));
	g_autofree char *text = text_of(&context);
	assert_grammar(text);
	assert_line(text, "hailo_vm_cards{state=\"free\"} 1");
	assert_line(text, "hailo_vm_cards{state=\"held\"} 1");
	assert_line(text, "hailo_vm_cards{state=\"dead\"} 1");
	assert_line(text, "hailo_vm_cards{state=\"busy\"} 1");
	assert_line(text, "hailo_vm_cards{state=\"in_use\"} 0");
	assert_line(text, "hailo_vm_cards_on{driver=\"host\"} 4");
	assert_line(text, "hailo_vm_card_state{address=\"0000:04:00.0\",path=\"00:1c.2/00.0\","
			  "id=\"1e60:2864\",state=\"dead\"} 1");
	assert_line(text, "hailo_vm_card_reset{address=\"0000:02:00.0\",path=\"00:1c.0/00.0\","
			  "id=\"1e60:2864\",reach=\"function\"} 1");
	assert_line(text, "hailo_vm_card_reset{address=\"0000:03:00.0\",path=\"00:1c.1/00.0\","
			  "id=\"1e60:2864\",reach=\"bus\"} 1");
	assert_line(text, "hailo_vm_card_reset{address=\"0000:05:00.0\",path=\"00:1c.3/00.0\","
			  "id=\"1e60:2864\",reach=\"none\"} 1");
	assert_line(text, "hailo_vm_card_uses_total{path=\"00:1c.0/00.0\",id=\"1e60:2864\"} 1");
	assert_line(text, "hailo_vm_card_failures_total{path=\"00:1c.0/00.0\",id=\"1e60:2864\"} 0");
	assert_line(text, "hailo_vm_waiting 3");
	assert_line(text, "hailo_vm_vms 2");
	assert_line(text, "hailo_vm_held_missing 0");
}

/* A host without a card, and words that would leave a label, in a file of counters. */
static void test_labels(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrContext context = { .host = fs->host, .runtime = -1, .privileged = TRUE };

	fake_files_make_folder(fs->root, "var/lib/hailo-vm-run");
	fake_sysfs_put_file(fs, "var/lib/hailo-vm-run/counters",
			    "[a\"} 1\\\xc3\xa4@x\\]\nuses=5\n");
	g_autofree char *text = text_of(&context);
	assert_grammar(text);
	assert_line(text, "hailo_vm_card_uses_total{path=\"a\\\"} 1\\\\\xc3\xa4\",id=\"x\\\\\"} 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
