/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of requests, and the codec that reads it.
 *
 * To add one: its members in HvrRequest, its row here, and the function that the row names.
 */
#include "launcher/session/request.h"

#include "launcher/report/error.h"
#include "launcher/session/guest-shutdown.h"
#include "launcher/session/plug.h"
#include "launcher/session/shutdown.h"
#include "launcher/session/stay.h"

#define UNPLUG_DEFAULT_MS 30000

static void unplug(HvrRequestJob *job, const HvrRequest *request)
{
	hvr_hotplug_unplug(job->hotplug, request->device, request->timeout_ms, request->keep,
			   job->done, job);
}

static void plug(HvrRequestJob *job, const HvrRequest *request)
{
	hvr_plug(job->hotplug, request->device, job->done, job);
}

/* Told when all is given back. */
static void stop(HvrRequestJob *job, const HvrRequest *request)
{
	const HvrShutdownTimes times =
		hvr_shutdown_from_powerdown(request->powerdown_ms, request->force);

	hvr_session_stop(job->hotplug->session, &times, job->done, job);
}

static void reboot(HvrRequestJob *job, const HvrRequest *request)
{
	if (request->force)
		hvr_session_execute(job->hotplug->session, "system_reset", job->done, job);
	else
		hvr_session_tell_guest(job->hotplug->session, "reboot", "RESET", job->done, job);
}

static void stay(HvrRequestJob *job, const HvrRequest *request)
{
	hvr_session_stay(job->hotplug->session, job->done, job);
}

/* clang-format off */

/* Name, type and place of an argument, all from its member. */
#define ARGUMENT(member)                                                                           \
	.name = #member,                                                                           \
	.type = _Generic(((HvrRequest *)NULL)->member,                                             \
			 const char *: HVR_REQUEST_TEXT,                                           \
			 gboolean: HVR_REQUEST_FLAG,                                               \
			 guint: HVR_REQUEST_TIME),                                                 \
	.offset = offsetof(HvrRequest, member)

const HvrRequestKind hvr_request_kinds[HVR_REQUESTS] = {
	[HVR_REQUEST_UNPLUG] = { "unplug", .start = unplug, .arguments = {
		{ ARGUMENT(device) },
		{ ARGUMENT(timeout_ms), .otherwise_ms = UNPLUG_DEFAULT_MS },
		{ ARGUMENT(keep) } } },
	/* The profile is the supervisor's. */
	[HVR_REQUEST_PLUG] = { "plug", .start = plug, .arguments = {
		{ ARGUMENT(device) } }, .supervisor_only = "plug a card in" },
	[HVR_REQUEST_STOP] = { "stop", .start = stop, .arguments = {
		{ ARGUMENT(force) },
		{ ARGUMENT(powerdown_ms), .otherwise_ms = HVR_SHUTDOWN_POWERDOWN_MS } },
		.more_ms = HVR_SHUTDOWN_QUIT_MS + HVR_SHUTDOWN_KILL_MS },
	[HVR_REQUEST_REBOOT] = { "reboot", .start = reboot, .arguments = { { ARGUMENT(force) } },
		.more_ms = HVR_GUEST_SHUTDOWN_MS },
	[HVR_REQUEST_STAY] = { "stay", .start = stay,
		.supervisor_only = "outlive the test that has started it" },
};

/* clang-format on */

static const struct {
	GType json;
	const char *wanted;
} types[HVR_REQUEST_TYPES] = {
	[HVR_REQUEST_TEXT] = { G_TYPE_STRING, "a text" },
	[HVR_REQUEST_FLAG] = { G_TYPE_BOOLEAN, "true or false" },
	[HVR_REQUEST_TIME] = { G_TYPE_INT64, "a whole number of milliseconds" },
};

JsonObject *hvr_request_encode(const HvrRequest *request)
{
	JsonObject *object = json_object_new();

	for (const HvrRequestArgument *one = hvr_request_kinds[request->name].arguments; one->name;
	     one++) {
		gconstpointer member = (const char *)request + one->offset;
		switch (one->type) {
		case HVR_REQUEST_TEXT:
			json_object_set_string_member(object, one->name,
						      *(const char *const *)member);
			break;
		case HVR_REQUEST_FLAG:
			json_object_set_boolean_member(object, one->name,
						       *(const gboolean *)member);
			break;
		case HVR_REQUEST_TIME:
			json_object_set_int_member(object, one->name, *(const guint *)member);
			break;
		case HVR_REQUEST_TYPES:
			g_assert_not_reached();
		}
	}
	return object;
}

static gboolean wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean wrong(GError **error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	g_autofree char *text = g_strdup_vprintf(format, values);
	va_end(values);
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, text);
	return FALSE;
}

