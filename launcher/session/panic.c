/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that has panicked looks like one that is busy: QEMU runs on, and the agent does not
 * answer. One that says so need not be waited for.
 */
#include "launcher/session/panic.h"

#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"

struct HvrPanic {
	HvrSession *session;
	guint subscription;
};

static void set(HvrPanic *panic, gboolean panicked)
{
	HvrSession *session = panic->session;

	if (session->vm->panicked == panicked)
		return;
	session->vm->panicked = panicked;
	hvr_session_save(session);
	if (!panicked)
		return;
	hvr_message("VM '%s': the guest's kernel has panicked", session->vm->name);
	hvr_events_tell(session->context->events, "panicked", NULL, NULL);
	if (!session->attached || session->failure)
		return;
	session->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
				       "the guest's kernel has panicked, and the VM was ended");
	hvr_error_hint(&session->failure, "its last words: hailo-vm-run log --serial %s",
		       session->vm->name);
	hvr_session_quit(session);
}

static void set_paused(HvrPanic *panic, gboolean paused)
{
	HvrSession *session = panic->session;

	if (session->vm->paused == paused)
		return;
	session->vm->paused = paused;
	hvr_session_save(session);
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	HvrPanic *panic = user_data;

	if (g_str_equal(name, "GUEST_PANICKED"))
		set(panic, TRUE);
	else if (g_str_equal(name, "RESET"))
		set(panic, FALSE);
	else if (g_str_equal(name, "STOP"))
		set_paused(panic, TRUE);
	else if (g_str_equal(name, "RESUME"))
		set_paused(panic, FALSE);
}

HvrPanic *hvr_panic_new(HvrSession *session)
{
	HvrPanic *panic = g_new(HvrPanic, 1);

	*panic = (HvrPanic){ .session = session };
	panic->subscription = hvr_qmp_client_subscribe(session->qmp, on_event, NULL, panic);
	return panic;
}

void hvr_panic_free(HvrPanic *panic)
{
	if (!panic)
		return;
	hvr_qmp_client_unsubscribe(panic->session->qmp, panic->subscription);
	g_free(panic);
}
