/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest without an ACPI daemon never hears the power button, and a QEMU whose monitor is stuck
 * never hears quit: so each stage has a deadline, and the last one needs nobody's consent.
 *
 * The deadlines are points in time, not durations: whoever asks again with less time has them moved
 * forward, and nobody moves them back.
 */
#include "launcher/session/shutdown.h"

#include <signal.h>

#include "launcher/runtime/process.h"

/* QEMU's part of a whole time. */
#define QUIT_SHARE  5
#define QUIT_MAX_MS 5000

struct HvrShutdown {
	HvrQmpClient *qmp;
	int pidfd;
	HvrShutdownStage stage;
	gint64 quit_at_us, kill_at_us; /* monotonic; when these stages begin at the latest */
	guint timer;
	gboolean is_late; /* it was killed, and that time is over */
	HvrShutdownStuck stuck;
	gpointer stuck_data;
};

static const char *const words[HVR_SHUTDOWN_STAGES] = { [HVR_SHUTDOWN_POWERDOWN] = "powerdown",
							[HVR_SHUTDOWN_QUIT] = "quit",
							[HVR_SHUTDOWN_KILL] = "kill" };

static void enter(HvrShutdown *shutdown, HvrShutdownStage stage);

HvrShutdownTimes hvr_shutdown_split(guint whole_ms, gboolean force)
{
	guint quit_ms = MIN(whole_ms / QUIT_SHARE, QUIT_MAX_MS);

	if (force)
		return (HvrShutdownTimes){ .quit_ms = whole_ms };
	return (HvrShutdownTimes){ .powerdown_ms = whole_ms - quit_ms, .quit_ms = quit_ms };
}

HvrShutdownTimes hvr_shutdown_from_powerdown(guint powerdown_ms, gboolean force)
{
	guint quit_ms = MIN(powerdown_ms / (QUIT_SHARE - 1), QUIT_MAX_MS);

	if (force)
		return (HvrShutdownTimes){ .quit_ms = powerdown_ms + quit_ms };
	return (HvrShutdownTimes){ .powerdown_ms = powerdown_ms, .quit_ms = quit_ms };
}

HvrShutdown *hvr_shutdown_new(HvrQmpClient *qmp, int pidfd)
{
	HvrShutdown *shutdown = g_new0(HvrShutdown, 1);

	shutdown->qmp = hvr_qmp_client_ref(qmp);
	shutdown->pidfd = pidfd;
	return shutdown;
}

static void stop_timer(HvrShutdown *shutdown)
{
	if (shutdown->timer)
		g_source_remove(shutdown->timer);
	shutdown->timer = 0;
}

void hvr_shutdown_free(HvrShutdown *shutdown)
{
	if (!shutdown)
		return;
	stop_timer(shutdown);
	hvr_qmp_client_unref(shutdown->qmp);
	g_free(shutdown);
}

void hvr_shutdown_watch(HvrShutdown *shutdown, HvrShutdownStuck stuck, gpointer user_data)
{
	shutdown->stuck = stuck;
	shutdown->stuck_data = user_data;
}

static gboolean on_deadline(gpointer user_data)
{
	HvrShutdown *shutdown = user_data;

	shutdown->timer = 0;
	if (shutdown->stage < HVR_SHUTDOWN_KILL) {
		enter(shutdown, shutdown->stage + 1);
	} else if (!shutdown->is_late) {
		shutdown->is_late = TRUE;
		if (shutdown->stuck)
			shutdown->stuck(shutdown->stuck_data);
	}
	return G_SOURCE_REMOVE;
}

static void start_timer(HvrShutdown *shutdown, gint64 at_us)
{
	gint64 left_ms = (at_us - g_get_monotonic_time() + 999) / 1000;

	stop_timer(shutdown);
	shutdown->timer = g_timeout_add((guint)MAX(left_ms, 0), on_deadline, shutdown);
}

/* Until the stage that has been entered is over. */
static void wait_for_stage(HvrShutdown *shutdown)
{
	if (shutdown->stage == HVR_SHUTDOWN_POWERDOWN)
		start_timer(shutdown, shutdown->quit_at_us);
	else if (shutdown->stage == HVR_SHUTDOWN_QUIT)
		start_timer(shutdown, shutdown->kill_at_us);
	else if (!shutdown->is_late)
		start_timer(shutdown, g_get_monotonic_time() +
					      HVR_SHUTDOWN_KILL_MS * G_TIME_SPAN_MILLISECOND);
}

