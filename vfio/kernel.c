/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real kernel behind HvrKernel.
 *
 * A write to unbind, bind or drivers_probe runs the driver's code in the writer's context and may
 * hang for as long as the driver likes, uninterruptibly. So every write is made by a child that
 * does nothing else: the parent waits for it on a pidfd with a deadline, and a child that the
 * kernel does not let go is named and left behind. Meanwhile the device's lock is held, and whoever
 * reads an attribute that is shown under it hangs too; that is read by such a child as well.
 * Between fork and _exit the child only calls what is async-signal-safe, with all signals blocked:
 * a Ctrl-C must not cut a write in two.
 */
#include "vfio/host.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/module.h"
#include "vfio/tree.h"

/* What a child does to one attribute. */
typedef struct {
	int dir; /* @path is relative to it */
	const char *path;
	const char *value; /* what is written; NULL: it is read, and goes into @out */
	int out;
} Attribute;

/* In the child. One page is all that the kernel gives of an attribute, and all that a pipe takes at
 * once. Returns: 0 or errno */
static int do_attribute(const Attribute *attribute)
{
	HvrFd fd = hvr_open_beneath(attribute->dir, attribute->path,
				    attribute->value ? O_WRONLY : O_RDONLY);
	char page[4096];
	ssize_t length = -1;

	if (fd >= 0 && attribute->value)
		length = write(fd, attribute->value, strlen(attribute->value));
	else if (fd >= 0)
		length = read(fd, page, sizeof(page));
	if (length >= 0 && !attribute->value)
		length = write(attribute->out, page, (size_t)length);
	if (length < 0)
		return errno;
	return 0;
}

/* Returns the child's pid, or -1 with errno. */
static pid_t fork_child(const Attribute *attribute)
{
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = fork();
	if (pid == 0)
		_exit(do_attribute(attribute));
	int saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

/* TRUE when the child has ended before the deadline. */
static gboolean wait_until(int pidfd, guint timeout_ms)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	for (;;) {
		gint64 left_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;
		struct pollfd poller = { .fd = pidfd, .events = POLLIN };
		int ready = poll(&poller, 1, (int)MAX(left_ms, 0));
		if (ready >= 0)
			return ready > 0;
		if (errno != EINTR)
			return FALSE;
	}
}

static void set_stuck_error(const HvrHost *host, pid_t pid, const Attribute *attribute,
			    guint timeout_ms, GError **error)
{
	g_autofree char *stack_path = g_strdup_printf("%d/stack", (int)pid);
	g_autofree char *stack = hvr_tree_read(host->proc, stack_path, NULL);
	const char *where = "not readable";
	const char *what = "the kernel did not finish reading";

	if (stack && *stack)
		where = g_strdelimit(g_strstrip(stack), "\n", ' ');
	if (attribute->value)
		what = "the kernel did not finish writing";
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT,
		    "%s %s within %g s; process %d is left in it, kernel stack: %s", what,
		    attribute->path, timeout_ms / 1000.0, (int)pid, where);
}

static void set_attribute_error(int saved, GError **error)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "%s", g_strerror(saved));
}

static gboolean on_let_go(gint pidfd, GIOCondition condition, gpointer data)
{
	waitpid(GPOINTER_TO_INT(data), NULL, WNOHANG);
	hvr_fd_close(pidfd);
	return G_SOURCE_REMOVE;
}

static void tell_slow(const HvrHost *host, const Attribute *attribute, guint passed_ms,
		      guint timeout_ms)
{
	g_autofree char *text = NULL;

	if (!host->tell)
		return;
	if (g_str_has_suffix(attribute->path, "/bind"))
		text = g_strdup_printf("%s: still in the driver's probe after %.3g s; waiting for "
				       "up to %.3g s",
				       attribute->value, passed_ms / 1000.0, timeout_ms / 1000.0);
	else
		text = g_strdup_printf("%s: not finished after %.3g s; waiting for up to %.3g s",
				       attribute->path, passed_ms / 1000.0, timeout_ms / 1000.0);
	host->tell(text);
}

/* TRUE when the child has ended before the deadline. */
static gboolean wait_for_child(const HvrHost *host, int pidfd, const Attribute *attribute,
			       guint timeout_ms)
{
	guint usual_ms = hvr_host_timeout_ms(host);

	if (timeout_ms <= usual_ms)
		return wait_until(pidfd, timeout_ms);
	if (wait_until(pidfd, usual_ms))
		return TRUE;
	tell_slow(host, attribute, usual_ms, timeout_ms);
	return wait_until(pidfd, timeout_ms - usual_ms);
}

static gboolean run_child(const HvrHost *host, const Attribute *attribute, guint timeout_ms,
			  GError **error)
{
	pid_t pid = fork_child(attribute);
	if (pid < 0) {
		set_attribute_error(errno, error);
		return FALSE;
	}

	g_auto(HvrFd) pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0 && !wait_for_child(host, pidfd, attribute, timeout_ms)) {
		set_stuck_error(host, pid, attribute, timeout_ms, error);
		/* A child in the kernel's hands ends when that lets go of it: a process that lives
		 * on, with a main loop, takes its status then. */
		kill(pid, SIGKILL);
		g_unix_fd_add(g_steal_fd(&pidfd), G_IO_IN, on_let_go, GINT_TO_POINTER(pid));
		return FALSE;
	}

	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			set_attribute_error(errno, error);
			return FALSE;
		}
	if (!WIFEXITED(status))
		set_attribute_error(EINTR, error);
	else if (WEXITSTATUS(status) != 0)
		set_attribute_error(WEXITSTATUS(status), error);
	else
		return TRUE;
	return FALSE;
}

static gboolean linux_write(const HvrHost *host, const char *path, const char *value,
			    guint timeout_ms, GError **error)
{
	const Attribute attribute = { .dir = host->sys, .path = path, .value = value, .out = -1 };

	return run_child(host, &attribute, timeout_ms, error);
}

static char *linux_read(const HvrHost *host, int dirfd, const char *path, guint timeout_ms,
			GError **error)
{
	char page[4096 + 1];
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) {
		set_attribute_error(errno, error);
		return NULL;
	}
	g_auto(HvrFd) reader = pipes[0];
	g_auto(HvrFd) writer = pipes[1];
	const Attribute attribute = { .dir = dirfd, .path = path, .out = writer };

	if (!run_child(host, &attribute, timeout_ms, error))
		return NULL;
	ssize_t length = read(reader, page, sizeof(page) - 1);
	return g_strndup(page, (gsize)MAX(length, 0));
}

static gboolean linux_container_check(const HvrHost *host, GError **error)
{
	g_auto(HvrFd) fd = hvr_open_beneath(host->dev, "vfio/vfio", O_RDWR);
	if (fd < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			    "cannot open the VFIO container node vfio/vfio: %s", g_strerror(saved));
		return FALSE;
	}
	if (ioctl(fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_IOMMU,
			    "this kernel's VFIO offers no type 1 v2 IOMMU");
		return FALSE;
	}
	return TRUE;
}

const HvrKernel hvr_kernel_linux = {
	.write = linux_write,
	.read = linux_read,
	.find_module = hvr_module_find,
	.load_module = hvr_module_load,
	.access_status = hvr_access_status,
	.may_open = hvr_access_may_open,
	.own_access = hvr_access_own,
	.container_check = linux_container_check,
};
