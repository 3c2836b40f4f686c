/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit's XML has no standard, only what CI systems agree on: one testsuite, its testcases, and in
 * each at most one of failure, error and skipped.
 */
#include "launcher/guest/junit.h"

#include <string.h>

#include "launcher/report/text.h"

/* Of the begin of an output, and of its end. */
#define PART_BYTES (512 * 1024)

void hvr_junit_case_free(HvrJunitCase *one)
{
	if (!one)
		return;
	g_free(one->name);
	g_free(one->message);
	g_clear_pointer(&one->out, g_byte_array_unref);
	g_clear_pointer(&one->err, g_byte_array_unref);
	g_free(one);
}

/* Once it is harmless, a text has two characters that XML 1.0 does not hold, not even escaped. */
static gboolean holds(gunichar c)
{
	return c != 0xfffe && c != 0xffff;
}

/* @attribute: line ends would be made blanks there. */
static void append_escaped(GString *xml, const char *bytes, gsize length, gboolean attribute)
{
	g_autoptr(GString) safe = g_string_new(NULL);

	hvr_text_append(safe, bytes, length, HVR_TEXT_LINES);
	for (const char *at = safe->str; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (!holds(c))
			g_string_append(xml, "\xef\xbf\xbd");
		else if (c == '&')
			g_string_append(xml, "&amp;");
		else if (c == '<')
			g_string_append(xml, "&lt;");
		else if (c == '>')
			g_string_append(xml, "&gt;");
		else if (c == '"')
			g_string_append(xml, "&quot;");
		else if (c == '\r' || (attribute && (c == '\n' || c == '\t')))
			g_string_append_printf(xml, "&#%u;", c);
		else
			g_string_append_unichar(xml, c);
	}
}

static void append_attribute(GString *xml, const char *text)
{
	append_escaped(xml, text, strlen(text), TRUE);
}

static void append_bytes(GString *xml, const GByteArray *bytes)
{
	const char *data = (const char *)bytes->data;

	if (bytes->len <= 2 * PART_BYTES) {
		append_escaped(xml, data, bytes->len, FALSE);
		return;
	}
	append_escaped(xml, data, PART_BYTES, FALSE);
	g_string_append_printf(xml, "\n[%u bytes left out]\n", bytes->len - 2 * PART_BYTES);
	append_escaped(xml, data + bytes->len - PART_BYTES, PART_BYTES, FALSE);
}

static void append_output(GString *xml, const char *indent, const char *element,
			  const GByteArray *bytes)
{
	if (!bytes || bytes->len == 0)
		return;
	g_string_append_printf(xml, "%s<%s>", indent, element);
	append_bytes(xml, bytes);
	g_string_append_printf(xml, "</%s>\n", element);
}

static void append_seconds(GString *xml, gint64 us)
{
	g_string_append_printf(xml, " time=\"%" G_GINT64_FORMAT ".%03d\"", us / G_USEC_PER_SEC,
			       (int)(us % G_USEC_PER_SEC / 1000));
}

static void append_case(GString *xml, const char *suite, const HvrJunitCase *one)
{
	static const char *const elements[] = { NULL, "failure", "error", "skipped" };
	const char *element = elements[one->verdict];

	g_string_append(xml, "  <testcase classname=\"");
	append_attribute(xml, suite);
	g_string_append(xml, "\" name=\"");
	append_attribute(xml, one->name);
	g_string_append_c(xml, '"');
	append_seconds(xml, one->took_us);
	g_string_append(xml, ">\n");
	if (element) {
		g_string_append_printf(xml, "    <%s message=\"", element);
		if (one->message)
			append_attribute(xml, one->message);
		g_string_append(xml, "\"/>\n");
	}
	append_output(xml, "    ", "system-out", one->out);
	append_output(xml, "    ", "system-err", one->err);
	g_string_append(xml, "  </testcase>\n");
}

static guint count(const GPtrArray *cases, HvrJunitVerdict verdict)
{
	guint n = 0;

	for (guint i = 0; i < cases->len; i++)
		n += ((const HvrJunitCase *)g_ptr_array_index(cases, i))->verdict == verdict;
	return n;
}

static gint64 total_us(const GPtrArray *cases)
{
	gint64 total = 0;

	for (guint i = 0; i < cases->len; i++)
		total += ((const HvrJunitCase *)g_ptr_array_index(cases, i))->took_us;
	return total;
}

static void append_properties(GString *xml, const char **properties)
{
	if (!properties || !properties[0])
		return;
	g_string_append(xml, "  <properties>\n");
	for (guint i = 0; properties[i]; i += 2) {
		g_string_append(xml, "    <property name=\"");
		append_attribute(xml, properties[i]);
		g_string_append(xml, "\" value=\"");
		append_attribute(xml, properties[i + 1]);
		g_string_append(xml, "\"/>\n");
	}
	g_string_append(xml, "  </properties>\n");
}

static void append_suite(GString *xml, const HvrJunitSuite *suite)
{
	const GPtrArray *cases = suite->cases;

	g_string_append(xml, "<testsuite name=\"");
	append_attribute(xml, suite->name);
	g_string_append_printf(xml, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"",
			       cases->len, count(cases, HVR_JUNIT_FAILED),
			       count(cases, HVR_JUNIT_ERROR), count(cases, HVR_JUNIT_SKIPPED));
	append_seconds(xml, total_us(cases));
	g_string_append(xml, ">\n");
	append_properties(xml, suite->properties);
	for (guint i = 0; i < cases->len; i++)
		append_case(xml, suite->name, g_ptr_array_index(cases, i));
	append_output(xml, "  ", "system-err", suite->err);
	g_string_append(xml, "</testsuite>\n");
}

char *hvr_junit_format(const char *all, const HvrJunitSuite *suites, guint n)
{
	GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

	if (all) {
		g_string_append(xml, "<testsuites name=\"");
		append_attribute(xml, all);
		g_string_append(xml, "\">\n");
	}
	for (guint i = 0; i < n; i++)
		append_suite(xml, &suites[i]);
	if (all)
		g_string_append(xml, "</testsuites>\n");
	return g_string_free(xml, FALSE);
}
