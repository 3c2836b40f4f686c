/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor answers for the VM, so it is asked first. A stand-in does the same to a session of
 * its own, which lasts until the request is done.
 */
#include "launcher/session/ask.h"

#include <gio/gio.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/runtime/lock.h"
#include "launcher/session/ending.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* Beyond what the session waits itself: driver probes, resets, giving back. */
#define WORK_MS 300000

/* The supervisor's answer, as if it had happened to this process. */
static gboolean take_answer(JsonNode *answer, GError **error)
{
	JsonNode *status = NULL;
	const char *text = NULL;
	gint64 code = 70;

	if (JSON_NODE_HOLDS_OBJECT(answer)) {
		JsonObject *object = json_node_get_object(answer);
		status = json_object_get_member(object, "status");
		text = hvr_json_get_string(object, "message");
	}
	if (status && json_node_get_value_type(status) == G_TYPE_INT64)
		code = json_node_get_int(status);
	if (code == 0)
		return TRUE;
	if (!text)
		text = "the supervisor gave no reason";
	g_set_error_literal(error, HVR_STATUS_ERROR, (int)CLAMP(code, 1, 255), text);
	return FALSE;
}

gboolean hvr_ask_supervisor(int folder, const HvrRequest *request, GError **error)
{
	g_autoptr(HvrQmpClient) client =
		hvr_qmp_client_connect(folder, HVR_VM_CONTROL, NULL, error);
	if (!client)
		return FALSE;
	g_autoptr(JsonNode) answer = hvr_qmp_client_call(
		client, hvr_request_kinds[request->name].name, hvr_request_encode(request),
		hvr_request_wait_ms(request) + WORK_MS, error);
	return answer && take_answer(answer, error);
}

gboolean hvr_ask_found_nobody(const GError *error)
{
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* What a request came to that this process carries out. */
typedef struct {
	HvrRequestJob job; /* first: it is what .done gets */
	gboolean told;
	GError *error;
} Outcome;

static void on_done(const GError *error, gpointer user_data)
{
	Outcome *outcome = user_data;

	if (outcome->told) /* given up, and the session goes */
		return;
	outcome->told = TRUE;
	if (error)
		outcome->error = g_error_copy(error);
	g_main_loop_quit(outcome->job.hotplug->session->loop);
}

static gboolean stand_in(const HvrContext *context, HvrVm *vm, const HvrRequest *request,
			 GError **error)
{
	g_autoptr(HvrSession) session = hvr_session_stand_in(context, vm, error);
	if (!session)
		return FALSE;
	g_autoptr(HvrHotplug) hotplug = hvr_hotplug_new(session);
	Outcome outcome = { .job = { .hotplug = hotplug, .done = on_done } };

	hvr_request_start(&outcome.job, request);
	if (!outcome.told)
		hvr_session_run(session);
	/* The end of a VM that nobody supervises: its cards and its folder are ours to put right.
	 */
	if (session->qemu_ended && session->stops->len) {
		const HvrEndedHow how = { .why = "stopped, without its supervisor", .status = -1 };
		g_autoptr(GError) left = NULL;
		hvr_ending_finish(context, session->vm, &how, session->locks, &left);
		/* What only QEMU kept, and nobody stood in for: its ports' and files'. */
		hvr_lock_sweep(&context->host, context->runtime);
		hvr_session_stopped(session, left);
	}
	if (!outcome.told && session->qemu_ended)
		outcome.error =
			g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "QEMU ended meanwhile");
	else if (!outcome.told)
		outcome.error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted");
	outcome.told = TRUE;
	if (!outcome.error)
		return TRUE;
	g_propagate_error(error, outcome.error);
	return FALSE;
}

gboolean hvr_ask(const HvrContext *context, HvrVm *vm, const HvrRequest *request, GError **error)
{
	const char *what = hvr_request_kinds[request->name].supervisor_only;
	g_autoptr(HvrVm) ours = vm;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	g_autoptr(GError) cause = NULL;

	hvr_interrupt_default();
	if (hvr_ask_supervisor(folder, request, &cause))
		return TRUE;
	if (!hvr_ask_found_nobody(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	if (what) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has no supervisor, which alone can %s", vm->name, what);
		hvr_error_hint(error, "start it without --exec");
		return FALSE;
	}
	hvr_interrupt_init();
	return stand_in(context, g_steal_pointer(&ours), request, error);
}