/* SIGTERM is "quit" for a QEMU that does not talk to us: its monitor is stuck, or has somebody else
 * connected. Where the monitor does its work, it does no harm. */
static void quit(HvrShutdown *shutdown)
{
	if (!hvr_qmp_client_is_closed(shutdown->qmp))
		hvr_qmp_client_execute(shutdown->qmp, "quit", NULL, 0, NULL, NULL);
	if (hvr_qmp_client_is_closed(shutdown->qmp) || !hvr_qmp_client_is_ready(shutdown->qmp))
		hvr_process_signal(shutdown->pidfd, SIGTERM);
}

static void enter(HvrShutdown *shutdown, HvrShutdownStage stage)
{
	shutdown->stage = MIN(stage, HVR_SHUTDOWN_KILL);
	switch (shutdown->stage) {
	case HVR_SHUTDOWN_POWERDOWN:
		hvr_process_signal(shutdown->pidfd, SIGCONT);
		hvr_qmp_client_execute(shutdown->qmp, "system_powerdown", NULL, 0, NULL, NULL);
		break;
	case HVR_SHUTDOWN_QUIT:
		hvr_process_signal(shutdown->pidfd, SIGCONT);
		quit(shutdown);
		break;
	case HVR_SHUTDOWN_KILL:
		hvr_process_signal(shutdown->pidfd, SIGKILL);
		break;
	case HVR_SHUTDOWN_NONE:
	case HVR_SHUTDOWN_STAGES:
		g_assert_not_reached();
	}
	wait_for_stage(shutdown);
}

/* No stage gets more time than it has. */
static void move_deadlines(HvrShutdown *shutdown, const HvrShutdownTimes *times)
{
	gint64 now_us = g_get_monotonic_time();
	gint64 quit_at_us = now_us + times->powerdown_ms * (gint64)G_TIME_SPAN_MILLISECOND;
	gint64 kill_at_us = quit_at_us + times->quit_ms * (gint64)G_TIME_SPAN_MILLISECOND;

	if (shutdown->stage == HVR_SHUTDOWN_NONE) {
		shutdown->quit_at_us = quit_at_us;
		shutdown->kill_at_us = kill_at_us;
	} else {
		shutdown->quit_at_us = MIN(shutdown->quit_at_us, quit_at_us);
		shutdown->kill_at_us = MIN(shutdown->kill_at_us, kill_at_us);
	}
}

void hvr_shutdown_begin(HvrShutdown *shutdown, const HvrShutdownTimes *times)
{
	move_deadlines(shutdown, times);
	if (times->powerdown_ms == 0 && shutdown->stage < HVR_SHUTDOWN_QUIT)
		enter(shutdown, HVR_SHUTDOWN_QUIT);
	else if (shutdown->stage == HVR_SHUTDOWN_NONE)
		enter(shutdown, HVR_SHUTDOWN_POWERDOWN);
	else if (shutdown->stage < HVR_SHUTDOWN_KILL)
		wait_for_stage(shutdown);
}

void hvr_shutdown_hurry(HvrShutdown *shutdown)
{
	const HvrShutdownTimes usual = { .powerdown_ms = HVR_SHUTDOWN_POWERDOWN_MS,
					 .quit_ms = HVR_SHUTDOWN_QUIT_MS };
	const HvrShutdownTimes next = { .quit_ms = HVR_SHUTDOWN_QUIT_MS };

	move_deadlines(shutdown, shutdown->stage == HVR_SHUTDOWN_NONE ? &usual : &next);
	enter(shutdown, shutdown->stage + 1);
}

HvrShutdownStage hvr_shutdown_stage(const HvrShutdown *shutdown)
{
	return shutdown->stage;
}

const char *hvr_shutdown_word(HvrShutdownStage stage)
{
	return words[stage];
}

HvrShutdownStage hvr_shutdown_of_word(const char *word)
{
	HvrShutdownStage stage = HVR_SHUTDOWN_KILL;

	while (stage > HVR_SHUTDOWN_NONE && g_strcmp0(words[stage], word) != 0)
		stage--;
	return stage;
}
