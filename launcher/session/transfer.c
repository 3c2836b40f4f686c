/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands one after the other, then the event MIGRATION, which QEMU sends where the capability
 * "events" is set (migration/migration.c: migrate_generate_event()).
 */
#include "launcher/session/transfer.h"

#include <errno.h>
#include <fcntl.h>

#include "launcher/qemu/channels.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "vfio/fd.h"

/* Each waits for QEMU's main loop alone; but a busy host's may be slow. */
#define COMMAND_MS 60000

#define MAPPED "mapped-ram"
#define NAME   "hvr-state"
#define STREAM "fd:" NAME

#define FILE_IN_FDSET "file:" HVR_FDSET G_STRINGIFY(HVR_FDSET_STATE)

/* As much as the disk takes: the guest stands still. */
#define MAX_BANDWIDTH (G_GINT64_CONSTANT(1) << 40)

typedef void (*Step)(HvrTransfer *transfer);

static void next(HvrTransfer *transfer);

/* Else QEMU would have the state open for as long as it lives. */
static void take_file_back(const HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "fdset-id", HVR_FDSET_STATE);
	hvr_qmp_client_execute(transfer->session->qmp, "remove-fd", arguments, COMMAND_MS, NULL,
			       NULL);
}

static void end(HvrTransfer *transfer, const GError *error)
{
	if (transfer->over)
		return;
	if (transfer->mapped && !error)
		take_file_back(transfer);
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

static gboolean is_capability(JsonNode *node, const char *name)
{
	return JSON_NODE_HOLDS_OBJECT(node) &&
	       g_strcmp0(hvr_json_get_string(json_node_get_object(node), "capability"), name) == 0;
}

static void on_capabilities(HvrQmpClient *client, JsonNode *result, const GError *error,
			    gpointer user_data)
{
	HvrTransfer *transfer = user_data;
	JsonArray *all = NULL;

	if (result && JSON_NODE_HOLDS_ARRAY(result))
		all = json_node_get_array(result);
	for (guint i = 0; all && i < json_array_get_length(all); i++)
		transfer->mapped |= is_capability(json_array_get_element(all, i), MAPPED);
	on_answered(client, result, error, user_data);
}

static void ask_capabilities(HvrTransfer *transfer)
{
	hvr_qmp_client_execute(transfer->session->qmp, "query-migrate-capabilities", NULL,
			       COMMAND_MS, on_capabilities, transfer);
}

static void add_capability(JsonArray *list, const char *name)
{
	JsonObject *capability = json_object_new();

	json_object_set_string_member(capability, "capability", name);
	json_object_set_boolean_member(capability, "state", TRUE);
	json_array_add_object_element(list, capability);
}

static void set_capabilities(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();
	JsonArray *list = json_array_new();

	add_capability(list, "events");
	if (transfer->mapped)
		add_capability(list, MAPPED);
	json_object_set_array_member(arguments, "capabilities", list);
	send(transfer, "migrate-set-capabilities", arguments);
}

static void want_speed(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "max-bandwidth", MAX_BANDWIDTH);
	send(transfer, "migrate-set-parameters", arguments);
}

/* QEMU looks in the set for one that is open as it would open it (monitor_fdset_dup_fd_add()). */
static void add_file(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();
	g_autofree char *path = hvr_fd_path(transfer->fd, NULL);
	g_auto(HvrFd) fd = open(path, (transfer->in ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

	if (fd < 0) {
		json_object_unref(arguments);
		fail(transfer, g_strerror(errno));
		return;
	}
	json_object_set_int_member(arguments, "fdset-id", HVR_FDSET_STATE);
	hvr_qmp_client_execute_with_fd(transfer->session->qmp, "add-fd", arguments, fd, COMMAND_MS,
				       on_answered, transfer);
}

static void hand_file(HvrTransfer *transfer)
{
	if (transfer->mapped) {
		add_file(transfer);
		return;
	}
	hvr_qmp_client_give_fd(transfer->session->qmp, NAME, transfer->fd, COMMAND_MS, on_answered,
			       transfer);
}

static void go(HvrTransfer *transfer)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "uri", transfer->mapped ? FILE_IN_FDSET : STREAM);
	send(transfer, transfer->in ? "migrate-incoming" : "migrate", arguments);
}

/* The event is what comes next. */
static void wait_for_end(HvrTransfer *transfer)
{
}

static const Step steps_out[] = { pause_guest, ask_capabilities, set_capabilities,
				  want_speed,  hand_file,	 go,
				  wait_for_end };
static const Step steps_in[] = { ask_capabilities, set_capabilities, hand_file, go, wait_for_end };

static void next(HvrTransfer *transfer)
{
	const Step *steps = transfer->in ? steps_in : steps_out;

	steps[transfer->step++](transfer);
}

static void on_told_why(HvrQmpClient *client, JsonNode *result, const GError *error,
			gpointer user_data)
{
	HvrTransfer *transfer = user_data;
	const char *why = NULL;

	if (transfer->over)
		return;
	if (result && JSON_NODE_HOLDS_OBJECT(result))
		why = hvr_json_get_string(json_node_get_object(result), "error-desc");
	fail(transfer, why ? why : "it does not say why");
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	HvrTransfer *transfer = user_data;
	const char *status =
		g_str_equal(name, "MIGRATION") ? hvr_json_get_string(data, "status") : NULL;

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
