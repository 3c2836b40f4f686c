/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests with HailoRT, tests/data/hailo/: what verify says of each. Outputs go the way of the
 * agent's answers, so that what they hold comes through it. A new file is found by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/guest/verify-known.h"
#include "launcher/guest/verify-log.h"
#include "launcher/guest/verify.h"

#define FOLDER SOURCE_ROOT "/tests/data/hailo/"
#define BROKEN                                                                                     \
	"hailortcli: error while loading shared libraries: libhailort.so.4.23.0: cannot open "     \
	"shared object file: No such file or directory\n"
#define DEAD "failed to open file '/dev/hailo0' (mode: 'r'): No such device or address"

/* The rows that one guest or another has told of. */
static GHashTable *told;

static GPtrArray *read_lines(const char *name)
{
	g_autofree char *path = g_strconcat(FOLDER, name, NULL);
	g_autofree char *text = NULL;
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) split = g_strsplit(text, "\n", -1);
	for (char **line = split; *line; line++)
		if (**line && **line != '#')
			g_ptr_array_add(lines, g_strdup(*line));
	return lines;
}

/* Behind the key, or NULL. */
static const char *after(const char *line, const char *key)
{
	gsize length = strlen(key);

	if (strncmp(line, key, length) != 0 || (line[length] && line[length] != ' '))
		return NULL;
	return line + length + (line[length] == ' ');
}

/* (transfer full): the one line of a key; NULL: there is none */
static char *get(const GPtrArray *lines, const char *key)
{
	for (guint i = 0; i < lines->len; i++) {
		const char *value = after(g_ptr_array_index(lines, i), key);
		if (value)
			return g_strdup(value);
	}
	return NULL;
}

static void append_value(GString *text, const char *value)
{
	for (const char *at = value; *at; at++) {
		gboolean nul = at[0] == '\\' && at[1] == '0';
		g_string_append_c(text, nul ? '\0' : *at);
		at += nul;
	}
	g_string_append_c(text, '\n');
}

/* All lines of a key, each with @before in front. */
static GString *get_all(const GPtrArray *lines, const char *key, const char *before)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < lines->len; i++) {
		const char *value = after(g_ptr_array_index(lines, i), key);
		if (!value)
			continue;
		g_string_append(text, before);
		append_value(text, value);
	}
	return text;
}

/* Through an answer of guest-exec-status. */
static HvrVerifyOutput output_of(int status, GString *bytes)
{
	g_autofree char *base64 = g_base64_encode((const guchar *)bytes->str, bytes->len);
	g_autofree char *json = g_strdup_printf(
		"{\"exited\":true,\"exitcode\":%d,\"out-data\":\"%s\"}", status, base64);
	g_autoptr(JsonNode) answer = json_from_string(json, NULL);
	g_auto(HvrGuestResult) result = { 0 };
	gboolean exited = FALSE;

	assert_true(hvr_guest_decode(answer, &exited, &result, NULL));
	assert_true(exited);
	g_string_free(bytes, TRUE);
	return (HvrVerifyOutput){ .status = result.status,
				  .text = hvr_verify_text(result.out, result.err) };
}

static HvrVerifyOutput version_of(const char *library)
{
	GString *text = g_string_new(NULL);

	if (!library) {
		g_string_append(text, "env: 'hailortcli': No such file or directory\n");
		return output_of(127, text);
	}
	if (g_str_equal(library, "broken")) {
		g_string_append(text, BROKEN);
		return output_of(127, text);
	}
	g_string_append_printf(text, "HailoRT-CLI version %s\n", library);
	return output_of(0, text);
}

static HvrVerifyOutput identify_of(const GPtrArray *lines, const char *library)
{
	g_autofree char *status = get(lines, "identify");

	if (!status)
		return version_of(library);
	return output_of(atoi(status), get_all(lines, "said", ""));
}

static void gather(const GPtrArray *lines, HvrVerifyFacts *facts)
{
	g_autofree char *library = get(lines, "library");
	g_autofree char *node = get(lines, "node");

	facts->driver = get(lines, "driver");
	facts->driver5 = get(lines, "driver5");
	facts->log = g_string_free(get_all(lines, "log", "[    7.351925] "), FALSE);
	facts->version = version_of(library);
	facts->identify = identify_of(lines, library);
	facts->scan = output_of(0, get_all(lines, "scan", ""));
	facts->nodes = g_ptr_array_new();
	if (node && g_str_has_suffix(node, " dead"))
		g_ptr_array_add(facts->nodes, hvr_verify_node_new("hailo0", DEAD));
	else if (node)
		g_ptr_array_add(facts->nodes, hvr_verify_node_new("hailo0", NULL));
}

