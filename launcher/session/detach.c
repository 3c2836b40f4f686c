/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process asks, another supervises. The first one learns of the moment by a pipe: a byte is the
 * good news, its end without one the bad, and then the exit status has the reason.
 */
#include "launcher/session/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

static int fail(const char *what, GError **error)
{
	int saved = errno;

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL, "cannot %s: %s", what,
		    g_strerror(saved));
	return -1;
}

int hvr_detach_fork(const HvrContext *context, gboolean with_parent, HvrDetached *out_child,
		    int *out_ready_fd, GError **error)
{
	int ready[2];
	pid_t parent = getpid();

	if (pipe2(ready, O_CLOEXEC) < 0)
		return fail("make a pipe", error);
	g_auto(HvrFd) reader = ready[0];
	g_auto(HvrFd) writer = ready[1];
	pid_t pid = fork();
	if (pid < 0)
		return fail("fork", error);
	if (pid > 0) {
		*out_child = (HvrDetached){ .pid = pid, .ready_fd = g_steal_fd(&reader) };
		return 1;
	}
	if (with_parent)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (with_parent && getppid() != parent)
		_exit(70);
	setsid();
	g_auto(HvrFd) null = hvr_open_beneath(context->host.dev, "null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	*out_ready_fd = g_steal_fd(&writer);
	return 0;
}

int hvr_detach_wait(const HvrDetached *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + WTERMSIG(status);
}

/* What poll(2) takes. */
static int left_ms(const HvrDetached *child)
{
	gint64 left_us = child->deadline_us - g_get_monotonic_time();

	if (!child->deadline_us)
		return -1;
	return (int)CLAMP(left_us / 1000 + 1, 0, G_MAXINT);
}

static gboolean is_late(const HvrDetached *child)
{
	return child->deadline_us && g_get_monotonic_time() >= child->deadline_us;
}

gboolean hvr_detach_wait_ready(HvrDetached *child, int *out_status)
{
	struct pollfd fds[] = { { .fd = child->ready_fd, .events = POLLIN },
				{ .fd = hvr_interrupt_fd(), .events = POLLIN } };
	char ready = 0;

	while (!(fds[0].revents & (POLLIN | POLLHUP))) {
		if (poll(fds, G_N_ELEMENTS(fds), left_ms(child)) < 0 && errno != EINTR)
			break;
		child->late = !(fds[0].revents & (POLLIN | POLLHUP)) && is_late(child);
		if (child->late)
			return FALSE;
		/* Behind that a signal is for whoever uses the VM: the supervisor would end it. */
		if (fds[0].revents)
			break;
		int signal_number = hvr_interrupt_take();
		if (signal_number) {
			kill(child->pid, signal_number);
			hvr_interrupt_note(signal_number);
		}
	}
	gboolean well = read(child->ready_fd, &ready, 1) == 1;
	hvr_fd_close(g_steal_fd(&child->ready_fd));
	if (!well)
		*out_status = hvr_detach_wait(child);
	return well;
}
