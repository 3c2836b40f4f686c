/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever does not answer is passed by, and each step has its share of the time. The pidfds are
 * opened by pid and start time, so what is killed is what the record names.
 */
#include "launcher/session/stop.h"

#include <glib-unix.h>
#include <signal.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/progress.h"
#include "launcher/report/text.h"
#include "launcher/session/ask.h"
#include "launcher/session/rouse.h"
#include "launcher/session/stand-in.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* How long a supervisor may take to say that it is there: a quarter of the time, within these. */
#define PATIENCE_LEAST_MS 250
#define PATIENCE_MOST_MS  5000
/* It ends QEMU in time; then we do. */
#define GRACE_MS 250
/* One whose connection ends is about to end itself. */
#define LEAVING_MS 2000

typedef struct {
	const HvrContext *context;
	const HvrVm *vm;
	const HvrStopHow *how;
	int folder;
	gint64 begin_us, end_us;
	int qemu;	    /* its pidfd; -1: it has ended */
	guint timer, watch; /* of its stages; 0: none */
	HvrStopped *out;
} Stop;

static HvrRequest make_request(const Stop *stop, guint whole_ms)
{
	HvrShutdownTimes times = hvr_shutdown_split(whole_ms, FALSE);

	return (HvrRequest){ .name = HVR_REQUEST_STOP,
			     .force = stop->how->force,
			     .powerdown_ms = MAX(times.powerdown_ms, 1) };
}

static guint left_ms(const Stop *stop)
{
	gint64 left_us = stop->end_us - g_get_monotonic_time();

	return (guint)CLAMP(left_us / G_TIME_SPAN_MILLISECOND, 1, stop->how->whole_ms);
}

static gboolean ask(Stop *stop, GError **error)
{
	const HvrAsk supervisor = {
		.context = stop->context,
		.vm = stop->vm,
		.folder = stop->folder,
		.patience_ms = CLAMP(stop->how->whole_ms / 4, PATIENCE_LEAST_MS, PATIENCE_MOST_MS),
		.kill_at_us = stop->end_us + GRACE_MS * G_TIME_SPAN_MILLISECOND,
	};
	const HvrRequest request = make_request(stop, stop->how->whole_ms);

	return hvr_ask_it(&supervisor, &request, &stop->out->by, error);
}

/* It has hung up on us: because it ends, or because too many ask. */
static void let_leave(const Stop *stop)
{
	g_auto(HvrFd) pidfd = hvr_process_open(&stop->context->host, &stop->vm->supervisor);

	if (pidfd >= 0)
		(void)hvr_rouse_wait(pidfd, LEAVING_MS);
}

/* @out_begun: QEMU has been told to end */
static gboolean stand_in(Stop *stop, gboolean *out_begun, GError **error)
{
	const HvrRequest request = make_request(stop, left_ms(stop));
	g_autoptr(HvrVm) again = hvr_vm_read(stop->context, stop->vm->name, error);

	if (!again)
		return FALSE;
	/* A new VM of that name is nobody's to end. */
	again->qemu = stop->vm->qemu;
	gboolean well = hvr_stand_in(stop->context, g_steal_pointer(&again), &request,
				     &stop->out->by, error);
	*out_begun = stop->out->by != HVR_SHUTDOWN_NONE;
	return well;
}

/* Somebody else is at it, and it ends all the same. FALSE: it does not */
static gboolean wait_and_kill(Stop *stop, int pidfd)
{
	if (hvr_rouse_wait(pidfd, left_ms(stop)))
		return TRUE;
	stop->out->by = HVR_SHUTDOWN_KILL;
	hvr_process_signal(pidfd, SIGKILL);
	return hvr_rouse_wait(pidfd, HVR_SHUTDOWN_KILL_MS);
}

/* Nobody else answers for the VM now. */
static gboolean take_over(Stop *stop, GError **error)
{
	g_auto(HvrFd) pidfd = hvr_process_open(&stop->context->host, &stop->vm->qemu);
	g_autoptr(GError) cause = NULL;
	gboolean begun = FALSE, did = FALSE;

	hvr_interrupt_init();
	if (pidfd >= 0 && stand_in(stop, &begun, &cause))
		return TRUE;
	if (begun || hvr_interrupt_pending() || (pidfd >= 0 && !wait_and_kill(stop, pidfd))) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	/* A supervisor, or another stop, may have put all right while it was waited for. */
	gboolean well = hvr_stand_in_finish(stop->context, stop->vm, &did, error);
	stop->out->was_dead = pidfd < 0 && did;
	return well;
}

static gboolean hung_up(const GError *error)
{
	return g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED);
}

