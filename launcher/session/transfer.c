/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands one after the other, then the event MIGRATION, which QEMU sends where the capability
 * "events" is set (migration/migration.c: migrate_generate_event()).
 */
#include "launcher/session/transfer.h"

#include <string.h>

#include "launcher/report/error.h"

/* Each waits for QEMU's main loop alone; but a busy host's may be slow. */
#define COMMAND_MS 60000

#define NAME "hvr-state"
#define URI  "fd:" NAME

/* As much as the disk takes: the guest stands still. */
#define MAX_BANDWIDTH (G_GINT64_CONSTANT(1) << 40)

typedef void (*Step)(HvrTransfer *transfer);

static void next(HvrTransfer *transfer);

static void end(HvrTransfer *transfer, const GError *error)
{
	if (transfer->over)
		return;
	hvr_transfer_end(transfer);
	transfer->done(error, transfer->user_data);
}

static void fail(HvrTransfer *transfer, const char *why)
{
	g_autoptr(GError) error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
					      "QEMU cannot %s the guest: %s",
					      transfer->in ? "go on with" : "save", why);

	end(transfer, error);
}

static void on_answered(HvrQmpClient *client, JsonNode *result, const GError *error,
			gpointer user_data)
{
	HvrTransfer *transfer = user_data;

	if (transfer->over)
		return;
	if (error)
		fail(transfer, error->message);
	else
		next(transfer);
}

static void send(HvrTransfer *transfer, const char *command, JsonObject *arguments)
{
	hvr_qmp_client_execute(transfer->session->qmp, command, arguments, COMMAND_MS, on_answered,
			       transfer);
}

/* So that disks and RAM are of one moment. */
static void pause_guest(HvrTransfer *transfer)
{
	send(transfer, "stop", NULL);
}

static void want_events(HvrTransfer *transfer)
{
	JsonObject *capability = json_object_new(), *arguments = json_object_new();
	JsonArray *list = json_array_new();

	json_object_set_string_member(capability, "capability", "events");
	json_object_set_boolean_member(capability, "state", TRUE);
	json_array_add_object_element(list, capability);
	json_object_set_array_member(arguments, "capabilities", list);
	send(transfer, "migrate-set-capabilities", arguments);
}

static void want_speed(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "max-bandwidth", MAX_BANDWIDTH);
	send(transfer, "migrate-set-parameters", arguments);
}

static void hand_file(HvrTransfer *transfer)
{
	hvr_qmp_client_give_fd(transfer->session->qmp, NAME, transfer->fd, COMMAND_MS, on_answered,
			       transfer);
}

static void go(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "uri", URI);
	send(transfer, transfer->in ? "migrate-incoming" : "migrate", arguments);
}

/* The event is what comes next. */
static void wait_for_end(HvrTransfer *transfer)
{
}

static const Step steps_out[] = {
	pause_guest, want_events, want_speed, hand_file, go, wait_for_end
};
static const Step steps_in[] = { want_events, hand_file, go, wait_for_end };

static void next(HvrTransfer *transfer)
{
	const Step *steps = transfer->in ? steps_in : steps_out;

	steps[transfer->step++](transfer);
}

/* (transfer none): the member, where it is a text; else NULL */
static const char *text_of(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
								       : NULL;
}

static void on_told_why(HvrQmpClient *client, JsonNode *result, const GError *error,
			gpointer user_data)
{
	HvrTransfer *transfer = user_data;
	const char *why = NULL;

	if (transfer->over)
		return;
	if (result && JSON_NODE_HOLDS_OBJECT(result))
		why = text_of(json_node_get_object(result), "error-desc");
	fail(transfer, why ? why : "it does not say why");
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	HvrTransfer *transfer = user_data;
	const char *status = g_str_equal(name, "MIGRATION") ? text_of(data, "status") : NULL;

	if (g_strcmp0(status, "completed") == 0)
		end(transfer, NULL);
	else if (g_strcmp0(status, "failed") == 0)
		hvr_qmp_client_execute(transfer->session->qmp, "query-migrate", NULL, COMMAND_MS,
				       on_told_why, transfer);
}

/* One that cannot read a state ends, and says why on its standard error. */
static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	fail(user_data, "it has ended");
}

static void begin(HvrTransfer *transfer)
{
	transfer->subscription =
		hvr_qmp_client_subscribe(transfer->session->qmp, on_event, on_closed, transfer);
	next(transfer);
}

void hvr_transfer_out(HvrTransfer *transfer, HvrSession *session, int fd, HvrTransferDone done,
		      gpointer user_data)
{
	*transfer =
		(HvrTransfer){ .session = session, .fd = fd, .done = done, .user_data = user_data };
	begin(transfer);
}

void hvr_transfer_in(HvrTransfer *transfer, HvrSession *session, int fd, HvrTransferDone done,
		     gpointer user_data)
{
	*transfer = (HvrTransfer){
		.session = session, .fd = fd, .in = TRUE, .done = done, .user_data = user_data
	};
	begin(transfer);
}

void hvr_transfer_end(HvrTransfer *transfer)
{
	if (transfer->subscription)
		hvr_qmp_client_unsubscribe(transfer->session->qmp, transfer->subscription);
	transfer->subscription = 0;
	transfer->over = TRUE;
}