/* Is it one value of this type? json-glib's getters answer 0 or NULL for another. */
static gboolean holds(JsonNode *node, GType type)
{
	return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

static gboolean decode_one(const HvrRequestArgument *one, JsonNode *node, HvrRequest *request,
			   GError **error)
{
	gpointer member = (char *)request + one->offset;
	const char *kind = hvr_request_kinds[request->name].name;

	if (!holds(node, types[one->type].json))
		return wrong(error, "%s: '%s' must be %s", kind, one->name,
			     types[one->type].wanted);
	if (one->type == HVR_REQUEST_TEXT)
		*(const char **)member = json_node_get_string(node);
	if (one->type == HVR_REQUEST_FLAG)
		*(gboolean *)member = json_node_get_boolean(node);
	if (one->type != HVR_REQUEST_TIME)
		return TRUE;
	gint64 value = json_node_get_int(node);
	if (value < 1 || value > HVR_REQUEST_TIME_MAX_MS)
		return wrong(error, "%s: '%s' must be 1 to %d milliseconds", kind, one->name,
			     HVR_REQUEST_TIME_MAX_MS);
	*(guint *)member = (guint)value;
	return TRUE;
}

static const HvrRequestArgument *find_argument(const HvrRequestKind *kind, const char *name)
{
	const HvrRequestArgument *one = kind->arguments;

	while (one->name && !g_str_equal(one->name, name))
		one++;
	return one->name ? one : NULL;
}

/* Each argument that is known is there, or stands for itself. */
static gboolean fill_in(JsonObject *arguments, HvrRequest *request, GError **error)
{
	const HvrRequestKind *kind = &hvr_request_kinds[request->name];

	for (const HvrRequestArgument *one = kind->arguments; one->name; one++) {
		JsonNode *node = arguments ? json_object_get_member(arguments, one->name) : NULL;
		if (!node && one->type == HVR_REQUEST_TEXT)
			return wrong(error, "%s: '%s' is missing", kind->name, one->name);
		if (!node && one->type == HVR_REQUEST_TIME)
			*(guint *)((char *)request + one->offset) = one->otherwise_ms;
		if (node && !decode_one(one, node, request, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean decode_arguments(JsonObject *arguments, HvrRequest *request, GError **error)
{
	const HvrRequestKind *kind = &hvr_request_kinds[request->name];
	JsonObjectIter iter;
	const char *name;

	if (arguments) {
		json_object_iter_init(&iter, arguments);
		while (json_object_iter_next(&iter, &name, NULL))
			if (!find_argument(kind, name))
				return wrong(error, "%s: there is no argument '%s'", kind->name,
					     name);
	}
	return fill_in(arguments, request, error);
}

static gboolean find_name(JsonObject *message, HvrRequestName *out_name, GError **error)
{
	JsonNode *node = json_object_get_member(message, "execute");

	if (!node || !holds(node, G_TYPE_STRING))
		return wrong(error, "'execute' must be the name of a request");
	for (guint i = 0; i < HVR_REQUESTS; i++) {
		if (g_str_equal(hvr_request_kinds[i].name, json_node_get_string(node))) {
			*out_name = i;
			return TRUE;
		}
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "hailo-vm-run %s has no request '%s'", HVR_VERSION, json_node_get_string(node));
	return FALSE;
}

/* A mistyped "arguments" must not become a request without any. */
static gboolean check_members(JsonObject *message, GError **error)
{
	static const char *const known[] = { "execute", "arguments", "id", NULL };
	JsonObjectIter iter;
	const char *name;

	json_object_iter_init(&iter, message);
	while (json_object_iter_next(&iter, &name, NULL))
		if (!g_strv_contains(known, name))
			return wrong(error, "a request has no member '%s'", name);
	return TRUE;
}

gboolean hvr_request_decode(JsonObject *message, HvrRequest *out_request, GError **error)
{
	JsonNode *arguments = json_object_get_member(message, "arguments");
	HvrRequest request = { 0 };

	if (!check_members(message, error) || !find_name(message, &request.name, error))
		return FALSE;
	if (arguments && !JSON_NODE_HOLDS_OBJECT(arguments))
		return wrong(error, "%s: 'arguments' must be an object",
			     hvr_request_kinds[request.name].name);
	if (!decode_arguments(arguments ? json_node_get_object(arguments) : NULL, &request, error))
		return FALSE;
	*out_request = request;
	return TRUE;
}

guint hvr_request_wait_ms(const HvrRequest *request)
{
	const HvrRequestKind *kind = &hvr_request_kinds[request->name];
	guint sum = kind->more_ms;

	for (const HvrRequestArgument *one = kind->arguments; one->name; one++)
		if (one->type == HVR_REQUEST_TIME)
			sum += *(const guint *)((const char *)request + one->offset);
	return sum;
}

void hvr_request_start(HvrRequestJob *job, const HvrRequest *request)
{
	hvr_request_kinds[request->name].start(job, request);
}
