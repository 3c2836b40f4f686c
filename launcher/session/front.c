/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends it: the supervisor's end, by its pidfd, or the key d. QEMU's end gives the terminal
 * back before that, as cards may take a minute to go back; the socket's end does no more: it is
 * all that the guest has said.
 *
 * When the front goes, however that came about, the supervisor sees its side of the socket hung up
 * and goes on without: hvr_session_watch_front(). With d it is asked first, so that nothing of its
 * words comes behind the shell's prompt.
 */
#include "launcher/session/front.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/keys.h"
#include "launcher/session/relay.h"
#include "vfio/fd.h"

/* How long the supervisor may take to say that it goes on without us. */
#define LEAVE_MS 3000

typedef struct {
	const HvrFront *front;
	const char *vm;
	GMainLoop *loop;
	HvrKeys *keys;
	HvrRelay *relay;
	int supervisor, qemu; /* pidfds; -1: there is none */
	gboolean quits;	      /* that has been asked for */
	gboolean leaves;
} Stay;

gboolean hvr_front_is_wanted(const HvrProfile *profile)
{
	return profile->serial == HVR_SERIAL_STDIO && isatty(STDIN_FILENO) &&
	       !g_getenv("NOTIFY_SOCKET");
}

int hvr_front_fork(const HvrContext *context, HvrRunOptions *how, HvrFront *out_front,
		   GError **error)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot make a socket: %s", g_strerror(errno));
		return -1;
	}
	g_auto(HvrFd) front = ends[0];
	g_auto(HvrFd) supervisor = ends[1];
	*out_front = (HvrFront){ .socket = -1 };
	how->front_shows = isatty(STDOUT_FILENO);
	int who = hvr_detach_fork(context, FALSE, &out_front->supervisor, &how->ready_fd, error);
	if (who > 0)
		out_front->socket = g_steal_fd(&front);
	else if (who == 0)
		how->front = g_steal_fd(&supervisor);
	return who;
}

static int open_process(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* As its record has it, which may be that of a VM whose end nobody has told us of yet. */
static int open_qemu(const HvrContext *context, const char *vm)
{
	g_autoptr(HvrVm) record = hvr_vm_read(context, vm, NULL);
	g_auto(HvrFd) qemu = -1;

	if (record && record->qemu.pid > 0)
		qemu = open_process(record->qemu.pid);
	if (qemu < 0 || !hvr_process_alive(&context->host, &record->qemu))
		return -1;
	return g_steal_fd(&qemu);
}

/* Harder each time. A QEMU that does not end may sit in the kernel: then so does its SIGKILL. */
static void quit(Stay *stay)
{
	if (!stay->quits)
		hvr_keys_press(stay->keys, HVR_ESCAPE_QUIT);
	else if (stay->qemu >= 0)
		syscall(SYS_pidfd_send_signal, stay->qemu, SIGKILL, NULL, 0);
	else
		kill(stay->front->supervisor.pid, SIGTERM);
	stay->quits = TRUE;
}

static void on_left(const GError *error, gpointer user_data)
{
	Stay *stay = user_data;

	g_main_loop_quit(stay->loop);
}

static gboolean on_late(gpointer user_data)
{
	on_left(NULL, user_data);
	return G_SOURCE_REMOVE;
}

/* A supervisor that somebody has stopped cannot do what it is asked for. */
static gboolean on_key(HvrEscapeAction action, gpointer user_data)
{
	Stay *stay = user_data;

	if (action != HVR_ESCAPE_HELP)
		kill(stay->front->supervisor.pid, SIGCONT);
	if (action == HVR_ESCAPE_LEAVE) {
		stay->leaves = TRUE;
		hvr_keys_leave(stay->keys, on_left, stay);
		g_timeout_add(LEAVE_MS, on_late, stay);
	} else if (action == HVR_ESCAPE_QUIT) {
		quit(stay);
	} else {
		hvr_keys_press(stay->keys, action);
	}
	return action != HVR_ESCAPE_LEAVE;
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer user_data)
{
	const Stay *stay = user_data;
	int signal_number = hvr_interrupt_take();

	if (signal_number == 0)
		return G_SOURCE_CONTINUE;
	kill(stay->front->supervisor.pid, signal_number);
	kill(stay->front->supervisor.pid, SIGCONT); /* else one that is stopped would keep it */
	return G_SOURCE_CONTINUE;
}

static gboolean on_qemu_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	Stay *stay = user_data;

	hvr_relay_stop(stay->relay);
	return G_SOURCE_REMOVE;
}

