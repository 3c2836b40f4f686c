/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp: one command for QEMU, over the monitor that is there for people. Whoever listens for an
 * event does so before the command is sent: it may come before the answer.
 */
#include <stdio.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "qmp/client.h"
#include "qmp/error.h"
#include "vfio/fd.h"

typedef struct {
	int timeout_s;
	char *event; /* NULL: none is waited for */
} Options;

typedef struct {
	GMainLoop *loop;
	const char *name;  /* NULL: none is waited for */
	JsonObject *event; /* when it came */
	GError *error;
} Waiter;

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	Waiter *waiter = user_data;

	if (waiter->event || g_strcmp0(name, waiter->name) != 0)
		return;
	waiter->event = json_object_new();
	json_object_set_string_member(waiter->event, "event", name);
	json_object_set_object_member(waiter->event, "data", json_object_ref(data));
	g_main_loop_quit(waiter->loop);
}

static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	Waiter *waiter = user_data;

	waiter->error = g_error_copy(error);
	g_main_loop_quit(waiter->loop);
}

static gboolean on_late(gpointer user_data)
{
	Waiter *waiter = user_data;

	waiter->error = g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT,
				    "no event %s came in time", waiter->name);
	g_main_loop_quit(waiter->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean wait_for_event(Waiter *waiter, guint timeout_ms, GError **error)
{
	guint timer = g_timeout_add(timeout_ms, on_late, waiter);

	while (!waiter->event && !waiter->error)
		g_main_loop_run(waiter->loop);
	g_source_remove(timer);
	if (waiter->event) {
		hvr_json_print(g_steal_pointer(&waiter->event));
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&waiter->error));
	return FALSE;
}

static gboolean bad_command(const char *what, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "qmp: %s", what);
	hvr_error_hint(error, "such as query-status, or "
			      "'{\"execute\": \"device_del\", \"arguments\": {\"id\": \"npu\"}}'");
	return FALSE;
}

/* "query-status", or an object with "execute" and perhaps "arguments". */
static gboolean read_command(const char *word, char **out_name, JsonObject **out_arguments,
			     GError **error)
{
	if (word[0] != '{') {
		*out_name = g_strdup(word);
		return TRUE;
	}
	g_autoptr(JsonNode) root = json_from_string(word, NULL);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return bad_command("that is no JSON object", error);
	JsonObject *object = json_node_get_object(root);
	JsonNode *name = json_object_get_member(object, "execute");
	JsonNode *arguments = json_object_get_member(object, "arguments");
	if (!name || json_node_get_value_type(name) != G_TYPE_STRING)
		return bad_command("\"execute\" is missing", error);
	if (arguments && !JSON_NODE_HOLDS_OBJECT(arguments))
		return bad_command("\"arguments\" is no object", error);
	*out_name = g_strdup(json_node_get_string(name));
	*out_arguments = arguments ? json_node_dup_object(arguments) : NULL;
	return TRUE;
}

static void print_node(JsonNode *node)
{
	g_autofree char *text = hvr_json_text(node);

	printf("%s\n", text);
	fflush(stdout);
}

static gboolean converse(HvrQmpClient *client, const char *name, JsonObject *arguments,
			 const char *event, guint timeout_ms, GError **error)
{
	Waiter waiter = { g_main_loop_new(NULL, FALSE), event, NULL, NULL };
	guint subscription = hvr_qmp_client_subscribe(client, on_event, on_closed, &waiter);
	g_autoptr(JsonNode) result =
		hvr_qmp_client_call(client, name, arguments, timeout_ms, error);
	gboolean well = result != NULL;

	if (result)
		print_node(result);
	if (result && event)
		well = wait_for_event(&waiter, timeout_ms, error);
	hvr_qmp_client_unsubscribe(client, subscription);
	g_main_loop_unref(waiter.loop);
	g_clear_pointer(&waiter.event, json_object_unref);
	g_clear_error(&waiter.error);
	return well;
}

static int qmp(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	guint timeout_ms = (guint)options->timeout_s * 1000;
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);
	g_autofree char *name = NULL;
	JsonObject *arguments = NULL;

	if (!vm || !read_command(invocation->words[1], &name, &arguments, error))
		return -1;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	g_autoptr(HvrQmpClient) client = hvr_qmp_client_connect(folder, HVR_VM_QMP, NULL, error);
	if (!client) {
		g_clear_pointer(&arguments, json_object_unref);
		return -1;
	}
	hvr_interrupt_default();
	if (converse(client, name, arguments, options->event, timeout_ms, error))
		return 0;
	if (error && g_error_matches(*error, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT))
		hvr_error_hint(error, "the monitor serves one at a time: is somebody else "
				      "connected to it?");
	return -1;
}

static const HvrOption table[] = {
	{ "timeout", 't', HVR_SECONDS(Options, timeout_s, 1, HVR_DAY_S), "S",
	  "How long to wait for the answer, and for the event (default 30)" },
	{ "wait-event", 'e', HVR_TEXT(Options, event), "NAME",
	  "Wait for this event and print it, too" },
	{ .name = NULL },
};

const HvrCommand hvr_command_qmp = {
	.name = "qmp",
	.words = "VM COMMAND",
	.summary = "one QMP command; prints what QEMU returns",
	.least = 2,
	.most = 2,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .timeout_s = 30 },
	.run = qmp,
};
