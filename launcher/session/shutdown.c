/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest without an ACPI daemon never hears the power button, and a QEMU whose monitor is stuck
 * never hears quit: so each stage has a deadline, and the last one needs nobody's consent.
 */
#include "launcher/session/shutdown.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum {
	STAGE_NONE,
	STAGE_POWERDOWN,
	STAGE_QUIT,
	STAGE_KILL,
} Stage;

struct HvrShutdown {
	HvrQmpClient *qmp;
	int pidfd;
	Stage stage;
	guint timer;
};

static void enter(HvrShutdown *shutdown, Stage stage, guint powerdown_ms);

HvrShutdown *hvr_shutdown_new(HvrQmpClient *qmp, int pidfd)
{
	HvrShutdown *shutdown = g_new0(HvrShutdown, 1);

	shutdown->qmp = hvr_qmp_client_ref(qmp);
	shutdown->pidfd = pidfd;
	return shutdown;
}

void hvr_shutdown_free(HvrShutdown *shutdown)
{
	if (!shutdown)
		return;
	if (shutdown->timer)
		g_source_remove(shutdown->timer);
	hvr_qmp_client_unref(shutdown->qmp);
	g_free(shutdown);
}

static gboolean on_deadline(gpointer user_data)
{
	HvrShutdown *shutdown = user_data;

	shutdown->timer = 0;
	enter(shutdown, shutdown->stage + 1, 0);
	return G_SOURCE_REMOVE;
}

static void signal_qemu(const HvrShutdown *shutdown, int signal_number)
{
	syscall(SYS_pidfd_send_signal, shutdown->pidfd, signal_number, NULL, 0);
}

static void enter(HvrShutdown *shutdown, Stage stage, guint powerdown_ms)
{
	if (shutdown->timer)
		g_source_remove(shutdown->timer);
	shutdown->timer = 0;
	shutdown->stage = MIN(stage, STAGE_KILL);
	switch (shutdown->stage) {
	case STAGE_NONE:
		break;
	case STAGE_POWERDOWN:
		hvr_qmp_client_execute(shutdown->qmp, "system_powerdown", NULL, 0, NULL, NULL);
		shutdown->timer = g_timeout_add(powerdown_ms, on_deadline, shutdown);
		break;
	case STAGE_QUIT:
		/* SIGTERM is "quit" for a QEMU that no longer talks to us. */
		if (hvr_qmp_client_is_closed(shutdown->qmp))
			signal_qemu(shutdown, SIGTERM);
		else
			hvr_qmp_client_execute(shutdown->qmp, "quit", NULL, 0, NULL, NULL);
		shutdown->timer = g_timeout_add(HVR_SHUTDOWN_QUIT_MS, on_deadline, shutdown);
		break;
	case STAGE_KILL:
		signal_qemu(shutdown, SIGKILL);
		break;
	}
}

void hvr_shutdown_begin(HvrShutdown *shutdown, gboolean force, guint powerdown_ms)
{
	if (force && shutdown->stage < STAGE_QUIT)
		enter(shutdown, STAGE_QUIT, 0);
	else if (shutdown->stage == STAGE_NONE)
		enter(shutdown, STAGE_POWERDOWN, powerdown_ms);
}

void hvr_shutdown_hurry(HvrShutdown *shutdown)
{
	enter(shutdown, shutdown->stage + 1, HVR_SHUTDOWN_POWERDOWN_MS);
}