static gboolean on_supervisor_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	Stay *stay = user_data;

	stay->leaves = FALSE;
	g_main_loop_quit(stay->loop);
	return G_SOURCE_REMOVE;
}

static void on_end(HvrRelayEnd end, gpointer user_data)
{
	const Stay *stay = user_data;

	/* An output that takes no more is no reason to end a VM, as it is none for the guest. */
	if (end == HVR_RELAY_ENDED)
		hvr_relay_stop(stay->relay);
}

static void watch(Stay *stay)
{
	g_unix_fd_add(hvr_interrupt_fd(), G_IO_IN, on_signal, stay);
	g_unix_fd_add(stay->supervisor, G_IO_IN, on_supervisor_ended, stay);
	if (stay->qemu >= 0)
		g_unix_fd_add(stay->qemu, G_IO_IN, on_qemu_ended, stay);
}

/* The terminal is put back when this returns, and all that the guest has said is on it. */
static void join(Stay *stay)
{
	/* Messages, ours and the supervisor's, are shown on the same terminal. */
	const HvrRelayStart start = { .port = stay->front->socket,
				      .input = STDIN_FILENO,
				      .output = STDOUT_FILENO,
				      .on_key = on_key,
				      .keep_output = TRUE,
				      .told = on_end,
				      .user_data = stay };

	stay->relay = hvr_relay_new(&start);
	hvr_keys_announce(stay->keys);
	watch(stay);
	g_main_loop_run(stay->loop);
	while (g_source_remove_by_user_data(stay))
		;
	hvr_relay_free(g_steal_pointer(&stay->relay));
}

/* One that was killed said nothing. */
static void tell_killed(const Stay *stay)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)stay->front->supervisor.pid, &info, WEXITED | WNOWAIT) < 0 ||
	    info.si_code == CLD_EXITED)
		return;
	GError *error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
				    "the supervisor of VM '%s' was ended by signal %d (%s)",
				    stay->vm, info.si_status, g_strsignal(info.si_status));
	hvr_error_hint(&error, "see whether the VM runs on: hailo-vm-run status %s", stay->vm);
	hvr_message_error(error);
	g_error_free(error);
}

static int finish(const Stay *stay)
{
	if (stay->leaves) {
		hvr_message("VM '%s' goes on; to come back: hailo-vm-run console %s", stay->vm,
			    stay->vm);
		return 0;
	}
	tell_killed(stay);
	return hvr_detach_wait(&stay->front->supervisor);
}

/* What a guest has said before its QEMU answered, and ended. */
static void show_rest(int socket)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (!hvr_fd_write_all(STDOUT_FILENO, bytes, (gsize)n))
			return;
}

int hvr_front_stay(HvrContext *context, HvrFront *front, const char *vm)
{
	g_auto(HvrFd) socket = front->socket;
	int status = 0;

	if (!hvr_detach_wait_ready(&front->supervisor, &status)) {
		show_rest(socket);
		return status;
	}
	hvr_context_open_runtime(context, FALSE, NULL);
	g_auto(HvrFd) supervisor = open_process(front->supervisor.pid);
	g_auto(HvrFd) qemu = open_qemu(context, vm);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(HvrKeys) keys = hvr_keys_new(context, vm, HVR_KEYS_RUN);
	Stay stay = { .front = front,
		      .vm = vm,
		      .loop = loop,
		      .keys = keys,
		      .supervisor = supervisor,
		      .qemu = qemu };

	join(&stay);
	return finish(&stay);
}
