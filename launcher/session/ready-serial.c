/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready when the serial port says so, wherever it goes to. Lines are matched one by one, the last
 * one also before it has ended: a login prompt never does.
 */
#include "launcher/session/ready-ways.h"

#include "launcher/report/message.h"
#include "launcher/session/serial-hub.h"

/* What is longer is matched in parts. */
#define LINE_BYTES 4096

typedef struct {
	HvrReadiness *readiness;
	HvrSerialHub *serial; /* NULL: it cannot be watched */
	GRegex *pattern;
	GString *line;
	guint reached;
} Watch;

static gboolean matches(const Watch *watch)
{
	return g_regex_match_full(watch->pattern, watch->line->str, (gssize)watch->line->len, 0, 0,
				  NULL, NULL);
}

/* TRUE: there it was. */
static gboolean take(Watch *watch, const char *bytes, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		gboolean ends = bytes[i] == '\n' || watch->line->len == LINE_BYTES;
		if (ends && matches(watch))
			return TRUE;
		if (ends)
			g_string_truncate(watch->line, 0);
		if (bytes[i] != '\n' && bytes[i] != '\r')
			g_string_append_c(watch->line, bytes[i]);
	}
	return matches(watch);
}

static gboolean on_reached(gpointer user_data)
{
	Watch *watch = user_data;

	watch->reached = 0;
	hvr_readiness_reach(watch->readiness);
	return G_SOURCE_REMOVE;
}

/* The watch ends with what is told, so that has to wait until the hub has told all others. */
static void on_heard(const char *bytes, gsize length, gpointer user_data)
{
	Watch *watch = user_data;

	if (!watch->reached && take(watch, bytes, length))
		watch->reached = g_idle_add(on_reached, watch);
}

/* From the first byte on: nothing is read before the main loop runs. */
static gpointer start(HvrReadiness *readiness, HvrSession *session)
{
	Watch *watch = g_new0(Watch, 1);

	*watch = (Watch){ .readiness = readiness, .line = g_string_new(NULL) };
	/* It has been compiled before, when the profile was read. */
	watch->pattern = g_regex_new(session->profile->guest.ready_pattern, G_REGEX_RAW, 0, NULL);
	if (watch->pattern && session->serial) {
		watch->serial = session->serial;
		hvr_serial_hub_hear(watch->serial, on_heard, watch);
	} else {
		hvr_message("the serial port cannot be watched: nothing will tell when the guest "
			    "is ready");
	}
	return watch;
}

static void stop(gpointer data)
{
	Watch *watch = data;

	if (watch->serial)
		hvr_serial_hub_unhear(watch->serial, on_heard, watch);
	g_clear_handle_id(&watch->reached, g_source_remove);
	g_string_free(watch->line, TRUE);
	g_clear_pointer(&watch->pattern, g_regex_unref);
	g_free(watch);
}

const HvrReadyWay hvr_ready_by_serial = { .start = start, .stop = stop };
