/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/wake.h"

#include <sys/random.h>

#include "launcher/report/message.h"
#include "launcher/runtime/vm.h"
#include "qmp/error.h"

#define ANSWER_MS    10000
#define RANDOM_BYTES 256
#define NS_PER_US    1000

typedef struct {
	const char *what; /* as it is told where it was not done */
	const char *command;
	JsonObject *(*arguments)(const HvrWake *wake); /* NULL: none could be made */
} Step;

static void next(HvrWake *wake);

static JsonObject *make_time(const HvrWake *wake)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "time", g_get_real_time() * NS_PER_US);
	return arguments;
}

static JsonObject *make_open(const HvrWake *wake)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "path", "/dev/urandom");
	json_object_set_string_member(arguments, "mode", "w");
	return arguments;
}

static JsonObject *make_write(const HvrWake *wake)
{
	guchar bytes[RANDOM_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return NULL;
	g_autofree char *text = g_base64_encode(bytes, sizeof(bytes));
	JsonObject *arguments = json_object_new();
	json_object_set_int_member(arguments, "handle", wake->handle);
	json_object_set_string_member(arguments, "buf-b64", text);
	return arguments;
}

static JsonObject *make_close(const HvrWake *wake)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "handle", wake->handle);
	return arguments;
}

static const Step steps[] = {
	{ "the guest's clock cannot be set", "guest-set-time", make_time },
	{ "the guest's random numbers cannot be stirred", "guest-file-open", make_open },
	{ "the guest's random numbers cannot be stirred", "guest-file-write", make_write },
	{ "the guest's random numbers cannot be stirred", "guest-file-close", make_close },
};

static void end(HvrWake *wake)
{
	hvr_wake_end(wake);
	wake->done(wake->user_data);
}

static gboolean on_idle(gpointer user_data)
{
	HvrWake *wake = user_data;

	wake->idle = 0;
	end(wake);
	return G_SOURCE_REMOVE;
}

static void on_answered(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	HvrWake *wake = user_data;

	if (error && wake->step)
		hvr_message("warning: %s: %s", steps[wake->step - 1].what, error->message);
	else if (error)
		hvr_message("warning: the guest is not told that it was saved: %s", error->message);
	/* the clock may be forbidden and the rest not; a file that is not open is not written to */
	if (error && (wake->step != 1 || hvr_agent_is_closed(agent))) {
		end(wake);
		return;
	}
	if (!error && wake->step == 2 && json_node_get_value_type(result) == G_TYPE_INT64)
		wake->handle = json_node_get_int(result);
	next(wake);
}

static void next(HvrWake *wake)
{
	if (wake->step == G_N_ELEMENTS(steps)) {
		end(wake);
		return;
	}
	const Step *step = &steps[wake->step++];
	JsonObject *arguments = step->arguments(wake);
	if (arguments)
		hvr_agent_execute(wake->agent, step->command, arguments, ANSWER_MS, on_answered,
				  wake);
	else
		end(wake);
}

void hvr_wake_begin(HvrWake *wake, HvrSession *session, HvrWakeDone done, gpointer user_data)
{
	g_autoptr(GError) error = NULL;

	*wake = (HvrWake){ .session = session, .done = done, .user_data = user_data };
	wake->agent = hvr_agent_connect(session->folder, HVR_VM_AGENT, NULL, &error);
	if (wake->agent) {
		hvr_agent_sync(wake->agent, ANSWER_MS, on_answered, wake);
		return;
	}
	hvr_message("warning: the guest is not told that it was saved: %s", error->message);
	wake->idle = g_idle_add(on_idle, wake);
}

void hvr_wake_end(HvrWake *wake)
{
	if (wake->idle)
		g_source_remove(wake->idle);
	wake->idle = 0;
	g_clear_pointer(&wake->agent, hvr_agent_free);
}
