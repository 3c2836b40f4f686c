/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks that a killed supervisor leaves with QEMU, and that tell who has them.
 *
 * Taking: open read-only, flock, and check that the name still leads to the file that was locked
 * (it may have been removed by the last holder in between). Only then open it writable, and write
 * who holds it.
 */
#include "launcher/runtime/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/sysfs.h"

struct HvrLock {
	char *name;
	int dir;
	int fd;	    /* flocked; the lower number, so that it is closed first */
	int marker; /* open for writing: its last close is the event that waiters hear */
};

#define HOLDER_GROUP "holder"
/* How long a new holder may take to write its name down. */
#define NAMING_TRIES	100
#define NAMING_PAUSE_US 1000

char *hvr_lock_name_group(int group)
{
	return g_strdup_printf("group-%d", group);
}

char *hvr_lock_name_vm(const char *vm)
{
	return g_strconcat("vm-", vm, NULL);
}

static HvrLock *lock_new(const char *name, int dir, int fd, int marker)
{
	HvrLock *lock = g_new(HvrLock, 1);

	*lock = (HvrLock){ .name = g_strdup(name), .dir = dir, .fd = fd, .marker = marker };
	return lock;
}

void hvr_lock_leave(HvrLock *lock)
{
	if (!lock)
		return;
	hvr_fd_close(lock->fd);
	hvr_fd_close(lock->marker);
	hvr_fd_close(lock->dir);
	g_free(lock->name);
	g_free(lock);
}

void hvr_lock_release(HvrLock *lock)
{
	if (!lock)
		return;
	g_debug("lock '%s' given up", lock->name);
	/* Removed while it is still held: whoever opened it before sees that it is not the one. */
	unlinkat(lock->dir, lock->name, 0);
	flock(lock->fd, LOCK_UN);
	hvr_lock_leave(lock);
}

void hvr_lock_fds(const HvrLock *lock, int out_fds[2])
{
	out_fds[0] = lock->fd;
	out_fds[1] = lock->marker;
}

gboolean hvr_lock_say(HvrLock *lock, GKeyFile *extra, GError **error)
{
	g_autofree char *text = g_key_file_to_data(extra, NULL, NULL);
	off_t end = lseek(lock->marker, 0, SEEK_END);

	if (end >= 0 && pwrite(lock->marker, text, strlen(text), end) >= 0)
		return TRUE;
	int saved = errno;
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
		    "cannot write the lock '%s': %s", lock->name, g_strerror(saved));
	return FALSE;
}

const char *hvr_lock_name(const HvrLock *lock)
{
	return lock->name;
}

HvrLock *hvr_lock_find(const GPtrArray *locks, const char *name)
{
	for (guint i = 0; i < locks->len; i++) {
		HvrLock *lock = g_ptr_array_index(locks, i);
		if (g_str_equal(lock->name, name))
			return lock;
	}
	return NULL;
}

void hvr_lock_holder_clear(HvrLockHolder *holder)
{
	g_clear_pointer(&holder->vm, g_free);
}

static void write_holder(const HvrHost *host, int marker, const char *vm)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	HvrProcess self = hvr_process_of(host, getpid());

	if (vm)
		g_key_file_set_string(file, HOLDER_GROUP, "vm", vm);
	g_key_file_set_int64(file, HOLDER_GROUP, "pid", self.pid);
	g_key_file_set_uint64(file, HOLDER_GROUP, "start_time", self.start_time);
	g_key_file_set_int64(file, HOLDER_GROUP, "since", g_get_real_time() / G_USEC_PER_SEC);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	if (ftruncate(marker, 0) < 0 || pwrite(marker, text, strlen(text), 0) < 0)
		g_debug("cannot say who holds a lock: %s", g_strerror(errno));
}

