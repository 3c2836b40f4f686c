/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child writes what it has seen into a file in memory (memfd_create(2)) and passes that on: the
 * image itself stays with it.
 */
#include "launcher/parts/image-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/parts/image-header.h"
#include "launcher/process/asuser.h"
#include "vfio/fd.h"

#define ACL "system.posix_acl_access"

/* What is passed on: the members before the bytes, then the bytes. */
#define FIXED offsetof(HvrImageFile, bytes)

typedef struct {
	const char *path;
	int flags;
} Job;

static const struct {
	off_t byte;
	guint32 lock;
} lock_bytes[] = {
	{ 101, HVR_IMAGE_LOCK_WRITES },
	{ 200, HVR_IMAGE_LOCK_LETS_NOBODY_READ },
	{ 201, HVR_IMAGE_LOCK_LETS_NOBODY_WRITE },
};

/* A file system without locks has none; neither has QEMU then. */
static guint32 find_locks(int fd)
{
	guint32 locks = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(lock_bytes); i++) {
		struct flock lock = { .l_type = F_WRLCK,
				      .l_whence = SEEK_SET,
				      .l_start = lock_bytes[i].byte,
				      .l_len = 1 };
		if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
			locks |= lock_bytes[i].lock;
	}
	return locks;
}

/* Returns: how much was read, up to the end of the file */
static gsize read_start(int fd, guint8 *bytes, gsize wanted)
{
	gsize had = 0;

	while (had < wanted) {
		ssize_t n = pread(fd, bytes + had, wanted - had, (off_t)had);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		had += (gsize)n;
	}
	return had;
}

static void read_header(int fd, HvrImageFile *file)
{
	gsize n = read_start(fd, file->bytes, HVR_IMAGE_HEADER_MIN);
	gsize wanted = hvr_image_header_size(file->bytes, n);

	if (wanted > n && n == HVR_IMAGE_HEADER_MIN)
		n = read_start(fd, file->bytes, wanted);
	file->length = (guint32)n;
}

static int look_at(int fd, HvrImageFile *file)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	*file = (HvrImageFile){ .device = st.st_dev,
				.inode = st.st_ino,
				.size = (guint64)st.st_size,
				.mode = st.st_mode,
				.uid = st.st_uid,
				.gid = st.st_gid,
				.has_acl = fgetxattr(fd, ACL, NULL, 0) > 0,
				.bytes = file->bytes };
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0;
	if (S_ISBLK(st.st_mode))
		file->size = (guint64)MAX(lseek(fd, 0, SEEK_END), 0);
	file->locks = find_locks(fd);
	read_header(fd, file);
	return 0;
}

static gboolean write_all(int fd, const void *bytes, gsize n)
{
	return n == 0 || write(fd, bytes, n) == (ssize_t)n;
}

/* A HvrAsUserStep. */
static int look(gpointer data, guint i, int *out_fd)
{
	const Job *job = data;
	g_autofree guint8 *bytes = g_malloc0(HVR_IMAGE_HEADER_MAX);
	g_auto(HvrFd) fd = open(job->path, job->flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	HvrImageFile file = { .bytes = bytes };

	if (fd < 0)
		return errno;
	int problem = look_at(fd, &file);
	if (problem)
		return problem;
	g_auto(HvrFd) report = memfd_create("image", MFD_CLOEXEC);
	if (report < 0 || !write_all(report, &file, FIXED) ||
	    !write_all(report, bytes, file.length))
		return errno ? errno : EIO;
	*out_fd = g_steal_fd(&report);
	return 0;
}

/* Believes nothing of it but what is bounded. */
static gboolean take(HvrImageFile *file, int report)
{
	if (pread(report, file, FIXED, 0) != (ssize_t)FIXED || file->length > HVR_IMAGE_HEADER_MAX)
		return FALSE;
	file->bytes = g_malloc0(MAX(file->length, HVR_IMAGE_HEADER_MIN));
	return pread(report, file->bytes, file->length, FIXED) == (ssize_t)file->length;
}

int hvr_image_file_look(HvrImageFile *file, const HvrUser *user, const char *path, int flags)
{
	Job job = { .path = path, .flags = flags };
	const HvrAsUser how = { .user = user, .step = look, .data = &job, .keep = -1 };
	HvrAsUserResult result;

	*file = (HvrImageFile){ 0 };
	hvr_as_user(&how, &result, 1);
	g_auto(HvrFd) report = result.fd;
	if (result.problem)
		return result.problem;
	if (report < 0 || !take(file, report))
		return EIO;
	return 0;
}

void hvr_image_file_clear(HvrImageFile *file)
{
	g_clear_pointer(&file->bytes, g_free);
}