static gint compare(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* "guest-card guest-log" */
static char *list_failed(const GPtrArray *results)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new();

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == HVR_CHECK_FAIL &&
		    !g_ptr_array_find_with_equal_func(ids, result->id, g_str_equal, NULL))
			g_ptr_array_add(ids, (gpointer)result->id);
	}
	g_ptr_array_sort(ids, compare);
	g_ptr_array_add(ids, NULL);
	return g_strjoinv(" ", (char **)ids->pdata);
}

static gboolean is_met(const GPtrArray *results, const char *want)
{
	g_auto(GStrv) words = g_strsplit(want, " ", 3);

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (g_str_equal(result->id, words[1]) &&
		    g_str_equal(hvr_check_status_name(result->status), words[0]) &&
		    (strstr(result->seen, words[2]) ||
		     (result->fix && strstr(result->fix, words[2]))))
			return TRUE;
	}
	return FALSE;
}

static void note_told(const HvrVerifyFacts *facts)
{
	g_autoptr(GPtrArray) complaints = hvr_verify_log(facts->log);
	const HvrVerifyOutput *outputs[] = { &facts->version, &facts->identify, &facts->scan };

	for (guint i = 0; i < complaints->len; i++) {
		const HvrVerifyComplaint *complaint = g_ptr_array_index(complaints, i);
		g_hash_table_add(told, (gpointer)complaint->known);
	}
	for (guint i = 0; i < G_N_ELEMENTS(outputs); i++) {
		const HvrVerifyKnown *known =
			hvr_verify_known(HVR_VERIFY_TOOL, outputs[i]->text, NULL);
		if (!known && outputs[i]->text)
			known = hvr_verify_known_status(outputs[i]->status);
		if (known)
			g_hash_table_add(told, (gpointer)known);
	}
}

static void judge(const char *name)
{
	g_autoptr(GPtrArray) lines = read_lines(name);
	g_auto(HvrVerifyFacts) facts = { 0 };
	g_autofree char *fails = get(lines, "fails");

	gather(lines, &facts);
	note_told(&facts);
	g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, "4.20");
	g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	g_autofree char *failed = list_failed(results);
	assert_non_null(fails);
	if (!g_str_equal(fails, failed))
		fail_msg("%s: '%s' fail, not '%s':\n%s", name, failed, fails, text);
	assert_int_equal(hvr_check_exit_status(results), *fails != '\0');
	for (guint i = 0; i < lines->len; i++) {
		const char *want = after(g_ptr_array_index(lines, i), "want");
		if (want && !is_met(results, want))
			fail_msg("%s: no '%s' in:\n%s", name, want, text);
	}
}

static void test_guests(void **state)
{
	g_autoptr(GDir) folder = g_dir_open(FOLDER, 0, NULL);
	const char *name = NULL;
	guint n = 0;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder))) {
		if (!g_str_has_suffix(name, ".guest"))
			continue;
		judge(name);
		n++;
	}
	assert_true(n >= 40);
}