static void read_holder(int dir, const char *name, HvrLockHolder *out_holder)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = hvr_sysfs_read(dir, name, NULL);

	*out_holder = (HvrLockHolder){ 0 };
	if (!text || !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return;
	out_holder->vm = g_key_file_get_string(file, HOLDER_GROUP, "vm", NULL);
	out_holder->pid.pid = (pid_t)g_key_file_get_int64(file, HOLDER_GROUP, "pid", NULL);
	out_holder->pid.start_time = g_key_file_get_uint64(file, HOLDER_GROUP, "start_time", NULL);
	out_holder->since = g_key_file_get_int64(file, HOLDER_GROUP, "since", NULL);
}

static void set_busy(const HvrLockHolder *holder, GError **error)
{
	g_autoptr(GDateTime) since = g_date_time_new_from_unix_local(holder->since);
	g_autoptr(GString) who = g_string_new("another command");

	if (holder->vm)
		g_string_printf(who, "VM '%s'", holder->vm);
	if (holder->pid.pid)
		g_string_append_printf(who, ", pid %d, since ", (int)holder->pid.pid);
	if (holder->pid.pid && since && holder->since) {
		g_autofree char *when = g_date_time_format(since, "%F %T");
		g_string_append(who, when);
	} else if (holder->pid.pid) {
		g_string_append(who, "an unknown time");
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "in use by %s", who->str);
}

static gboolean same_file(int fd, int dir, const char *name)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

/* Returns a locked descriptor; -1 with errno, EWOULDBLOCK when somebody has it. */
static int open_locked(int dir, const char *name)
{
	for (;;) {
		g_auto(HvrFd) fd =
			openat(dir, name, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -1;
		if (same_file(fd, dir, name))
			return g_steal_fd(&fd);
	}
}

/*
 * The same, or -1 with who has it. Between the flock and the writing of who it is there is a
 * moment in which nobody can be named: it is waited for, and the lock may be free after it.
 */
static int open_locked_or_holder(int dir, const char *name, HvrLockHolder *out_holder)
{
	for (guint i = 0; i < NAMING_TRIES; i++) {
		int fd = open_locked(dir, name);
		if (fd >= 0 || errno != EWOULDBLOCK)
			return fd;
		read_holder(dir, name, out_holder);
		if (out_holder->pid.pid)
			break;
		hvr_lock_holder_clear(out_holder);
		g_usleep(NAMING_PAUSE_US);
	}
	errno = EWOULDBLOCK;
	return -1;
}

HvrLock *hvr_lock_try(const HvrHost *host, int runtime, const char *name, const char *vm,
		      GError **error)
{
	g_auto(HvrFd) dir = hvr_runtime_open_folder(runtime, "locks", error);
	if (dir < 0)
		return NULL;

	g_auto(HvrLockHolder) holder = { 0 };
	g_auto(HvrFd) fd = open_locked_or_holder(dir, name, &holder);
	if (fd < 0 && errno == EWOULDBLOCK) {
		set_busy(&holder, error);
		return NULL;
	}
	g_auto(HvrFd) marker = -1;
	if (fd >= 0)
		marker = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (marker < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot lock '%s': %s",
			    name, g_strerror(saved));
		return NULL;
	}
	write_holder(host, marker, vm);
	g_debug("lock '%s' taken", name);
	return lock_new(name, g_steal_fd(&dir), g_steal_fd(&fd), g_steal_fd(&marker));
}

gboolean hvr_lock_holder(const HvrHost *host, int runtime, const char *name,
			 HvrLockHolder *out_holder)
{
	g_auto(HvrFd) dir = hvr_open_beneath(runtime, "locks", O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return FALSE;

	g_auto(HvrFd) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	/* Shared: two that only ask do not look like holders to each other. */
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return FALSE;
	read_holder(dir, name, out_holder);
	return TRUE;
}

void hvr_lock_sweep(int runtime)
{
	g_autoptr(GPtrArray) names = hvr_sysfs_list(runtime, "locks");
	g_auto(HvrFd) dir = hvr_open_beneath(runtime, "locks", O_RDONLY | O_DIRECTORY);

	for (guint i = 0; dir >= 0 && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_auto(HvrFd) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && same_file(fd, dir, name))
			unlinkat(dir, name, 0);
	}
}

