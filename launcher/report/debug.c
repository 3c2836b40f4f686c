/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GLib shows debug messages only to who sets a variable of the environment, which QEMU and all that
 * it is built of would inherit and take for theirs. --debug is for us alone.
 */
#include "launcher/report/debug.h"

#include <string.h>

#include "launcher/report/message.h"

#define OUR_DOMAINS "hvr-"

static const char *field(const GLogField *fields, gsize n_fields, const char *name)
{
	for (gsize i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, name) == 0)
			return fields[i].value;
	return NULL;
}

static GLogWriterOutput write_debug(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				    gpointer user_data)
{
	const char *domain = field(fields, n_fields, "GLIB_DOMAIN");
	const char *text = field(fields, n_fields, "MESSAGE");

	if (!(level & G_LOG_LEVEL_DEBUG))
		return g_log_writer_default(level, fields, n_fields, user_data);
	if (text && domain && g_str_has_prefix(domain, OUR_DOMAINS))
		hvr_message("debug: %s", text);
	return G_LOG_WRITER_HANDLED;
}

void hvr_debug_init(gboolean all)
{
	/* Standard output is for data. */
	g_log_writer_default_set_use_stderr(TRUE);
	if (all)
		g_log_set_writer_func(write_debug, NULL, NULL);
}
