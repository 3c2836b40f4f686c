/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/stay.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* The rest of it is ours alone: who reads the other's standard error waits for its end. */
static gboolean keep_messages(const HvrSession *session, GError **error)
{
	g_auto(HvrFd) log = hvr_vm_open_log(session->folder);

	if (log < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot keep the messages of VM '%s': %s", session->vm->name,
			    g_strerror(errno));
		return FALSE;
	}
	hvr_message_keep(log);
	hvr_message_copy(-1);
	return TRUE;
}

void hvr_session_stay(HvrSession *session, HvrSessionDone done, gpointer user_data)
{
	g_autoptr(GError) error = NULL;

	if (!session->attached && !session->front) {
		g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "VM '%s' does not end with whoever started it", session->vm->name);
	} else if (keep_messages(session, &error)) {
		prctl(PR_SET_PDEATHSIG, 0);
		if (session->attached || hvr_events_are_shown(session->context->events))
			hvr_events_leave(session->context->events);
		session->attached = session->front = FALSE;
	}
	done(error, user_data);
}

/* Told so, or killed: the latter is nobody's wish, but no reason to end a VM either. */
static gboolean on_front_gone(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSession *session = user_data;
	g_autoptr(GError) error = NULL;

	if (!session->front)
		return G_SOURCE_REMOVE;
	if (!keep_messages(session, &error))
		hvr_message_error(error);
	if (hvr_events_are_shown(session->context->events))
		hvr_events_leave(session->context->events);
	session->front = FALSE;
	hvr_message("whoever had the terminal of VM '%s' is gone; it goes on", session->vm->name);
	return G_SOURCE_REMOVE;
}

void hvr_session_watch_front(HvrSession *session, int fd)
{
	session->front = fd > 0;
	if (session->front)
		g_unix_fd_add(fd, G_IO_HUP, on_front_gone, session);
}
