/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lock's end is the close of its file by who took it, or the end of the QEMU that outlived them.
 *
 * Of QEMU's own descriptor nothing is expected: QEMU may close it long before it ends, and who has
 * stolen it need never close it.
 */
#include "launcher/runtime/lock-watch.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"

struct HvrLockWatch {
	const HvrHost *host;
	int runtime;
	int inotify;
};

/* What is polled: these first, then a pidfd for each QEMU. */
enum { POLL_LOCKS, POLL_INTERRUPT, POLL_QEMUS };

HvrLockWatch *hvr_lock_watch_new(const HvrHost *host, int runtime, GError **error)
{
	g_auto(HvrFd) dir = hvr_runtime_open_folder(runtime, "locks", error);
	if (dir < 0)
		return NULL;

	g_autofree char *by_fd = hvr_fd_path(dir, NULL);
	g_auto(HvrFd) inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (inotify < 0 || inotify_add_watch(inotify, by_fd, IN_CLOSE_WRITE | IN_DELETE) < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			    "cannot watch the locks: %s", g_strerror(saved));
		return NULL;
	}
	HvrLockWatch *watch = g_new(HvrLockWatch, 1);
	*watch =
		(HvrLockWatch){ .host = host, .runtime = runtime, .inotify = g_steal_fd(&inotify) };
	return watch;
}

void hvr_lock_watch_free(HvrLockWatch *watch)
{
	if (!watch)
		return;
	hvr_fd_close(watch->inotify);
	g_free(watch);
}

/* Reads what has happened. TRUE when one of @names is in it. */
static gboolean take_events(int inotify, const GPtrArray *names)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	gboolean found = FALSE;
	ssize_t n;

	while ((n = read(inotify, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);
			for (guint i = 0; event->len && i < names->len; i++)
				found = found ||
					g_str_equal(event->name, g_ptr_array_index(names, i));
			found = found || (event->mask & IN_Q_OVERFLOW);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return found;
}

static void add_poll(GArray *polls, int fd)
{
	const struct pollfd one = { .fd = fd, .events = POLLIN };

	g_array_append_val(polls, one);
}

/* The end of each QEMU that alone keeps one of @names. FALSE: one has ended already.
 * Who looks at its name after the pidfd was opened knows that it is no later process's. */
static gboolean add_qemus(const HvrLockWatch *watch, const GPtrArray *names, GArray *polls)
{
	for (guint i = 0; i < names->len; i++) {
		g_auto(HvrLockHolder) holder = { 0 };
		HvrLockState state = hvr_lock_look(watch->host, watch->runtime,
						   g_ptr_array_index(names, i), &holder);
		if (state == HVR_LOCK_LEFT)
			return FALSE;
		if (state != HVR_LOCK_QEMUS || holder.qemu.pid == 0)
			continue;
		int pidfd = (int)syscall(SYS_pidfd_open, holder.qemu.pid, 0);
		if (pidfd < 0)
			return FALSE;
		add_poll(polls, pidfd);
		if (!hvr_process_alive(watch->host, &holder.qemu))
			return FALSE;
	}
	return TRUE;
}

static gboolean has_ended(const GArray *polls)
{
	for (guint i = POLL_QEMUS; i < polls->len; i++)
		if (g_array_index(polls, struct pollfd, i).revents)
			return TRUE;
	return FALSE;
}

static gboolean wait_for_any(const HvrLockWatch *watch, const GPtrArray *names, GArray *polls,
			     gint64 deadline_us)
{
	struct pollfd *first = (struct pollfd *)(void *)polls->data;

	for (;;) {
		int timeout_ms = -1;
		if (deadline_us != 0) {
			gint64 left_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;
			timeout_ms = (int)CLAMP(left_ms, 0, G_MAXINT);
		}
		int ready = poll(first, polls->len, timeout_ms);
		if (ready > 0 && first[POLL_INTERRUPT].revents)
			return FALSE;
		if (ready > 0 && (take_events(watch->inotify, names) || has_ended(polls)))
			return TRUE;
		if (ready == 0 || (ready < 0 && errno != EINTR))
			return FALSE;
	}
}

gboolean hvr_lock_watch_wait(HvrLockWatch *watch, const GPtrArray *names, gint64 deadline_us)
{
	g_autoptr(GArray) polls = g_array_new(FALSE, FALSE, sizeof(struct pollfd));

	add_poll(polls, watch->inotify);
	add_poll(polls, hvr_interrupt_fd());
	gboolean free = !add_qemus(watch, names, polls);
	if (!free)
		free = wait_for_any(watch, names, polls, deadline_us);
	for (guint i = POLL_QEMUS; i < polls->len; i++)
		hvr_fd_close(g_array_index(polls, struct pollfd, i).fd);
	return free;
}
