/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor answers for the VM, so it is asked first.
 *
 * A supervisor that is stopped or stuck looks like one that works on it: the kernel has accepted
 * the connection. So before the request comes a question that costs nothing, which whoever turns
 * its main loop answers at once; and while the answer is due, /proc is looked at now and then.
 */
#include "launcher/session/ask.h"

#include <gio/gio.h>
#include <signal.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/session/control.h"
#include "launcher/session/rouse.h"
#include "launcher/session/stand-in.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* Beyond what the session waits itself: driver probes, resets, giving back. */
#define WORK_MS 300000
/* Until when a supervisor has turned its main loop once, where nobody says less. */
#define PATIENCE_MS 10000
/* There is no event that tells of another process that it was stopped. */
#define BEAT_MS 500

/* One request, until it is answered. */
typedef struct {
	const HvrAsk *ask;
	HvrRouse rouse;
	HvrQmpClient *client;
	gboolean done, deaf, killed;
	JsonNode *answer;
	GError *error;
} Asking;

static void asking_clear(Asking *asking)
{
	/* What is not answered is told on_answer() here, which takes no notice. */
	asking->done = TRUE;
	hvr_qmp_client_unref(asking->client);
	g_clear_pointer(&asking->answer, json_node_unref);
	g_clear_error(&asking->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asking, asking_clear)

static void on_answer(HvrQmpClient *client, JsonNode *result, const GError *error,
		      gpointer user_data)
{
	Asking *asking = user_data;

	if (asking->done)
		return;
	asking->done = TRUE;
	asking->deaf = g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT);
	if (error)
		asking->error = g_error_copy(error);
	else
		asking->answer = json_node_copy(result);
}

/* A supervisor of an older version gives QEMU more time than it was given; so may one that went on
 * late. It gives back when QEMU has ended, whoever did that. */
static void kill_late(Asking *asking)
{
	const HvrAsk *ask = asking->ask;

	if (asking->killed || !ask->kill_at_us || g_get_monotonic_time() < ask->kill_at_us)
		return;
	g_auto(HvrFd) pidfd = hvr_process_open(&ask->context->host, &ask->vm->qemu);
	asking->killed = pidfd >= 0 && hvr_process_signal(pidfd, SIGKILL);
}

static gboolean on_beat(gpointer user_data)
{
	Asking *asking = user_data;

	kill_late(asking);
	if (hvr_rouse(&asking->rouse) == HVR_ROUSE_IN_VAIN)
		asking->done = asking->deaf = TRUE;
	return G_SOURCE_CONTINUE;
}

/* FALSE: it is deaf, or with @error. */
static gboolean call(Asking *asking, const char *command, JsonObject *arguments, guint timeout_ms)
{
	asking->done = FALSE;
	g_clear_pointer(&asking->answer, json_node_unref);
	hvr_qmp_client_execute(asking->client, command, arguments, timeout_ms, on_answer, asking);
	guint beat = g_timeout_add(BEAT_MS, on_beat, asking);
	while (!asking->done)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(beat);
	return asking->answer != NULL;
}

/* The supervisor's answer, as if it had happened to this process. */
static gboolean take_answer(JsonNode *answer, HvrShutdownStage *out_stage, GError **error)
{
	JsonNode *status = NULL;
	const char *text = NULL;
	gint64 code = 70;

	if (JSON_NODE_HOLDS_OBJECT(answer)) {
		JsonObject *object = json_node_get_object(answer);
		status = json_object_get_member(object, "status");
		text = hvr_json_get_string(object, "message");
		*out_stage =
			hvr_shutdown_of_word(hvr_json_get_string(object, HVR_CONTROL_ENDED_BY));
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

static gboolean fail_deaf(const HvrAsk *ask, GError **error)
{
	if (!ask->vm) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "the VM's supervisor does not answer");
		return FALSE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "VM '%s': its supervisor (pid %d) does not answer", ask->vm->name,
		    (int)ask->vm->supervisor.pid);
	hvr_error_hint(error, "'hailo-vm-run stop %s' ends the VM all the same", ask->vm->name);
	return FALSE;
}

gboolean hvr_ask_it(const HvrAsk *ask, const HvrRequest *request, HvrShutdownStage *out_stage,
		    GError **error)
{
	g_auto(Asking) asking = { .ask = ask, .rouse = { .context = ask->context, .vm = ask->vm } };
	guint patience_ms = ask->patience_ms ? ask->patience_ms : PATIENCE_MS;

	*out_stage = HVR_SHUTDOWN_NONE;
	if (hvr_rouse(&asking.rouse) == HVR_ROUSE_IN_VAIN)
		return fail_deaf(ask, error);
	asking.client = hvr_qmp_client_connect(ask->folder, HVR_VM_CONTROL, NULL, &asking.error);
	/* So many wait for it that no more are let in. */
	if (g_error_matches(asking.error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
		return fail_deaf(ask, error);
	/* Every version answers this at any time, and does nothing. */
	if (asking.client && call(&asking, "qmp_capabilities", NULL, patience_ms))
		call(&asking, hvr_request_kinds[request->name].name, hvr_request_encode(request),
		     hvr_request_wait_ms(request) + WORK_MS);
	if (asking.deaf)
		return fail_deaf(ask, error);
	if (asking.answer) {
		gboolean well = take_answer(asking.answer, out_stage, error);
		if (asking.killed)
			*out_stage = HVR_SHUTDOWN_KILL;
		return well;
	}
	g_propagate_error(error, g_steal_pointer(&asking.error));
	return FALSE;
}

gboolean hvr_ask_supervisor(int folder, const HvrRequest *request, GError **error)
{
	const HvrAsk ask = { .folder = folder };
	HvrShutdownStage stage;

	return hvr_ask_it(&ask, request, &stage, error);
}

/* One request that nobody waits for. */
typedef struct {
	HvrSessionDone done;
	gpointer user_data;
} Begun;

static void on_begun_answer(HvrQmpClient *client, JsonNode *result, const GError *error,
			    gpointer user_data)
{
	g_autofree Begun *begun = user_data;
	HvrShutdownStage stage = HVR_SHUTDOWN_NONE;
	g_autoptr(GError) answer = NULL;

	if (!error)
		take_answer(result, &stage, &answer);
	begun->done(error ? error : answer, begun->user_data);
}

void hvr_ask_begin(HvrQmpClient *supervisor, const HvrRequest *request, HvrSessionDone done,
		   gpointer user_data)
{
	Begun *begun = g_new(Begun, 1);

	*begun = (Begun){ .done = done, .user_data = user_data };
	hvr_qmp_client_execute(supervisor, hvr_request_kinds[request->name].name,
			       hvr_request_encode(request), hvr_request_wait_ms(request) + WORK_MS,
			       on_begun_answer, begun);
}

gboolean hvr_ask_found_nobody(const GError *error)
{
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

gboolean hvr_ask_found_deaf(const GError *error)
{
	return g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY);
}

gboolean hvr_ask(const HvrContext *context, HvrVm *vm, const HvrRequest *request, GError **error)
{
	const char *what = hvr_request_kinds[request->name].supervisor_only;
	g_autoptr(HvrVm) ours = vm;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	const HvrAsk ask = { .context = context, .vm = vm, .folder = folder };
	g_autoptr(GError) cause = NULL;
	HvrShutdownStage stage;

	hvr_interrupt_default();
	if (hvr_ask_it(&ask, request, &stage, &cause))
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
	return hvr_stand_in(context, g_steal_pointer(&ours), request, NULL, error);
}
