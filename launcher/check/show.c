/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same results for people and for programs.
 */
#include "launcher/check/check.h"

#include <string.h>

#include "launcher/report/json.h"
#include "launcher/report/text.h"

#define RESET "\033[0m"

static const char *const colours[] = { [HVR_CHECK_PASS] = "\033[32m",
				       [HVR_CHECK_WARN] = "\033[33m",
				       [HVR_CHECK_FAIL] = "\033[1;31m",
				       [HVR_CHECK_UNKNOWN] = "\033[35m" };

/* What matters most is read last, right above where the next command is typed. */
static const HvrCheckStatus order[] = { HVR_CHECK_PASS, HVR_CHECK_WARN, HVR_CHECK_UNKNOWN,
					HVR_CHECK_FAIL };

/* The columns of "PASS", "UNKNOWN". */
#define STATUS_WIDTH 8

/* Behind the status. Colour is ours; the words may be others'. */
static void append_line(GString *text, const char *line, guint width)
{
	g_autofree char *safe = hvr_text_safe(line);

	hvr_text_append_wrapped(text, safe, STATUS_WIDTH, width);
}

static void append_result(GString *text, const HvrCheckResult *result, const HvrCheckStyle *style)
{
	const char *status = hvr_check_status_name(result->status);

	if (style->colour)
		g_string_append_printf(text, "%s%-7s" RESET " ", colours[result->status], status);
	else
		g_string_append_printf(text, "%-7s ", status);
	g_autofree char *line =
		g_strdup_printf("%s: %s: %s", result->id, result->subject, result->seen);
	append_line(text, line, style->width);
	if (!result->fix)
		return;
	/* A command in it is to be copied as one line. */
	g_string_append_printf(text, "%*sfix: ", STATUS_WIDTH, "");
	append_line(text, result->fix, 0);
}

static guint count(const GPtrArray *results, HvrCheckStatus status)
{
	guint n = 0;

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		n += result->status == status;
	}
	return n;
}

/* "iommu, card-group": each once, in the order in which they were asked. */
static void append_ids(GString *text, const GPtrArray *results, HvrCheckStatus status)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status != status)
			continue;
		if (!g_hash_table_add(seen, (gpointer)result->id))
			continue;
		if (g_hash_table_size(seen) > 1)
			g_string_append(text, ", ");
		g_string_append(text, result->id);
	}
}

static void append_verdict(GString *text, const GPtrArray *results)
{
	guint warnings = count(results, HVR_CHECK_WARN);
	guint unknown = count(results, HVR_CHECK_UNKNOWN), failed = count(results, HVR_CHECK_FAIL);

	switch (hvr_check_exit_status(results)) {
	case 0:
		g_string_append(text, "ready");
		break;
	case 1:
		g_string_append(text, "not ready: ");
		append_ids(text, results, HVR_CHECK_FAIL);
		g_string_append_printf(text, " (%u of %u failed)", failed, results->len);
		if (unknown)
			g_string_append_printf(text, ", %u unknown", unknown);
		break;
	default:
		g_string_append(text, "cannot tell: ");
		append_ids(text, results, HVR_CHECK_UNKNOWN);
		g_string_append_printf(text, " (%u of %u unknown)", unknown, results->len);
		break;
	}
	if (warnings)
		g_string_append_printf(text, ", %u warning%s", warnings, warnings == 1 ? "" : "s");
}

/* Of this status, in the order in which they were asked. */
static void append_status(GString *text, const GPtrArray *results, HvrCheckStatus status,
			  const HvrCheckStyle *style)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == status)
			append_result(text, result, style);
	}
}

char *hvr_check_to_text(const GPtrArray *results, const HvrCheckStyle *style)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GString) verdict = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
		if (order[i] != HVR_CHECK_PASS || !style->quiet)
			append_status(text, results, order[i], style);
	append_verdict(verdict, results);
	hvr_text_append_wrapped(text, verdict->str, STATUS_WIDTH, style->width);
	return g_string_free(text, FALSE);
}

static JsonObject *result_to_json(const HvrCheckResult *result)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "id", result->id);
	json_object_set_string_member(object, "status", hvr_check_status_name(result->status));
	json_object_set_string_member(object, "subject", result->subject);
	json_object_set_string_member(object, "seen", result->seen);
	hvr_json_set_string(object, "fix", result->fix);
	return object;
}

JsonObject *hvr_check_to_json(const GPtrArray *results)
{
	JsonObject *root = json_object_new();
	JsonArray *checks = json_array_new();
	int status = hvr_check_exit_status(results);

	if (status == 2)
		json_object_set_null_member(root, "ready");
	else
		json_object_set_boolean_member(root, "ready", status == 0);
	for (guint i = 0; i < results->len; i++)
		json_array_add_object_element(checks,
					      result_to_json(g_ptr_array_index(results, i)));
	json_object_set_array_member(root, "checks", checks);
	return root;
}
