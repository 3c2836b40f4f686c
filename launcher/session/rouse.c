/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that is stopped cannot be told from a slow one over its socket: the kernel accepts for
 * it. /proc knows.
 */
#include "launcher/session/rouse.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>

#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* Something stops it each time that it goes on: it writes to a terminal that is not in front, or is
 * being traced. */
#define TRIES 3
/* How long the kernel may take to end a process that was killed, and a driver to take its card
 * back. */
#define KILLED_MS 5000
#define WORK_MS	  300000

HvrRoused hvr_rouse(HvrRouse *rouse)
{
	const HvrVm *vm = rouse->vm;

	if (!vm || !hvr_process_stopped(&rouse->context->host, &vm->supervisor))
		return HVR_ROUSE_AWAKE;
	if (rouse->tries++ == TRIES)
		return HVR_ROUSE_IN_VAIN;
	g_auto(HvrFd) pidfd = hvr_process_open(&rouse->context->host, &vm->supervisor);
	if (pidfd < 0)
		return HVR_ROUSE_AWAKE;
	if (!hvr_process_signal(pidfd, SIGCONT))
		return errno == ESRCH ? HVR_ROUSE_AWAKE : HVR_ROUSE_IN_VAIN;
	if (rouse->tries == 1)
		hvr_message("VM '%s': its supervisor (pid %d) is stopped, and is told to go on",
			    vm->name, (int)vm->supervisor.pid);
	return HVR_ROUSE_AGAIN;
}

typedef struct {
	gboolean ended, late;
} Wait;

static gboolean on_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	Wait *wait = user_data;

	wait->ended = TRUE;
	return G_SOURCE_CONTINUE;
}

static gboolean on_late(gpointer user_data)
{
	Wait *wait = user_data;

	wait->late = TRUE;
	return G_SOURCE_CONTINUE;
}

gboolean hvr_rouse_wait(int pidfd, guint ms)
{
	Wait wait = { FALSE, FALSE };
	guint timer = g_timeout_add(ms, on_late, &wait);
	guint end = g_unix_fd_add(pidfd, G_IO_IN, on_ended, &wait);

	while (!wait.ended && !wait.late)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(end);
	g_source_remove(timer);
	return wait.ended;
}

static gboolean fail_busy(const HvrVm *vm, const char *what, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "VM '%s': its supervisor (pid %d) %s", vm->name, (int)vm->supervisor.pid, what);
	hvr_error_hint(error, "a card's driver or reset may hang: the kernel's log knows");
	return FALSE;
}

gboolean hvr_rouse_end(const HvrContext *context, const HvrVm *vm, GError **error)
{
	g_auto(HvrFd) pidfd = hvr_process_open(&context->host, &vm->supervisor);

	if (pidfd < 0)
		return TRUE;
	if (!hvr_process_alive(&context->host, &vm->qemu) &&
	    !hvr_process_stopped(&context->host, &vm->supervisor))
		return hvr_rouse_wait(pidfd, WORK_MS) ||
		       fail_busy(vm, "has not given its cards back within 5 minutes", error);
	hvr_message("VM '%s': its supervisor (pid %d) does not answer and is ended; this command "
		    "answers for the VM",
		    vm->name, (int)vm->supervisor.pid);
	if (!hvr_process_signal(pidfd, SIGKILL) && errno != ESRCH) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "VM '%s': its supervisor (pid %d) does not answer and cannot be "
			    "ended: %s",
			    vm->name, (int)vm->supervisor.pid, g_strerror(errno));
		hvr_error_hint(error, "run this as root");
		return FALSE;
	}
	return hvr_rouse_wait(pidfd, KILLED_MS) ||
	       fail_busy(vm, "was killed and does not end: the kernel is not done with it", error);
}
