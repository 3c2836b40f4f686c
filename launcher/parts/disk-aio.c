/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU makes one context for each thread that serves disks (util/async.c): of each iothread, when
 * the guest's driver begins, and of its own, by which it opens the images of all, also of those
 * that iothreads serve from then on (raw_open_common() in block/file-posix.c); that one stays. A
 * guest on QEMU 7.2 with n disks that have an iothread each has fs.aio-nr grow by 1024 * (n + 1),
 * with another disk beside them or without. A QEMU from 8.1 on that gets none goes on without a
 * word to be relied on, by threads (block/file-posix.c); an older one does not start.
 */
#include "launcher/parts/disk-aio.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* As large as QEMU's are: MAX_EVENTS in block/linux-aio.c, MAX_ENTRIES in block/io_uring.c. */
#define NATIVE_EVENTS 1024
#define URING_ENTRIES 128

/* Steps: as many contexts as QEMU will have. What is held until the last is had is in @contexts. */
typedef struct {
	HvrDiskAio aio;
	aio_context_t *contexts;
} Trial;

static int try_native(aio_context_t *context)
{
	*context = 0;
	return syscall(SYS_io_setup, NATIVE_EVENTS, context) < 0 ? errno : 0;
}

static int try_uring(void)
{
	struct io_uring_params params = { 0 };
	g_auto(HvrFd) ring = (int)syscall(SYS_io_uring_setup, URING_ENTRIES, &params);

	return ring < 0 ? errno : 0;
}

/* A HvrAsUserStep. */
static int try_one(gpointer data, guint i, int *out_fd)
{
	const Trial *trial = data;

	if (trial->aio == HVR_AIO_NATIVE)
		return try_native(&trial->contexts[i]);
	return try_uring();
}

guint hvr_disk_aio_count(const HvrProfile *profile, HvrDiskAio aio)
{
	guint own = 0, n = 0;

	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (disk->aio != aio)
			continue;
		own = 1;
		n += disk->iothread;
	}
	return own + n;
}

static const char *first_disk(const HvrProfile *profile, HvrDiskAio aio)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (disk->aio == aio)
			return disk->id;
	}
	return "";
}

static int try_all(const HvrUser *user, HvrDiskAio aio, guint n)
{
	g_autofree aio_context_t *contexts = g_new0(aio_context_t, n);
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, n);
	Trial trial = { .aio = aio, .contexts = contexts };
	const HvrAsUser how = { .user = user, .step = try_one, .data = &trial, .keep = -1 };
	int problem = 0;

	hvr_as_user(&how, results, n);
	for (guint i = 0; i < n; i++) {
		if (results[i].problem && !problem)
			problem = results[i].problem;
		/* where it was this process that made them */
		if (contexts[i])
			syscall(SYS_io_destroy, contexts[i]);
	}
	return problem;
}

static gboolean check(const HvrProfile *profile, const HvrUser *user, HvrDiskAio aio,
		      GError **error)
{
	guint n = hvr_disk_aio_count(profile, aio);
	int problem = n ? try_all(user, aio, n) : 0;

	if (!problem)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[disk %s] aio: the kernel gives user %s no %s: %s", first_disk(profile, aio),
		    user->name, aio == HVR_AIO_NATIVE ? "native AIO" : "io_uring",
		    g_strerror(problem));
	if (problem == EPERM)
		hvr_error_hint(error, "sysctl kernel.io_uring_disabled forbids it, or the "
				      "container that this runs in: set aio = threads");
	else if (problem == EAGAIN)
		hvr_error_hint(error, "all of sysctl fs.aio-max-nr is in use: raise that, or set "
				      "aio = threads");
	else
		hvr_error_hint(error, "set aio = threads");
	return FALSE;
}

gboolean hvr_disk_aio_check(const HvrContext *context, const HvrProfile *profile,
			    const HvrParts *parts, GError **error)
{
	return check(profile, parts->user, HVR_AIO_NATIVE, error) &&
	       check(profile, parts->user, HVR_AIO_IO_URING, error);
}