static gboolean end(Stop *stop, GError **error)
{
	g_autoptr(GError) cause = NULL;

	hvr_interrupt_default();
	if (ask(stop, &cause))
		return TRUE;
	if (hung_up(cause)) {
		let_leave(stop);
	} else if (!hvr_ask_found_nobody(cause) && !hvr_ask_found_deaf(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	return hvr_rouse_end(stop->context, stop->vm, error) && take_over(stop, error);
}

/* Its stages, as they are shown: by our own clock, and by QEMU's end. */

static const HvrProgressStage giving_back = { .text = "QEMU has ended; its cards go back" };

static gboolean on_kill(gpointer user_data)
{
	static const HvrProgressStage killed = {
		.text = "QEMU was killed, and the kernel is not done with it"
	};
	Stop *stop = user_data;

	stop->timer = 0;
	hvr_progress_stage(&killed);
	return G_SOURCE_REMOVE;
}

static void show_quit(Stop *stop, guint quit_ms)
{
	const HvrProgressStage quit = { .text = "QEMU's quit",
					.limit_ms = quit_ms,
					.then = "then it is killed" };

	hvr_progress_stage(&quit);
	stop->timer = g_timeout_add(quit_ms, on_kill, stop);
}

static gboolean on_quit(gpointer user_data)
{
	Stop *stop = user_data;

	show_quit(stop, hvr_shutdown_split(stop->how->whole_ms, FALSE).quit_ms);
	return G_SOURCE_REMOVE;
}

static void end_timer(Stop *stop)
{
	if (stop->timer)
		g_source_remove(stop->timer);
	stop->timer = 0;
}

static gboolean on_qemu_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	Stop *stop = user_data;

	stop->watch = 0;
	end_timer(stop);
	hvr_progress_stage(&giving_back);
	return G_SOURCE_REMOVE;
}

static void begin_stages(Stop *stop)
{
	HvrShutdownTimes times = hvr_shutdown_split(stop->how->whole_ms, stop->how->force);
	const HvrProgressStage button = { .text = "power button",
					  .limit_ms = times.powerdown_ms,
					  .then = "then quit" };

	stop->qemu = hvr_process_open(&stop->context->host, &stop->vm->qemu);
	hvr_progress_begin("stop %s", stop->vm->name);
	if (stop->qemu < 0) {
		hvr_progress_stage(&giving_back);
	} else if (times.powerdown_ms) {
		hvr_progress_stage(&button);
		stop->timer = g_timeout_add(times.powerdown_ms, on_quit, stop);
	} else {
		show_quit(stop, times.quit_ms);
	}
	if (stop->qemu >= 0)
		stop->watch = g_unix_fd_add(stop->qemu, G_IO_IN, on_qemu_ended, stop);
}

static void end_stages(Stop *stop)
{
	end_timer(stop);
	if (stop->watch)
		g_source_remove(stop->watch);
	hvr_fd_close(stop->qemu);
	hvr_progress_end();
}

gboolean hvr_stop(const HvrContext *context, const HvrVm *vm, const HvrStopHow *how,
		  HvrStopped *out_stopped, GError **error)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	gint64 begin_us = g_get_monotonic_time();
	Stop stop = { .context = context,
		      .vm = vm,
		      .how = how,
		      .folder = folder,
		      .begin_us = begin_us,
		      .end_us = begin_us + how->whole_ms * (gint64)G_TIME_SPAN_MILLISECOND,
		      .out = out_stopped };

	*out_stopped = (HvrStopped){ .by = HVR_SHUTDOWN_NONE };
	begin_stages(&stop);
	gboolean well = end(&stop, error);
	end_stages(&stop);
	out_stopped->took_ms = (guint)((g_get_monotonic_time() - begin_us) / 1000);
	return well;
}

char *hvr_stopped_describe(const HvrStopped *stopped, const HvrStopHow *how)
{
	HvrShutdownTimes times = hvr_shutdown_split(how->whole_ms, how->force);
	g_autofree char *took = hvr_text_time(stopped->took_ms);
	g_autofree char *guest = hvr_text_time(times.powerdown_ms);
	g_autofree char *whole = hvr_text_time(how->whole_ms);

	switch (stopped->by) {
	case HVR_SHUTDOWN_POWERDOWN:
		return g_strdup_printf("powered off in %s", took);
	case HVR_SHUTDOWN_QUIT:
		if (how->force)
			return g_strdup_printf("QEMU was ended in %s, without asking the guest",
					       took);
		return g_strdup_printf("QEMU was ended: the guest did not answer the power button "
				       "for %s",
				       guest);
	case HVR_SHUTDOWN_KILL:
		if (how->force)
			return g_strdup_printf("had to be killed: QEMU did not end within %s",
					       whole);
		return g_strdup_printf("had to be killed: neither the guest nor QEMU ended within "
				       "%s",
				       whole);
	case HVR_SHUTDOWN_NONE:
	case HVR_SHUTDOWN_STAGES:
		break;
	}
	if (stopped->was_dead)
		return g_strdup("it had, and nobody had given back what it had");
	return g_strdup_printf("it took %s", took);
}
