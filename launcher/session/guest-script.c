/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   guest-sync -> guest-exec -> guest-exec-status until it has exited
 *
 * The agent knows no events, so its processes have to be asked after; the pauses grow.
 */
#include "launcher/session/guest-script.h"

#include <string.h>

#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/text.h"
#include "launcher/runtime/vm.h"
#include "qmp/error.h"

#define ANSWER_MS    10000
#define FIRST_MS     10
#define NS_PER_US    1000
#define LONGEST_MS   1000
#define LONGEST_LINE 200

static void ask_after(HvrGuestScript *script);

static void end(HvrGuestScript *script, const GError *error)
{
	HvrGuestScriptDone done = script->done;
	g_autoptr(GError) kept = error ? g_error_copy(error) : NULL;

	hvr_guest_script_end(script);
	done(kept, script->user_data);
}

static void fail(HvrGuestScript *script, const char *why)
{
	g_autoptr(GError) error =
		g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s", why);

	end(script, error);
}

/* The last line of what it said, as text of a guest's is shown. NULL: it said nothing.
 * [transfer full] */
static char *last_words(JsonObject *status)
{
	const char *encoded = hvr_json_get_string(status, "err-data");
	gsize length = 0;
	g_autofree char *bytes = (char *)g_base64_decode(encoded ? encoded : "", &length);
	g_autofree char *text = g_strndup(bytes, length);

	g_strchomp(text);
	const char *newline = strrchr(text, '\n');
	const char *line = newline ? newline + 1 : text;
	g_autofree char *some = g_strndup(line, LONGEST_LINE);
	return *some ? hvr_text_safe(some) : NULL;
}

static void judge(HvrGuestScript *script, JsonObject *status)
{
	gint64 code = -1;

	if (hvr_json_get_int(status, "exitcode", &code) && code >= 0 && code <= G_MAXUINT8)
		script->status = (int)code;
	if (script->status == 0) {
		end(script, NULL);
		return;
	}
	g_autofree char *said = last_words(status);
	g_autofree char *why = g_strdup_printf("it ended with status %d%s%s", (int)code,
					       said ? ": " : "", said ? said : "");
	fail(script, why);
}

static gboolean on_pause(gpointer user_data)
{
	HvrGuestScript *script = user_data;

	script->timer = 0;
	ask_after(script);
	return G_SOURCE_REMOVE;
}

static void on_status(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	HvrGuestScript *script = user_data;

	if (error) {
		end(script, error);
		return;
	}
	if (!JSON_NODE_HOLDS_OBJECT(result)) {
		fail(script, "the agent's answer is none");
		return;
	}
	if (hvr_json_is_true(json_node_get_object(result), "exited")) {
		judge(script, json_node_get_object(result));
		return;
	}
	if (g_get_monotonic_time() > script->until_us) {
		fail(script, "it did not end in time");
		return;
	}
	script->timer = g_timeout_add(script->pause_ms, on_pause, script);
	script->pause_ms = MIN(script->pause_ms * 2, LONGEST_MS);
}

static void ask_after(HvrGuestScript *script)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "pid", script->pid);
	hvr_agent_execute(script->agent, "guest-exec-status", arguments, ANSWER_MS, on_status,
			  script);
}

static void on_time_told(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	HvrGuestScript *script = user_data;
	g_autoptr(GError) failure = g_steal_pointer(&script->failure);

	end(script, failure);
}

static void tell_time(HvrGuestScript *script, const GError *why)
{
	JsonObject *arguments = json_object_new();

	script->failure = g_error_copy(why);
	json_object_set_int_member(arguments, "time", g_get_real_time() * NS_PER_US);
	hvr_agent_execute(script->agent, "guest-set-time", arguments, ANSWER_MS, on_time_told,
			  script);
}

static void on_started(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	HvrGuestScript *script = user_data;

	if (error && script->tells_time && !hvr_agent_is_closed(agent))
		tell_time(script, error);
	else if (error)
		end(script, error);
	else if (JSON_NODE_HOLDS_OBJECT(result) &&
		 hvr_json_get_int(json_node_get_object(result), "pid", &script->pid))
		ask_after(script);
	else
		fail(script, "the agent's answer is none");
}

static void run(HvrGuestScript *script)
{
	JsonObject *arguments = json_object_new();
	JsonArray *words = json_array_new();
	g_autofree char *input =
		g_base64_encode((const guchar *)script->text, strlen(script->text));

	json_array_add_string_element(words, "-s");
	json_object_set_string_member(arguments, "path", "/bin/sh");
	json_object_set_array_member(arguments, "arg", words);
	json_object_set_string_member(arguments, "input-data", input);
	json_object_set_boolean_member(arguments, "capture-output", TRUE);
	hvr_agent_execute(script->agent, "guest-exec", arguments, ANSWER_MS, on_started, script);
}

static void on_synced(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	HvrGuestScript *script = user_data;

	if (error)
		end(script, error);
	else
		run(script);
}

static gboolean on_idle(gpointer user_data)
{
	HvrGuestScript *script = user_data;
	g_autoptr(GError) failure = g_steal_pointer(&script->failure);

	script->timer = 0;
	end(script, failure);
	return G_SOURCE_REMOVE;
}

void hvr_guest_script_begin(HvrGuestScript *script, HvrSession *session, const char *text,
			    guint timeout_ms, HvrGuestScriptDone done, gpointer user_data)
{
	*script = (HvrGuestScript){ .text = g_strdup(text),
				    .until_us = g_get_monotonic_time() + timeout_ms * 1000LL,
				    .status = -1,
				    .pause_ms = FIRST_MS,
				    .done = done,
				    .user_data = user_data };
	script->agent = hvr_agent_connect(session->folder, HVR_VM_AGENT, NULL, &script->failure);
	if (script->agent)
		hvr_agent_sync(script->agent, ANSWER_MS, on_synced, script);
	else
		script->timer = g_idle_add(on_idle, script);
}

void hvr_guest_script_end(HvrGuestScript *script)
{
	if (script->timer)
		g_source_remove(script->timer);
	script->timer = 0;
	g_clear_pointer(&script->agent, hvr_agent_free);
	g_clear_pointer(&script->text, g_free);
	g_clear_error(&script->failure);
}