/* The descriptor of @pid that is open on the very file @wanted, writable or not; -1: none. */
static int find_fd(const HvrHost *host, pid_t pid, const struct stat *wanted, gboolean writable)
{
	g_autofree char *folder = g_strdup_printf("%d/fd", (int)pid);
	g_autoptr(GPtrArray) names = hvr_sysfs_list(host->proc, folder);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strconcat(folder, "/", name, NULL);
		struct stat there, link;
		if (fstatat(host->proc, path, &there, 0) == 0 && there.st_ino == wanted->st_ino &&
		    there.st_dev == wanted->st_dev &&
		    fstatat(host->proc, path, &link, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !!(link.st_mode & S_IWUSR) == writable)
			return (int)strtol(name, NULL, 10);
	}
	return -1;
}

static int duplicate_from(const HvrHost *host, pid_t pid, int dir, const char *name,
			  gboolean writable)
{
	struct stat wanted;
	g_auto(HvrFd) pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 || fstatat(dir, name, &wanted, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	int theirs = find_fd(host, pid, &wanted, writable);
	if (theirs < 0) {
		errno = ESRCH;
		return -1;
	}
	return (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
}

HvrLock *hvr_lock_steal_from(const HvrHost *host, int runtime, const char *name, pid_t pid,
			     GError **error)
{
	g_auto(HvrFd) dir = hvr_runtime_open_folder(runtime, "locks", error);
	if (dir < 0)
		return NULL;

	g_auto(HvrFd) fd = duplicate_from(host, pid, dir, name, FALSE);
	g_auto(HvrFd) marker = -1;
	if (fd >= 0)
		marker = duplicate_from(host, pid, dir, name, TRUE);
	if (marker < 0) {
		int saved = errno;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "cannot share the lock '%s' of process %d: %s", name, (int)pid,
			    g_strerror(saved));
		return NULL;
	}
	g_debug("lock '%s' shared with process %d", name, (int)pid);
	return lock_new(name, g_steal_fd(&dir), g_steal_fd(&fd), g_steal_fd(&marker));
}

int hvr_lock_watch_new(int runtime, GError **error)
{
	g_auto(HvrFd) dir = hvr_runtime_open_folder(runtime, "locks", error);
	if (dir < 0)
		return -1;

	g_autofree char *by_fd = hvr_fd_path(dir, NULL);
	g_auto(HvrFd) watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, by_fd, IN_CLOSE_WRITE | IN_DELETE) < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			    "cannot watch the locks: %s", g_strerror(saved));
		return -1;
	}
	return g_steal_fd(&watch);
}

/* Reads what has happened. TRUE when one of @names is in it. */
static gboolean take_events(int watch, const GPtrArray *names)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	gboolean found = FALSE;
	ssize_t n;

	while ((n = read(watch, buffer, sizeof(buffer))) > 0)
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

gboolean hvr_lock_watch_wait(int watch, const GPtrArray *names, gint64 deadline_us)
{
	for (;;) {
		int timeout_ms = -1;
		struct pollfd pollers[] = { { .fd = watch, .events = POLLIN },
					    { .fd = hvr_interrupt_fd(), .events = POLLIN } };
		if (deadline_us != 0) {
			gint64 left_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;
			timeout_ms = (int)CLAMP(left_ms, 0, G_MAXINT);
		}
		int ready = poll(pollers, G_N_ELEMENTS(pollers), timeout_ms);
		if (ready > 0 && pollers[1].revents)
			return FALSE;
		if (ready > 0 && take_events(watch, names))
			return TRUE;
		if (ready == 0 || (ready < 0 && errno != EINTR))
			return FALSE;
	}
}
