/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a supervisor would do, done once. The locks that QEMU alone keeps are taken for it, as two
 * that stand in at once would give the same card back.
 */
#include "launcher/session/stand-in.h"

#include "launcher/report/error.h"
#include "launcher/runtime/lock-watch.h"
#include "launcher/runtime/lock.h"
#include "launcher/session/ending.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* How long another command may take to give back what the VM had. */
#define OTHERS_S 300

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

/* The end of a VM that nobody supervises: its cards and its folder are ours to put right. */
static void finish(HvrSession *session)
{
	const HvrEndedHow how = { .why = "stopped, without its supervisor", .status = -1 };
	const HvrContext *context = session->context;
	g_autoptr(GError) left = NULL;

	hvr_ending_finish(context, session->vm, &how, session->locks, &left);
	/* What only QEMU kept, and nobody stood in for: its ports' and files'. */
	hvr_lock_sweep(&context->host, context->runtime);
	hvr_session_stopped(session, left);
}

gboolean hvr_stand_in(const HvrContext *context, HvrVm *vm, const HvrRequest *request,
		      HvrShutdownStage *out_stage, GError **error)
{
	gboolean ends = request->name == HVR_REQUEST_STOP;
	g_autoptr(HvrSession) session = hvr_session_stand_in(context, vm, ends, error);
	if (!session)
		return FALSE;
	g_autoptr(HvrHotplug) hotplug = hvr_hotplug_new(session);
	Outcome outcome = { .job = { .hotplug = hotplug, .done = on_done } };

	hvr_request_start(&outcome.job, request);
	if (!outcome.told)
		hvr_session_run(session);
	if (session->qemu_ended && session->stops->len)
		finish(session);
	if (!outcome.told && session->qemu_ended)
		outcome.error =
			g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "QEMU ended meanwhile");
	else if (!outcome.told)
		outcome.error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted");
	outcome.told = TRUE;
	if (out_stage)
		*out_stage = hvr_shutdown_stage(session->shutdown);
	if (!outcome.error)
		return TRUE;
	g_propagate_error(error, outcome.error);
	return FALSE;
}

/* What this very VM has left: one of its name that was started since is another. */
static gboolean is_left(const HvrContext *context, const HvrVm *vm)
{
	g_autoptr(HvrVm) now = hvr_vm_look(context, vm->name);

	return now && now->qemu.pid == vm->qemu.pid && now->qemu.start_time == vm->qemu.start_time;
}

/* The VM's lock. Another command may be at it, and put it away. NULL, without @error: it has. */
static HvrLock *take_turn(const HvrContext *context, const HvrVm *vm, GError **error)
{
	gint64 until_us = g_get_monotonic_time() + OTHERS_S * G_TIME_SPAN_SECOND;
	g_autofree char *name = hvr_lock_name_vm(vm->name);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(&context->host, context->runtime, error);
	g_autoptr(HvrLock) lock = NULL;

	g_ptr_array_add(names, name);
	while (watch && !lock && is_left(context, vm)) {
		g_autoptr(GError) cause = NULL;
		lock = hvr_lock_stand_in(context, name, vm, &cause);
		if (lock || (g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY) &&
			     hvr_lock_watch_wait(watch, names, until_us)))
			continue;
		g_propagate_prefixed_error(error, g_steal_pointer(&cause),
					   "VM '%s' has somebody at it: ", vm->name);
		return NULL;
	}
	/* It may have been put away just before. */
	if (lock && is_left(context, vm))
		return g_steal_pointer(&lock);
	return NULL;
}

gboolean hvr_stand_in_finish(const HvrContext *context, const HvrVm *vm, gboolean *out_did,
			     GError **error)
{
	const HvrEndedHow how = { .why = "stopped, without its supervisor", .status = -1 };
	g_autoptr(GPtrArray) locks = g_ptr_array_new();
	GError *cause = NULL;

	HvrLock *lock = take_turn(context, vm, &cause);
	*out_did = lock != NULL;
	if (cause) {
		g_propagate_error(error, cause);
		return FALSE;
	}
	/* Whoever did it may have had to leave a card. */
	if (!lock)
		return hvr_ending_give_back(context, vm, NULL, error);
	g_ptr_array_add(locks, lock);
	gboolean well = hvr_ending_finish(context, vm, &how, locks, error);
	hvr_lock_sweep(&context->host, context->runtime);
	return well;
}
