/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot-unplug is a request, a silence of unknown length, and an event.
 *
 *   asking --{}, "pending"--> requested --DeviceNotFound--> leaving
 *      |                          |                            |
 *      any other error            DEVICE_UNPLUG_GUEST_ERROR,   grace or deadline over: left
 *      ends it                    deadline: still in the VM
 *
 * DEVICE_DELETED ends it well in every state, the end of the connection badly. From "requested"
 * on the request cannot be taken back, so an error to a repetition proves nothing but that the
 * repetition was useless. "leaving" exists because QEMU forgets the id when the device is
 * unparented, but closes the VFIO group and sends the event only when the last reference to the
 * device is dropped, a moment later.
 *
 * The struct outlives its end while device_del is unanswered: each request holds a reference.
 */
#include "qmp/hotplug.h"

#include <string.h>

#include "qmp/error.h"
#include "qmp/hotplug-timing.h"
#include "qmp/member.h"

/*
 * QEMU 7.2 lets pciehp's unplug be asked again after 5 s, ACPI's at once. Between "no such
 * device" and DEVICE_DELETED lie an RCU grace period and the close of VFIO.
 */
static const HvrQmpUnplugTiming usual_timing = { .repeat_ms = 5000, .leaving_ms = 2000 };

typedef enum {
	STATE_ASKING,	 /* no request was taken yet */
	STATE_REQUESTED, /* the guest has been asked */
	STATE_LEAVING,	 /* QEMU no longer knows the id; its event is due */
	STATE_ENDED,	 /* told */
} State;

/* One that is under way. */
typedef struct {
	State state;
	HvrQmpClient *client; /* NULL once ended */
	GMainContext *context;
	char *id;
	guint timeout_ms;
	HvrQmpUnplugTiming timing;
	guint subscription;
	gboolean together;   /* others of its slot are asked for as well */
	gboolean unanswered; /* a device_del is under way */
	char *last_problem;  /* what QEMU said to the last request, or NULL */
	GSource *repeat;
	GSource *deadline;
	HvrQmpUnplugged done;
	gpointer user_data;
} Unplug;

static void unplug_clear(gpointer data)
{
	Unplug *unplug = data;

	g_free(unplug->id);
	g_free(unplug->last_problem);
	g_main_context_unref(unplug->context);
}

static void unplug_release(Unplug *unplug)
{
	g_rc_box_release_full(unplug, unplug_clear);
}

static void clear_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void unplug_end(Unplug *unplug, const GError *error)
{
	if (unplug->state == STATE_ENDED)
		return;
	unplug->state = STATE_ENDED;
	clear_source(&unplug->repeat);
	clear_source(&unplug->deadline);
	hvr_qmp_client_unsubscribe(unplug->client, unplug->subscription);
	g_clear_pointer(&unplug->client, hvr_qmp_client_unref);
	unplug->done(error, unplug->user_data);
	unplug_release(unplug);
}

static GSource *start_timer(Unplug *unplug, guint ms, GSourceFunc func)
{
	GSource *source = g_timeout_source_new(ms);

	g_source_set_name(source, "hvr-qmp-unplug");
	g_source_set_callback(source, func, unplug, NULL);
	g_source_attach(source, unplug->context);
	return source;
}

static gboolean on_deadline(gpointer data)
{
	Unplug *unplug = data;
	g_autoptr(GString) what = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	if (unplug->state != STATE_LEAVING) {
		g_string_printf(what, "the guest has not let go of '%s' within %g s", unplug->id,
				unplug->timeout_ms / 1000.0);
		if (unplug->last_problem)
			g_string_append_printf(what, "; QEMU says: %s", unplug->last_problem);
		error = g_error_new_literal(HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT, what->str);
	}
	unplug_end(unplug, error);
	return G_SOURCE_REMOVE;
}

/*
 * Does this error mean that a request is under way? Both have no class of their own, so the text
 * is all there is; this is the only place that looks at it. The first is from qmp_device_del(),
 * the second from pcie_cap_slot_unplug_request_cb() while the guest blinks the power indicator.
 */
static gboolean is_pending(const GError *error)
{
	return g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE) &&
	       (strstr(error->message, "already in the process of unplug") ||
		strstr(error->message, "guest is busy"));
}

