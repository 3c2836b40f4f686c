/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/wake.h"

#include <sys/random.h>

#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/scripts.h"
#include "launcher/warm/nets.h"

/* A guest that asks for a new lease may wait for it. */
#define TIMEOUT_MS 90000

/* Of wake.sh: all is done, or something else is missing. */
#define STATUS_OLD_ADDRESS 3

#define SEED_BYTES 256
#define ID_BYTES   16

static char *make_random(gsize n)
{
	g_autofree guchar *bytes = g_malloc(n);
	GString *text = g_string_sized_new(2 * n);

	if (getrandom(bytes, n, 0) != (gssize)n)
		return g_string_free(text, FALSE);
	for (gsize i = 0; i < n; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}

/* OLD NEW of each that is another now. [transfer full] */
static char *list_macs(const HvrProfile *profile, const HvrWakeFrom *from)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; from && i < profile->nets->len && i < from->macs->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);
		const char *old = g_ptr_array_index(from->macs, i);
		if (!g_str_equal(old, net->mac))
			g_string_append_printf(text, "%s %s ", old, net->mac);
	}
	return g_string_free(text, FALSE);
}

/* The host name that the guest is to get; "": the one that it has. */
static const char *choose_name(const HvrProfile *profile, const HvrWakeFrom *from)
{
	gboolean same = g_str_equal(profile->name, from ? from->name : profile->stem);

	return same || profile->seed.hostname ? "" : profile->name;
}

/* Names and MACs have no character that a shell knows. */
static char *make_script(const HvrProfile *profile, const HvrWakeFrom *from)
{
	g_autofree char *seed = make_random(SEED_BYTES);
	g_autofree char *id = make_random(ID_BYTES);
	g_autofree char *nets = list_macs(profile, from);
	gboolean another = from && !g_str_equal(profile->name, from->name);

	gint64 now_us = g_get_real_time();

	return g_strdup_printf("now=%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT
			       " seed=%s name=%s id=%s nets='%s'\n%s",
			       now_us / G_USEC_PER_SEC, now_us % G_USEC_PER_SEC, seed,
			       choose_name(profile, from), another ? id : "", nets,
			       hvr_session_script_wake);
}

gboolean hvr_wake_was_heard(const HvrWake *wake)
{
	return wake->script.status >= 0;
}

gboolean hvr_wake_has_stayed(const HvrWake *wake)
{
	return wake->shared && wake->script.status == STATUS_OLD_ADDRESS;
}

static gboolean has_addresses(const HvrWake *wake)
{
	return !wake->shared || (hvr_wake_was_heard(wake) && !hvr_wake_has_stayed(wake));
}

static void on_done(const GError *error, gpointer user_data)
{
	HvrWake *wake = user_data;
	g_autoptr(GError) fatal = NULL;

	if (error && !has_addresses(wake))
		g_set_error(&fatal, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[net %s] the guest does not take the VM's MAC address in place of "
			    "the one that it was saved with: %s",
			    wake->shared->id, error->message);
	else if (error)
		hvr_message("warning: the guest does not know all that is new since it was saved: "
			    "%s",
			    error->message);
	wake->done(fatal, wake->user_data);
}

void hvr_wake_begin(HvrWake *wake, HvrSession *session, const HvrWakeFrom *from, HvrWakeDone done,
		    gpointer user_data)
{
	g_autofree char *script = make_script(session->profile, from);

	wake->shared = from ? hvr_warm_nets_find(session->profile, from->macs) : NULL;
	wake->done = done;
	wake->user_data = user_data;
	hvr_guest_script_begin(&wake->script, session, script, TIMEOUT_MS, on_done, wake);
	wake->script.tells_time = TRUE;
}

void hvr_wake_end(HvrWake *wake)
{
	hvr_guest_script_end(&wake->script);
}
