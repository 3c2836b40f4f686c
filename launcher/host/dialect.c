/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tells one QEMU from another. The answer is some 250 kB of QEMU's own making, in which each
 * of these words, with its quotes, means one thing wherever it is; so it is searched, not taken
 * apart.
 */
#include "launcher/host/dialect.h"

#include <string.h>

#define GROUP "dialect"
/* Goes up when a question comes in or another thing is meant by one. */
#define FORMAT 1

const char hvr_dialect_question[] =
	"{\"execute\":\"qmp_capabilities\"}\n"
	"{\"execute\":\"query-qmp-schema\"}\n"
	"{\"execute\":\"query-command-line-options\",\"arguments\":{\"option\":\"name\"}}\n"
	"{\"execute\":\"quit\"}\n";

static const struct {
	const char *key;
	gsize offset;
} keys[] = {
	{ "monitor-objects", G_STRUCT_OFFSET(HvrDialect, monitor_objects) },
	{ "names-threads", G_STRUCT_OFFSET(HvrDialect, names_threads) },
	{ "plain-cards", G_STRUCT_OFFSET(HvrDialect, plain_cards) },
};

/* Words of system/vl.c: the option goes one day, and before that its help says so. */
static gboolean names_threads(const char *answer)
{
	return !strstr(answer, "\"debug-threads\"") ||
	       strstr(answer, "(deprecated, always enabled where supported)");
}

gboolean hvr_dialect_read(const char *answer, HvrDialect *out_dialect)
{
	/* of the schema, and of the options that come behind it */
	if (!strstr(answer, "\"device_add\"") || !strstr(answer, "\"option\": \"name\""))
		return FALSE;
	*out_dialect = (HvrDialect){ .monitor_objects = strstr(answer, "\"monitor-qmp\"") != NULL,
				     .names_threads = names_threads(answer),
				     .plain_cards = !strstr(answer, "\"json-cli-hotplug\"") };
	return TRUE;
}

char *hvr_dialect_to_text(const HvrDialect *dialect)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_key_file_set_integer(file, GROUP, "format", FORMAT);
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		g_key_file_set_boolean(file, GROUP, keys[i].key,
				       G_STRUCT_MEMBER(gboolean, dialect, keys[i].offset));
	return g_key_file_to_data(file, NULL, NULL);
}

gboolean hvr_dialect_from_text(const char *text, HvrDialect *out_dialect)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	HvrDialect dialect = { 0 };

	if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL) ||
	    g_key_file_get_integer(file, GROUP, "format", NULL) != FORMAT)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(GError) missing = NULL;
		gboolean value = g_key_file_get_boolean(file, GROUP, keys[i].key, &missing);

		if (missing)
			return FALSE;
		G_STRUCT_MEMBER(gboolean, &dialect, keys[i].offset) = value;
	}
	*out_dialect = dialect;
	return TRUE;
}
