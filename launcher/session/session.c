/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session: events in, requests out.
 *
 * QEMU's end is told by its pidfd, never by the monitor: that may close while QEMU is still in the
 * kernel, resetting the card.
 */
#include "launcher/session/session.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/compat.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "vfio/fd.h"

/* Somebody who asked for the VM's end. */
typedef struct {
	HvrSessionDone done;
	gpointer user_data;
} HvrSessionStop;

static gboolean on_qemu_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSession *session = user_data;
	siginfo_t info = { 0 };

	session->qemu_ended = TRUE;
	if (session->child && waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0) {
		session->wait_status = info.si_status;
		if (info.si_code == CLD_EXITED)
			session->wait_status = W_EXITCODE(info.si_status, 0);
	}
	g_main_loop_quit(session->loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer user_data)
{
	static const HvrProgressStage ending = { .text = "ending" };
	const HvrShutdownTimes usual = { .powerdown_ms = HVR_SHUTDOWN_POWERDOWN_MS,
					 .quit_ms = HVR_SHUTDOWN_QUIT_MS };
	HvrSession *session = user_data;
	int signal_number = hvr_interrupt_take();

	if (signal_number == 0)
		return G_SOURCE_CONTINUE;
	if (!session->child) {
		/* A stand-in that is interrupted leaves the VM as it is. */
		hvr_interrupt_note(signal_number);
		g_main_loop_quit(session->loop);
		return G_SOURCE_CONTINUE;
	}
	if (hvr_interrupt_pending()) {
		hvr_message("hurrying");
		hvr_shutdown_hurry(session->shutdown);
		return G_SOURCE_CONTINUE;
	}
	hvr_interrupt_note(signal_number);
	hvr_message("asking the guest to power down; once more to hurry");
	hvr_progress_begin("VM '%s'", session->vm->name);
	hvr_progress_stage(&ending);
	hvr_shutdown_begin(session->shutdown, &usual);
	return G_SOURCE_CONTINUE;
}

/* Killed, and still there: somewhere in the kernel. A supervisor stays with it, and gives back when
 * it is gone after all; whoever waits for that is told. */
static void on_stuck(gpointer user_data)
{
	HvrSession *session = user_data;
	g_autoptr(GError) error = g_error_new(
		HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		"VM '%s': QEMU (pid %d) was killed and has not ended within %d s: the "
		"kernel is not done with it",
		session->vm->name, (int)session->vm->qemu.pid, HVR_SHUTDOWN_KILL_MS / 1000);

	hvr_error_hint(&error, "the kernel's log may say why; when it has ended, 'hailo-vm-run "
			       "release --all' gives back what is left");
	hvr_session_stopped(session, error);
}

HvrSession *hvr_session_new(const HvrSessionStart *start)
{
	HvrSession *session = g_new(HvrSession, 1);

	*session = (HvrSession){ .context = start->context,
				 .profile = start->profile,
				 .vm = start->vm,
				 .folder = start->folder,
				 .pidfd = start->pidfd,
				 .qmp = start->qmp };
	session->loop = g_main_loop_new(NULL, FALSE);
	session->locks = g_ptr_array_new();
	session->stops = g_ptr_array_new_with_free_func(g_free);
	session->shutdown = hvr_shutdown_new(session->qmp, session->pidfd);
	hvr_shutdown_watch(session->shutdown, on_stuck, session);
	g_unix_fd_add(session->pidfd, G_IO_IN, on_qemu_ended, session);
	g_unix_fd_add(hvr_interrupt_fd(), G_IO_IN, on_signal, session);
	return session;
}

void hvr_session_free(HvrSession *session)
{
	if (!session)
		return;
	hvr_progress_end();
	hvr_shutdown_free(session->shutdown);
	hvr_qmp_client_unref(session->qmp);
	while (g_source_remove_by_user_data(session))
		;
	for (guint i = 0; i < session->locks->len; i++)
		hvr_lock_leave(g_ptr_array_index(session->locks, i));
	g_ptr_array_unref(session->locks);
	g_ptr_array_unref(session->stops);
	g_clear_error(&session->failure);
	g_main_loop_unref(session->loop);
	hvr_fd_close(session->pidfd);
	hvr_fd_close(session->folder);
	hvr_vm_free(session->vm);
	g_free(session);
}

/* A lock that QEMU alone keeps; or nobody, if the supervisor that plugged the card in was of a
 * version that kept the lock to itself. Two that stand in at once would give the same card back. */
