/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child writes what it has seen into a file in memory (memfd_create(2)) and passes that on: the
 * image itself stays with it.
 */
#include "launcher/parts/image-file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/parts/image-header.h"
#include "launcher/process/asuser.h"
#include "launcher/process/blocked.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

#define ACL "system.posix_acl_access"

/* What is passed on: the members before the bytes, then the bytes. */
#define FIXED offsetof(HvrImageFile, bytes)

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

/* What open(2) says where the file system cannot (do_dentry_open() in Linux's fs/open.c). */
static gboolean refuses_direct(const char *path, int flags)
{
	g_auto(HvrFd) direct = open(path, flags | O_DIRECT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return direct < 0 && errno == EINVAL;
}

/* Whoever looks like this has the device for a moment: another launcher, mkfs, a mount that fails.
 * Who uses it has it each time. */
#define LOOKS	 20
#define PAUSE_US 5000

static gboolean host_uses(const char *path, int flags)
{
	for (guint i = 0; i < LOOKS; i++) {
		g_auto(HvrFd) alone = open(path, flags | O_EXCL | O_CLOEXEC | O_NONBLOCK);

		if (alone >= 0 || errno != EBUSY)
			return FALSE;
		/* the kernel tells nobody when it is free (bd_prepare_to_claim() in block/bdev.c)
		 */
		g_usleep(PAUSE_US);
	}
	return TRUE;
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

static gint64 nanoseconds(const struct timespec *time)
{
	return (gint64)time->tv_sec * 1000000000 + time->tv_nsec;
}

HvrImageFile hvr_image_file_of(const struct stat *st)
{
	return (HvrImageFile){ .device = st->st_dev,
			       .inode = st->st_ino,
			       .size = (guint64)st->st_size,
			       .modified_ns = nanoseconds(&st->st_mtim),
			       .changed_ns = nanoseconds(&st->st_ctim),
			       .mode = st->st_mode,
			       .uid = st->st_uid,
			       .gid = st->st_gid };
}

static int look_at(int fd, HvrImageFile *file)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	guint8 *bytes = file->bytes;
	*file = hvr_image_file_of(&st);
	file->has_acl = fgetxattr(fd, ACL, NULL, 0) > 0;
	file->bytes = bytes;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0;
	if (S_ISBLK(st.st_mode)) {
		file->number = st.st_rdev;
		file->size = (guint64)MAX(lseek(fd, 0, SEEK_END), 0);
	}
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
	const HvrImageWanted *wanted = data;
	g_autofree guint8 *bytes = g_malloc0(HVR_IMAGE_HEADER_MAX);
	g_auto(HvrFd) fd = open(wanted->path, wanted->flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	HvrImageFile file = { .bytes = bytes };

	if (fd < 0)
		return errno;
	int problem = look_at(fd, &file);
	if (problem)
		return problem;
	if (S_ISBLK(file.mode) && host_uses(wanted->path, wanted->flags))
		file.locks |= HVR_IMAGE_LOCK_HOST;
	file.no_direct = wanted->direct && refuses_direct(wanted->path, wanted->flags);
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

/* Returns: 0, or the errno */
static int look_as(HvrImageFile *file, const HvrUser *user, const HvrImageWanted *wanted)
{
	const HvrAsUser how = { .user = user, .step = look, .data = (gpointer)wanted, .keep = -1 };
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	g_auto(HvrFd) report = result.fd;
	if (result.problem)
		return result.problem;
	return report >= 0 && take(file, report) ? 0 : EIO;
}

/* Has @user what @others of the mode would give by a group alone that is withheld? ACLs may give
 * more than the mode says. */
static gboolean by_withheld_group(const HvrUser *user, const HvrImageFile *file, guint32 others,
				  const char **out_group)
{
	return user->uid != file->uid && !file->has_acl && (file->mode & others) != others &&
	       file->gid != user->gid && group_member(file->gid) &&
	       hvr_group_is_withheld(file->gid, out_group);
}

/* The file, or a folder on the way as it is named. Returns: (transfer full): which; NULL: none */
static char *find_withheld(const HvrUser *user, const HvrImageFile *file,
			   const HvrImageWanted *wanted, const char **out_group)
{
	guint32 others = wanted->flags & O_RDWR ? S_IROTH | S_IWOTH : S_IROTH;
	g_autofree char *folder = g_path_get_dirname(wanted->path);
	struct stat st;

	if (by_withheld_group(user, file, others, out_group))
		return g_strdup(wanted->path);
	while (stat(folder, &st) == 0) {
		const HvrImageFile way = { .mode = st.st_mode,
					   .uid = st.st_uid,
					   .gid = st.st_gid,
					   .has_acl = getxattr(folder, ACL, NULL, 0) > 0 };
		if (by_withheld_group(user, &way, S_IXOTH, out_group))
			return g_steal_pointer(&folder);
		if (g_str_equal(folder, "/") || g_str_equal(folder, "."))
			break;
		char *up = g_path_get_dirname(folder);
		g_free(folder);
		folder = up;
	}
	return NULL;
}

/* Only a plain user has such groups: what root starts for a VM has none. */
static gboolean check_withheld(const HvrUser *user, const HvrImageFile *file,
			       const HvrImageWanted *wanted, GError **error)
{
	const char *group = NULL, *rights = wanted->flags & O_RDWR ? "rw" : "r";
	g_autofree char *which = NULL;

	if (!user->privileged && user->uid != 0)
		which = find_withheld(user, file, wanted, &group);
	if (!which)
		return TRUE;
	g_autofree char *quoted = g_shell_quote(which);
	g_autofree char *shown = hvr_text_safe(which);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "%s: user %s may use '%s' by group %s alone, which a VM is not to have",
		    wanted->what, user->name, shown, group);
	if (!g_str_equal(which, wanted->path))
		rights = "x";
	hvr_error_hint(error, "have its owner give you access: setfacl -m u:%s:%s %s", user->name,
		       rights, quoted);
	return FALSE;
}

gboolean hvr_image_file_look(HvrImageFile *file, const HvrUser *user, const HvrImageWanted *wanted,
			     GError **error)
{
	gboolean writes = (wanted->flags & O_ACCMODE) == O_RDWR;

	*file = (HvrImageFile){ 0 };
	const HvrBlockedFile blocked = { .code = HVR_LAUNCH_ERROR_PROFILE,
					 .what = wanted->what,
					 .verb = writes ? "write" : "read",
					 .path = wanted->path,
					 .problem = look_as(file, user, wanted),
					 .missing_hint = wanted->missing_hint };
	if (!blocked.problem)
		return check_withheld(user, file, wanted, error);
	hvr_blocked_fail(error, user, &blocked);
	return FALSE;
}

void hvr_image_file_clear(HvrImageFile *file)
{
	g_clear_pointer(&file->bytes, g_free);
}

/* A HvrAsUserStep: what is there, without opening it. */
static int find(gpointer data, guint i, int *out_fd)
{
	*out_fd = open(data, O_PATH | O_CLOEXEC);
	return *out_fd < 0 ? errno : 0;
}

guint64 hvr_image_file_number(const HvrUser *user, const char *path)
{
	const HvrAsUser how = { .user = user, .step = find, .data = (gpointer)path, .keep = -1 };
	HvrAsUserResult result;
	struct statx stx;

	hvr_as_user(&how, &result, 1);
	g_auto(HvrFd) fd = result.fd;
	/* as it is known by now: nobody's server is asked */
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0 ||
	    !S_ISBLK(stx.stx_mode))
		return 0;
	return makedev(stx.stx_rdev_major, stx.stx_rdev_minor);
}
