/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fallocate(2) with FALLOC_FL_PUNCH_HOLE is one step for the kernel, so there is no moment without
 * the begin. tmpfs, ext4, xfs and btrfs have it. A page that lies partly in the hole stays, with
 * zeros in it, so both ends of the hole are where pages of every size begin.
 */
#include "launcher/report/log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/fd.h"

#define ALIGN_BYTES (64 * 1024)

gboolean hvr_log_cut(int fd)
{
	struct stat st;
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (fstat(fd, &st) < 0)
		return FALSE;
	off_t end = st.st_size - HVR_LOG_END_BYTES;
	end -= end % ALIGN_BYTES;
	if (end <= HVR_LOG_BEGIN_BYTES)
		return TRUE;
	return fallocate(fd, mode, HVR_LOG_BEGIN_BYTES, end - HVR_LOG_BEGIN_BYTES) == 0 ||
	       errno == EINTR;
}

gint64 hvr_log_skip_hole(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	off_t data = lseek(fd, at, SEEK_DATA);

	/* At its end there is neither. */
	if (at < 0 || data < 0)
		return 0;
	return data - at;
}

gboolean hvr_log_file_grown(HvrLogFile *file, gsize length)
{
	file->new_bytes += length;
	if (file->full || file->new_bytes < HVR_LOG_TURN_BYTES)
		return TRUE;
	file->new_bytes = 0;
	file->full = !hvr_log_cut(file->fd);
	return !file->full;
}

gboolean hvr_log_file_add(HvrLogFile *file, const void *bytes, gsize length)
{
	if (file->fd < 0 || file->full)
		return TRUE;
	file->full = !hvr_fd_write_all(file->fd, bytes, length);
	return !file->full && hvr_log_file_grown(file, length);
}