/* What no guest of the folder says, or only beside what tells more. Read in the source. */
static const struct {
	HvrVerifySource source;
	const char *line, *meaning;
} others[] = {
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Failed writing firmware. err -22", "damaged" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Failed writing NNC firmware files. err -22",
	  "damaged" },
	{ HVR_VERIFY_LOG, "Failed to write file hailo/hailo8_fw.4.19.0.bin", "damaged" },
	{ HVR_VERIFY_LOG, "hailo reset firmware, timeout waiting for shutdown response",
	  "does not obey" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Probing: Invalid PCIe BAR 2", "no room" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Probing: Error allocating bars -16",
	  "another driver" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Probing: Failed init pcie resources",
	  "not for a Hailo-8" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Failed to enable MSI -28", "no interrupt vector" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: Failed to enable MSI -22", "could not be set up" },
	{ HVR_VERIFY_LOG,
	  "hailo 0000:01:00.0: hailo_nnc_driver_down, timeout waiting for shutdown response",
	  "come to rest" },
	{ HVR_VERIFY_LOG, "hailo: probe of 0000:01:00.0 failed with error -2", "no firmware" },
	{ HVR_VERIFY_LOG, "hailo: probe of 0000:01:00.0 failed with error -110", "in time" },
	{ HVR_VERIFY_LOG, "hailo: probe of 0000:01:00.0 failed with error -19", "behind its BAR" },
	{ HVR_VERIFY_LOG, "hailo: probe of 0000:01:00.0 failed with error -22", "not accept" },
	{ HVR_VERIFY_LOG, "hailo: probe of 0000:01:00.0 failed with error -12",
	  "could not take the card" },
	{ HVR_VERIFY_LOG, "hailo 0000:01:00.0: probe with driver hailo failed with error -2",
	  "no firmware" },
	{ HVR_VERIFY_NODE, "failed to open file '/dev/hailo0' (mode: 'r'): No such device", "19" },
	{ HVR_VERIFY_NODE, DEAD, "ENXIO" },
	{ HVR_VERIFY_NODE, "failed to open file '/dev/hailo0' (mode: 'r'): Permission denied",
	  "EACCES" },
	{ HVR_VERIFY_NODE, "failed to open file '/dev/hailo0' (mode: 'r'): Operation not permitted",
	  "EPERM" },
	{ HVR_VERIFY_NODE,
	  "failed to open file '/dev/hailo0' (mode: 'r'): No such file or directory", "ENOENT" },
	{ HVR_VERIFY_TOOL, "Failed to open device file /dev/hailo0 with error 1", "EPERM" },
	{ HVR_VERIFY_TOOL, "Failed to open device file /dev/hailo0 with error 2", "ENOENT" },
	{ HVR_VERIFY_TOOL, "Failed to open device file /dev/hailo0 with error 16",
	  "cannot be opened" },
	{ HVR_VERIFY_TOOL, "HAILO_FW_CONTROL failed with errno:19", "no firmware runs" },
};

static const struct {
	int status;
	const char *meaning;
} statuses[] = {
	{ 4, "did not answer" },	{ 13, "cannot be opened" }, { 76, "different versions" },
	{ 85, "not understand" },	{ 86, "does not know" },    { 87, "did not answer" },
	{ 0, "HailoRT finds no card" },
};

static void test_others(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		const HvrVerifyKnown *known =
			hvr_verify_known(others[i].source, others[i].line, NULL);
		if (!known || !strstr(known->meaning, others[i].meaning))
			fail_msg("%s: %s", others[i].line, known ? known->meaning : "unknown");
		g_hash_table_add(told, (gpointer)known);
	}
	for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
		const HvrVerifyKnown *known = hvr_verify_known_status(statuses[i].status);
		assert_non_null(known);
		assert_non_null(strstr(known->meaning, statuses[i].meaning));
		g_hash_table_add(told, (gpointer)known);
	}
}

/* No row is there that nothing tells of, and each has words and something to do. */
static void test_all_rows(void **state)
{
	for (gsize i = 0; i < hvr_verify_known_count; i++) {
		const HvrVerifyKnown *known = &hvr_verify_known_table[i];
		assert_non_null(known->meaning);
		assert_non_null(known->fix);
		if (!g_hash_table_contains(told, known))
			fail_msg("row %zu, '%s' %d, is in no test", i,
				 known->text ? known->text : "status",
				 known->text ? known->number : known->status);
	}
}

/* What is no complaint of this driver. */
static void test_harmless(void **state)
{
	static const char *const lines[] = {
		"i915 0000:00:02.0: probe with driver i915 failed with error -19",
		"i915: probe of 0000:00:02.0 failed with error -19",
		"systemd[1]: hailort.service: Timeout waiting for firmware",
		"Failed to write file hailo/hailo8_board_cfg.bin",
		"Failed to write file hailo/hailo8_fw_cfg.bin",
		"hailo 0000:01:00.0: Direct firmware load for hailo/hailo8_board_cfg.bin failed "
		"with error -2",
		"hailo_pci: loading out-of-tree module taints kernel.",
	};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *log = g_strdup_printf("[    1.0][   T12] %s\n", lines[i]);
		g_autoptr(GPtrArray) complaints = hvr_verify_log(log);
		if (complaints->len)
			fail_msg("%s", lines[i]);
	}
}