static gboolean take_lock(HvrSession *session, const char *name, GError **error)
{
	GError *cause = NULL;

	if (hvr_lock_find(session->locks, name))
		return TRUE;
	HvrLock *lock = hvr_lock_stand_in(session->context, name, session->vm, &cause);
	if (!lock) {
		g_propagate_prefixed_error(error, cause,
					   "VM '%s' has somebody at it: ", session->vm->name);
		return FALSE;
	}
	g_ptr_array_add(session->locks, lock);
	return TRUE;
}

/* A client of a monitor that is not to be had: it is closed from the start. */
static HvrQmpClient *no_monitor(GError **error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "cannot make a pair of sockets: %s", g_strerror(saved));
		return NULL;
	}
	HvrQmpClient *client = hvr_qmp_client_new(pair[0], NULL);
	close(pair[1]);
	while (!hvr_qmp_client_is_closed(client))
		g_main_context_iteration(NULL, TRUE);
	return client;
}

static HvrQmpClient *connect_monitor(int folder, gboolean ends, GError **error)
{
	g_autoptr(GError) cause = NULL;
	HvrQmpClient *qmp = hvr_qmp_client_connect(folder, HVR_VM_QMP, NULL, &cause);

	if (qmp)
		return qmp;
	if (ends)
		return no_monitor(error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

HvrSession *hvr_session_stand_in(const HvrContext *context, HvrVm *vm, gboolean ends,
				 GError **error)
{
	g_autoptr(HvrVm) ours = vm;
	g_autofree char *own = hvr_lock_name_vm(vm->name);
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	g_auto(HvrFd) pidfd = hvr_process_open(&context->host, &vm->qemu);

	if (folder < 0 || pidfd < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has ended", vm->name);
		hvr_error_hint(error, "give its cards back: hailo-vm-run release --all");
		return NULL;
	}
	HvrQmpClient *qmp = connect_monitor(folder, ends, error);
	if (!qmp)
		return NULL;
	const HvrSessionStart start = { .context = context,
					.vm = g_steal_pointer(&ours),
					.folder = g_steal_fd(&folder),
					.pidfd = g_steal_fd(&pidfd),
					.qmp = qmp };
	g_autoptr(HvrSession) session = hvr_session_new(&start);
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		g_autofree char *name = hvr_lock_name_group(device->group);
		if (device->in_vm && !take_lock(session, name, error))
			return NULL;
	}
	if (!take_lock(session, own, error))
		return NULL;
	return g_steal_pointer(&session);
}

void hvr_session_run(HvrSession *session)
{
	if (!session->qemu_ended)
		g_main_loop_run(session->loop);
}

gboolean hvr_session_is_ending(const HvrSession *session)
{
	return session->qemu_ended || hvr_shutdown_stage(session->shutdown) != HVR_SHUTDOWN_NONE;
}

void hvr_session_save(HvrSession *session)
{
	g_autoptr(GError) error = NULL;

	if (!hvr_vm_write(session->folder, session->vm, &error))
		hvr_message_warning(error);
}

HvrVmDevice *hvr_session_device(const HvrSession *session, const char *id)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (g_str_equal(device->id, id))
			return device;
	}
	return NULL;
}

gboolean hvr_session_has_group(const HvrSession *session, int group)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && device->group == group)
			return TRUE;
	}
	return FALSE;
}

void hvr_session_stop(HvrSession *session, const HvrShutdownTimes *times, HvrSessionDone done,
		      gpointer user_data)
{
	HvrSessionStop *stop = g_new(HvrSessionStop, 1);

	*stop = (HvrSessionStop){ .done = done, .user_data = user_data };
	g_ptr_array_add(session->stops, stop);
	/* A guest that stands still hears nothing of the power button. */
	if (session->vm->paused)
		hvr_qmp_client_execute(session->qmp, "cont", NULL, 0, NULL, NULL);
	hvr_shutdown_begin(session->shutdown, times);
}

void hvr_session_quit(HvrSession *session)
{
	const HvrShutdownTimes times = { .quit_ms = HVR_SHUTDOWN_QUIT_MS };

	hvr_shutdown_begin(session->shutdown, &times);
}

void hvr_session_stopped(HvrSession *session, const GError *error)
{
	for (guint i = 0; i < session->stops->len; i++) {
		const HvrSessionStop *stop = g_ptr_array_index(session->stops, i);
		stop->done(error, stop->user_data);
	}
	g_ptr_array_set_size(session->stops, 0);
}
