/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a guest says of its Hailo-8: the first byte is a status, the rest a kernel log,
 * what hailortcli prints, and the PCI bus, with lines of "--" between.
 *
 * What must hold: each verdict is one line of bounded length that is UTF-8 without control
 * characters, and has a fix unless it passes; a card passes only when it is named and nothing
 * known was said; and whatever a log holds, it is over once the module is loaded anew.
 */
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "launcher/guest/verify-known.h"
#include "launcher/guest/verify-log.h"
#include "launcher/guest/verify.h"

#define SEEN_MAX_BYTES 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const uint8_t *data, size_t size)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_byte_array_append(bytes, data, (guint)size);
	char *text = hvr_verify_text(bytes, NULL);
	g_assert(strlen(text) == size || (size && strlen(text) == size + 1));
	return text;
}

static void check_line(const char *text)
{
	g_assert(g_utf8_validate(text, -1, NULL));
	g_assert(strlen(text) < SEEN_MAX_BYTES);
	for (const char *c = text; *c; c++)
		g_assert(!g_ascii_iscntrl(*c));
}

static void check_results(const GPtrArray *results, const HvrVerifyFacts *facts)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		check_line(result->seen);
		g_assert((result->fix == NULL) == (result->status == HVR_CHECK_PASS));
		if (result->status != HVR_CHECK_PASS || !g_str_equal(result->id, "guest-card"))
			continue;
		g_assert(strstr(facts->identify.text, "Device Architecture:"));
		g_assert(!hvr_verify_known(HVR_VERIFY_TOOL, facts->identify.text, NULL));
	}
}

static void check_log(const char *log)
{
	g_autofree char *anew =
		g_strconcat(log, "\nhailo: Init module. driver version 4.23.0\n", NULL);
	g_autoptr(GPtrArray) before = hvr_verify_log(log);
	g_autoptr(GPtrArray) after = hvr_verify_log(anew);

	g_assert(after->len == 0);
	for (guint i = 0; i < before->len; i++) {
		const HvrVerifyComplaint *complaint = g_ptr_array_index(before, i);
		g_assert(complaint->known->source == HVR_VERIFY_LOG);
		g_assert(strstr(complaint->line, complaint->known->text));
		g_assert(!strchr(complaint->line, '\n'));
	}
}

/* (transfer full): up to the next line of "--", behind which @data is then */
static char *take(const uint8_t **data, size_t *size)
{
	static const char cut[] = "\n--\n";
	const uint8_t *end = NULL;

	if (*size)
		end = memmem(*data, *size, cut, strlen(cut));
	size_t length = end ? (size_t)(end - *data) : *size;
	size_t skip = end ? length + strlen(cut) : length;
	char *text = text_of(*data, length);
	*data += skip;
	*size -= skip;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	int status = *data++;
	size--;
	g_auto(HvrVerifyFacts) facts = {
		.driver = g_strdup("4.23.0"),
		.version = { 0, g_strdup("HailoRT-CLI version 4.23.0\n") },
	};
	facts.log = take(&data, &size);
	facts.identify.text = take(&data, &size);
	facts.pci = take(&data, &size);
	facts.scan.text = g_strdup(facts.identify.text);
	g_autoptr(GPtrArray) well = hvr_verify_judge(&facts, "4.20");
	check_results(well, &facts);
	check_log(facts.log);
	/* The same words with a status, and as the other answers. */
	facts.identify.status = status;
	g_free(facts.driver);
	facts.driver = g_strdup(facts.identify.text);
	g_free(facts.version.text);
	facts.version.text = g_strdup(facts.identify.text);
	facts.nodes = g_ptr_array_new();
	g_ptr_array_add(facts.nodes, hvr_verify_node_new("hailo0", facts.identify.text));
	g_autoptr(GPtrArray) ill = hvr_verify_judge(&facts, "4.20");
	check_results(ill, &facts);
	return 0;
}
