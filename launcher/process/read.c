/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/process/read.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "vfio/fd.h"

static gboolean is_same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static gboolean is_same(const struct stat *before, const struct stat *now)
{
	return before->st_size == now->st_size && is_same_time(&before->st_mtim, &now->st_mtim) &&
	       is_same_time(&before->st_ctim, &now->st_ctim);
}

/* Returns: (transfer full): NULL, with errno: it cannot be read. What is too large is not read to
 * its end. @out_same: it was, while it was read */
static char *read_some(int fd, gsize *out_length, gboolean *out_same)
{
	struct stat before, now;
	gssize length = 0;

	if (fstat(fd, &before) < 0)
		return NULL;
	g_autofree char *text = g_malloc(HVR_READ_MOST + 2);
	if (before.st_size > HVR_READ_MOST)
		*out_length = HVR_READ_MOST + 1;
	else if ((length = hvr_fd_read_all(fd, text, HVR_READ_MOST + 1)) >= 0)
		*out_length = (gsize)length;
	if (length < 0 || fstat(fd, &now) < 0)
		return NULL;
	text[MIN(*out_length, HVR_READ_MOST)] = '\0';
	*out_same = is_same(&before, &now);
	return g_steal_pointer(&text);
}

char *hvr_read_whole(int fd, gsize *out_length, const char **out_problem)
{
	gsize length = 0;
	gboolean same = FALSE;
	g_autofree char *text = read_some(fd, &length, &same);

	if (!text)
		*out_problem = g_strerror(errno);
	else if (length > HVR_READ_MOST)
		*out_problem = "it is larger than 1 MiB";
	else if (!same)
		*out_problem = "it was changed while it was read";
	else if (!out_length && strlen(text) != length)
		*out_problem = "it is no text: there is a NUL in it";
	else
		*out_problem = NULL;
	if (*out_problem)
		return NULL;
	if (out_length)
		*out_length = length;
	return g_steal_pointer(&text);
}
