/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks that outlive a killed supervisor with its QEMU, and that tell who has them.
 *
 * Taking: see that no QEMU keeps it, open read-only, flock, and check that the name still leads to
 * the file that was locked (it may have been removed by the last holder in between), and that no
 * QEMU was named since. Only then open it writable, and write who holds it.
 *
 * The text is written in one go and never shortened, so whoever is killed meanwhile leaves the old
 * one or the new one, and QEMU's name is in both.
 */
#include "launcher/runtime/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

struct HvrLock {
	char *name;
	int dir;
	int fd;	    /* flocked; the lower number, so that it is closed first */
	int marker; /* open for writing: its last close is the event that waiters hear */
};

#define GROUP_PREFIX "group-"
#define QEMU_SUFFIX  ".qemu" /* of the file that QEMU has a descriptor of */
#define HOLDER_GROUP "holder"
#define QEMU_GROUP   "qemu"
/* hvr_tree_read() takes no more; what is longer is none of ours. */
#define TEXT_MAX 4096
/* How long a new holder may take to write its name down. */
#define NAMING_TRIES	100
#define NAMING_PAUSE_US 1000

char *hvr_lock_name_group(int group)
{
	return g_strdup_printf(GROUP_PREFIX "%d", group);
}

char *hvr_lock_name_vm(const char *vm)
{
	return g_strconcat("vm-", vm, NULL);
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

/* Nobody's descriptor of it counts any more. The caller has the lock. */
static void remove_qemu_file(int dir, const char *name)
{
	g_autofree char *theirs = g_strconcat(name, QEMU_SUFFIX, NULL);

	unlinkat(dir, theirs, 0);
}

void hvr_lock_release(HvrLock *lock)
{
	if (!lock)
		return;
	g_debug("lock '%s' given up", lock->name);
	remove_qemu_file(lock->dir, lock->name);
	/* Removed while it is still held: whoever opened it before sees that it is not the one. */
	unlinkat(lock->dir, lock->name, 0);
	flock(lock->fd, LOCK_UN);
	hvr_lock_leave(lock);
}

static void set_process(GKeyFile *file, const char *group, const HvrProcess *process)
{
	g_key_file_set_int64(file, group, "pid", process->pid);
	g_key_file_set_uint64(file, group, "start_time", process->start_time);
}

static void get_process(GKeyFile *file, const char *group, HvrProcess *out_process)
{
	out_process->pid = (pid_t)g_key_file_get_int64(file, group, "pid", NULL);
	out_process->start_time = g_key_file_get_uint64(file, group, "start_time", NULL);
}

gboolean hvr_lock_is_of_group(const HvrLock *lock)
{
	return g_str_has_prefix(lock->name, GROUP_PREFIX);
}

int hvr_lock_open_for_qemu(const HvrLock *lock, GError **error)
{
	g_autofree char *name = g_strconcat(lock->name, QEMU_SUFFIX, NULL);
	int locked = -1;

	unlinkat(lock->dir, name, 0);
	g_auto(HvrFd) fd =
		openat(lock->dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* The file is new: at most somebody who looks has it for a moment. */
	if (fd >= 0) {
		do
			locked = flock(fd, LOCK_EX);
		while (locked < 0 && errno == EINTR);
	}
	if (locked == 0)
		return g_steal_fd(&fd);
	int saved = errno;
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
		    "cannot make the lock '%s': %s", name, g_strerror(saved));
	return -1;
}

gboolean hvr_lock_name_qemu(HvrLock *lock, const HvrProcess *qemu, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	/* Who cannot be found in /proc cannot be asked after there either. */
	if (qemu->pid == 0)
		return TRUE;
	set_process(file, QEMU_GROUP, qemu);
	return hvr_lock_say(lock, file, error);
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
	errno = saved;
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

/* Opens the file that has been flocked, and says whose it is. Returns: the marker, or -1.
 * @qemu: (nullable): who is named beside us */
static int write_holder(const HvrHost *host, const HvrLock *lock, const char *vm,
			const HvrProcess *qemu)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	HvrProcess self = hvr_process_of(host, getpid());
	int marker = openat(lock->dir, lock->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat old;

	if (marker < 0 || fstat(marker, &old) < 0)
		return marker;
	if (vm)
		g_key_file_set_string(file, HOLDER_GROUP, "vm", vm);
	set_process(file, HOLDER_GROUP, &self);
	g_key_file_set_int64(file, HOLDER_GROUP, "since", g_get_real_time() / G_USEC_PER_SEC);
	if (qemu)
		set_process(file, QEMU_GROUP, qemu);
	g_autofree char *words = g_key_file_to_data(file, NULL, NULL);
	g_autoptr(GString) text = g_string_new(words);
	while (text->len < TEXT_MAX && text->len < (gsize)old.st_size)
		g_string_append_c(text, '\n');
	if (pwrite(marker, text->str, text->len, 0) < 0 || ftruncate(marker, (off_t)text->len) < 0)
		g_debug("cannot say who holds a lock: %s", g_strerror(errno));
	g_debug("lock '%s' taken", lock->name);
	return marker;
}

static void read_holder(int dir, const char *name, HvrLockHolder *out_holder)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = hvr_tree_read(dir, name, NULL);

	*out_holder = (HvrLockHolder){ 0 };
	if (!text || !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return;
	out_holder->vm = g_key_file_get_string(file, HOLDER_GROUP, "vm", NULL);
	get_process(file, HOLDER_GROUP, &out_holder->pid);
	get_process(file, QEMU_GROUP, &out_holder->qemu);
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
 * moment in which nobody can be named, and what a dead holder has written still stands there; or
 * somebody only looks. That is waited for, and the lock may be free after it.
 */
static int open_locked_or_holder(const HvrHost *host, int dir, const char *name,
				 HvrLockHolder *out_holder)
{
	for (guint i = 0; i < NAMING_TRIES; i++) {
		int fd = open_locked(dir, name);
		if (fd >= 0 || errno != EWOULDBLOCK)
			return fd;
		hvr_lock_holder_clear(out_holder);
		read_holder(dir, name, out_holder);
		if (hvr_process_alive(host, &out_holder->pid))
			break;
		g_usleep(NAMING_PAUSE_US);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/* Shared: two that only ask do not look like holders to each other. */
static gboolean is_flocked(int dir, const char *name)
{
	g_auto(HvrFd) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/*
 * Does a QEMU keep the lock, whoever else has it? Its name decides: it can give up its own flock
 * and live on, and somebody may have stolen that flock and outlive it. Only where nobody could be
 * named does the flock count.
 */
static gboolean is_qemus(const HvrHost *host, int dir, const char *name,
			 const HvrLockHolder *holder)
{
	if (holder->qemu.pid)
		return hvr_process_alive(host, &holder->qemu);
	g_autofree char *theirs = g_strconcat(name, QEMU_SUFFIX, NULL);
	return is_flocked(dir, theirs);
}

static void name_who_lives(const HvrHost *host, HvrLockHolder *holder)
{
	if (!hvr_process_alive(host, &holder->pid) && hvr_process_alive(host, &holder->qemu))
		holder->pid = holder->qemu;
}

/* Returns the flocked descriptor of a lock that nobody has; -1 as open_locked_or_holder(). */
static int open_free(const HvrHost *host, int dir, const char *name, HvrLockHolder *out_holder)
{
	/* Asked first, too: then nobody who stands in for its supervisor is kept from the flock. */
	read_holder(dir, name, out_holder);
	if (!is_qemus(host, dir, name, out_holder)) {
		hvr_lock_holder_clear(out_holder);
		g_auto(HvrFd) fd = open_locked_or_holder(host, dir, name, out_holder);
		if (fd < 0)
			return -1;
		hvr_lock_holder_clear(out_holder);
		read_holder(dir, name, out_holder);
		if (!is_qemus(host, dir, name, out_holder))
			return g_steal_fd(&fd);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/* Of the file @name, which is not locked yet. */
static HvrLock *lock_new(int runtime, const char *name, GError **error)
{
	int dir = hvr_runtime_open_folder(runtime, "locks", error);

	if (dir < 0)
		return NULL;
	HvrLock *lock = g_new(HvrLock, 1);
	*lock = (HvrLock){ .name = g_strdup(name), .dir = dir, .fd = -1, .marker = -1 };
	return lock;
}

/* By errno. */
static HvrLock *refuse(const HvrHost *host, HvrLock *lock, HvrLockHolder *holder, GError **error)
{
	int saved = errno;

	if (saved == EWOULDBLOCK) {
		name_who_lives(host, holder);
		set_busy(holder, error);
	} else {
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "cannot lock '%s': %s", lock->name, g_strerror(saved));
	}
	hvr_lock_leave(lock);
	return NULL;
}

HvrLock *hvr_lock_try(const HvrHost *host, int runtime, const char *name, const char *vm,
		      GError **error)
{
	g_auto(HvrLockHolder) holder = { 0 };
	HvrLock *lock = lock_new(runtime, name, error);

	if (!lock)
		return NULL;
	lock->fd = open_free(host, lock->dir, name, &holder);
	if (lock->fd >= 0) {
		/* What a dead QEMU had, whoever has stolen it since. */
		remove_qemu_file(lock->dir, name);
		lock->marker = write_holder(host, lock, vm, NULL);
	}
	if (lock->marker < 0)
		return refuse(host, lock, &holder, error);
	return lock;
}

void hvr_lock_adopt(const HvrHost *host, HvrLock *lock, const char *vm)
{
	int marker = write_holder(host, lock, vm, NULL);

	if (marker < 0)
		return;
	hvr_fd_close(lock->marker);
	lock->marker = marker;
}

/* As open_free(), but @qemu may keep it. */
static int open_of_qemu(const HvrHost *host, int dir, const char *name, const HvrProcess *qemu,
			HvrLockHolder *out_holder)
{
	g_auto(HvrFd) fd = open_locked_or_holder(host, dir, name, out_holder);

	if (fd < 0)
		return -1;
	hvr_lock_holder_clear(out_holder);
	read_holder(dir, name, out_holder);
	gboolean others = out_holder->qemu.pid != qemu->pid ||
			  out_holder->qemu.start_time != qemu->start_time;
	if (!others || !hvr_process_alive(host, &out_holder->qemu))
		return g_steal_fd(&fd);
	errno = EWOULDBLOCK;
	return -1;
}

HvrLock *hvr_lock_stand_in(const HvrContext *context, const char *name, const HvrVm *vm,
			   GError **error)
{
	const HvrHost *host = &context->host;
	g_auto(HvrLockHolder) holder = { 0 };
	HvrLock *lock = lock_new(context->runtime, name, error);

	if (!lock)
		return NULL;
	lock->fd = open_of_qemu(host, lock->dir, name, &vm->qemu, &holder);
	if (lock->fd >= 0)
		lock->marker = write_holder(host, lock, vm->name, &vm->qemu);
	if (lock->marker < 0)
		return refuse(host, lock, &holder, error);
	return lock;
}

HvrLockState hvr_lock_look(const HvrHost *host, int runtime, const char *name,
			   HvrLockHolder *out_holder)
{
	g_auto(HvrFd) dir = hvr_open_beneath(runtime, "locks", O_RDONLY | O_DIRECTORY);

	*out_holder = (HvrLockHolder){ 0 };
	if (dir < 0)
		return HVR_LOCK_FREE;
	gboolean flocked = is_flocked(dir, name);
	read_holder(dir, name, out_holder);
	gboolean qemus = is_qemus(host, dir, name, out_holder);
	name_who_lives(host, out_holder);
	if (flocked)
		return HVR_LOCK_HELD;
	if (qemus)
		return HVR_LOCK_QEMUS;
	return out_holder->qemu.pid ? HVR_LOCK_LEFT : HVR_LOCK_FREE;
}

gboolean hvr_lock_holder(const HvrHost *host, int runtime, const char *name,
			 HvrLockHolder *out_holder)
{
	HvrLockState state = hvr_lock_look(host, runtime, name, out_holder);

	return state == HVR_LOCK_HELD || state == HVR_LOCK_QEMUS;
}

void hvr_lock_sweep(const HvrHost *host, int runtime)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(runtime, "locks");
	g_auto(HvrFd) dir = hvr_open_beneath(runtime, "locks", O_RDONLY | O_DIRECTORY);

	for (guint i = 0; dir >= 0 && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_auto(HvrLockHolder) holder = { 0 };
		/* It goes with the lock that it belongs to. */
		if (g_str_has_suffix(name, QEMU_SUFFIX))
			continue;
		g_auto(HvrFd) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !same_file(fd, dir, name))
			continue;
		read_holder(dir, name, &holder);
		if (is_qemus(host, dir, name, &holder))
			continue;
		remove_qemu_file(dir, name);
		unlinkat(dir, name, 0);
	}
}