static void expect_log(const char *log, const char *devices)
{
	g_autoptr(GPtrArray) complaints = hvr_verify_log(log);
	g_autoptr(GString) found = g_string_new(NULL);

	for (guint i = 0; i < complaints->len; i++) {
		const HvrVerifyComplaint *complaint = g_ptr_array_index(complaints, i);
		g_string_append_printf(found, "%s ", complaint->device ? complaint->device : "-");
	}
	assert_string_equal(found->str, devices);
}

/* A guest cannot have verify read for hours. */
static void test_many(void **state)
{
	g_autoptr(GString) log = g_string_new(NULL);

	for (guint i = 0; i < 1000; i++)
		g_string_append_printf(log, "hailo 0000:%02x:%02x.0: Firmware was already loaded\n",
				       i >> 5, i & 0x1f);
	g_autoptr(GPtrArray) complaints = hvr_verify_log(log->str);
	assert_int_equal(complaints->len, 16);
}

#define A "hailo 0000:01:00.0: "
#define B "hailo 0000:02:00.0: "

/* Whom a line is about, and what a new probe makes of it. */
static void test_since(void **state)
{
	expect_log(A "Firmware was already loaded\n", "0000:01:00.0 ");
	expect_log(A "Firmware was already loaded\n" A "Probing on: 1e60:2864...\n", "");
	expect_log(A "Firmware was already loaded\n" A "Probing: Device enabled\n", "");
	expect_log(A "Firmware was already loaded\n" B "Probing on: 1e60:2864...\n",
		   "0000:01:00.0 ");
	expect_log(A "Firmware was already loaded\n" A "Remove: Releasing board\n", "");
	expect_log(A "Probing on: 1e60:2864...\n" A "Probing: Failed reading device BARs\n",
		   "0000:01:00.0 ");
	expect_log(B "Probing on: 1e60:2864...\nFailed to write file hailo/hailo8_fw.bin\n",
		   "0000:02:00.0 ");
	expect_log("Failed to write file hailo/hailo8_fw.bin\n", "- ");
	expect_log("Failed to write file hailo/hailo8_fw.bin\n" A "Probing on: 1e60:2864...\n", "");
	expect_log(A "Firmware was already loaded\n" B "Timeout waiting for firmware..\n",
		   "0000:01:00.0 0000:02:00.0 ");
	expect_log(A "Firmware was already loaded\n" B "Timeout waiting for firmware..\n"
		     "hailo: Init module. driver version 4.23.0\n",
		   "");
}

/* A card that came back at another address leaves its complaint behind at the old one. */
static void test_moved(void **state)
{
#define SILENT_A A "Timeout waiting for firmware..\n"
#define PROBE_B	 B "Probing on: 1e60:2864...\n"
	static const struct {
		const char *log, *pci;
		gboolean complained;
	} cases[] = {
		{ SILENT_A PROBE_B, NULL, TRUE },
		{ SILENT_A PROBE_B, "0000\t80861237\t0\n", TRUE },
		{ SILENT_A PROBE_B, "0100\t1e602864\tb\t0\n", TRUE },
		{ SILENT_A PROBE_B, "0000\t80861237\t0\n0200\t1e602864\tb\t0\n", FALSE },
		{ SILENT_A PROBE_B, "0200\t1e602864\tb\t0\n0100\t1e602864\tb\t0\n", TRUE },
		{ SILENT_A PROBE_B, "nonsense\n0100\n1e60\tx\n", TRUE },
		{ SILENT_A, "0200\t1e602864\tb\t0\n", TRUE },
		{ PROBE_B SILENT_A, "0200\t1e602864\tb\t0\n", TRUE },
		{ SILENT_A PROBE_B SILENT_A, "0200\t1e602864\tb\t0\n", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrVerifyFacts) facts = {
			.log = g_strdup(cases[i].log),
			.pci = g_strdup(cases[i].pci),
		};
		g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, "4.20");
		g_autofree char *failed = list_failed(results);
		assert_int_equal(strstr(failed, "guest-log") != NULL, cases[i].complained);
	}
	g_autoptr(GPtrArray) pci = hvr_verify_pci("0208\t1e602864\tb\t0\n");
	assert_int_equal(pci->len, 1);
	assert_string_equal(g_ptr_array_index(pci, 0), "02:01.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guests),	 cmocka_unit_test(test_others),
		cmocka_unit_test(test_all_rows), cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_since),	 cmocka_unit_test(test_many),
		cmocka_unit_test(test_moved),
	};

	told = g_hash_table_new(NULL, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_hash_table_unref(told);
	return failed;
}