static void handle_problem(Unplug *unplug, const GError *error)
{
	gboolean not_found = g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_NOT_FOUND);
	gboolean remote = g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE);

	g_free(unplug->last_problem);
	unplug->last_problem = g_strdup(error->message);
	if (is_pending(error)) {
		unplug->state = STATE_REQUESTED;
	} else if ((!not_found && !remote) ||
		   (unplug->state == STATE_ASKING && !(not_found && unplug->together))) {
		unplug_end(unplug, error);
	} else if (not_found) {
		/* the id is gone though its event has not come: it is due, within the deadline */
		unplug->state = STATE_LEAVING;
		clear_source(&unplug->repeat);
		unplug->repeat = start_timer(unplug, unplug->timing.leaving_ms, on_deadline);
	}
}

static void on_requested(HvrQmpClient *client, JsonNode *result, const GError *error,
			 gpointer user_data)
{
	Unplug *unplug = user_data;

	unplug->unanswered = FALSE;
	if (unplug->state != STATE_ENDED && error) {
		handle_problem(unplug, error);
	} else if (unplug->state != STATE_ENDED) {
		unplug->state = STATE_REQUESTED;
		g_clear_pointer(&unplug->last_problem, g_free);
	}
	unplug_release(unplug);
}

static void request(Unplug *unplug)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "id", unplug->id);
	unplug->unanswered = TRUE;
	hvr_qmp_client_execute(unplug->client, "device_del", arguments, 0, on_requested,
			       g_rc_box_acquire(unplug));
}

static gboolean on_repeat(gpointer data)
{
	Unplug *unplug = data;

	if (!unplug->unanswered)
		request(unplug);
	return G_SOURCE_CONTINUE;
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	Unplug *unplug = user_data;

	/* Events of the device's children come without "device". */
	if (g_strcmp0(hvr_qmp_member_string(data, "device"), unplug->id) != 0)
		return;
	if (g_str_equal(name, "DEVICE_DELETED")) {
		unplug_end(unplug, NULL);
	} else if (g_str_equal(name, "DEVICE_UNPLUG_GUEST_ERROR")) {
		g_autoptr(GError) error =
			g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_REFUSED,
				    "the guest refuses to let go of '%s'", unplug->id);

		unplug_end(unplug, error);
	}
}

static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	unplug_end(user_data, error);
}

/* (transfer none) */
static Unplug *unplug_new(HvrQmpClient *client, const char *id, guint timeout_ms,
			  const HvrQmpUnplugTiming *timing, HvrQmpUnplugged done,
			  gpointer user_data)
{
	Unplug *unplug = g_rc_box_new0(Unplug);

	unplug->client = hvr_qmp_client_ref(client);
	unplug->context = g_main_context_ref(hvr_qmp_client_get_context(client));
	unplug->id = g_strdup(id);
	unplug->timeout_ms = timeout_ms;
	unplug->timing = *timing;
	unplug->done = done;
	unplug->user_data = user_data;
	unplug->subscription = hvr_qmp_client_subscribe(client, on_event, on_closed, unplug);
	unplug->deadline = start_timer(unplug, timeout_ms, on_deadline);
	unplug->repeat = start_timer(unplug, timing->repeat_ms, on_repeat);
	return unplug;
}

void hvr_qmp_unplug_start_timed(HvrQmpClient *client, const char *id, guint timeout_ms,
				const HvrQmpUnplugTiming *timing, HvrQmpUnplugged done,
				gpointer user_data)
{
	request(unplug_new(client, id, timeout_ms, timing, done, user_data));
}

void hvr_qmp_unplug_start_together(HvrQmpClient *client, const char *id, guint timeout_ms,
				   HvrQmpUnplugged done, gpointer user_data)
{
	Unplug *unplug = unplug_new(client, id, timeout_ms, &usual_timing, done, user_data);

	unplug->together = TRUE;
	request(unplug);
}

void hvr_qmp_unplug_start(HvrQmpClient *client, const char *id, guint timeout_ms,
			  HvrQmpUnplugged done, gpointer user_data)
{
	hvr_qmp_unplug_start_timed(client, id, timeout_ms, &usual_timing, done, user_data);
}
