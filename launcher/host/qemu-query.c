/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/qemu-query.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* Far more than -device help takes on a machine that emulates another. */
#define ANSWER_MS 20000
/* -device help is some twenty thousand bytes. */
#define ANSWER_MAX (1024 * 1024)

/* A file in memory that does not grow beyond an answer's size: more than that is an error to
 * whoever writes it. -1 with errno */
static int open_answer(void)
{
	g_auto(HvrFd) fd = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, ANSWER_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) < 0)
		return -1;
	return g_steal_fd(&fd);
}

/* A file in memory to read @text from. -1 with errno */
static int open_input(const char *text)
{
	g_auto(HvrFd) fd = memfd_create("question", MFD_CLOEXEC);
	gsize length = strlen(text);

	if (fd < 0 || pwrite(fd, text, length, 0) != (ssize_t)length)
		return -1;
	return g_steal_fd(&fd);
}

/* The descriptor is shared with who wrote, so its position is where the text ends. */
static char *read_answer(int fd)
{
	off_t length = lseek(fd, 0, SEEK_CUR);
	g_autofree char *text = g_malloc0(ANSWER_MAX + 1);

	if (length < 0 || length > ANSWER_MAX || pread(fd, text, (gsize)length, 0) != length)
		return NULL;
	return g_strdup(text);
}

char *hvr_qemu_query(const HvrQemuQuery *query, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(HvrFd) input = query->input ? open_input(query->input) : -1;
	g_auto(HvrFd) answer = open_answer();
	int saved = errno;

	if (answer < 0 || (query->input && input < 0)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a file in memory: %s", g_strerror(saved));
		return NULL;
	}
	g_ptr_array_add(argv, (gpointer)query->path);
	for (const char *const *option = query->options; *option; option++)
		g_ptr_array_add(argv, (gpointer)*option);
	g_ptr_array_add(argv, NULL);
	HvrProgram program = { .path = query->path,
			       .argv = (const char *const *)argv->pdata,
			       .identity = hvr_user_identity(query->user),
			       .stdin_fd = MAX(input, 0),
			       .stdout_fd = answer,
			       .timeout_ms = ANSWER_MS };
	if (query->context->answer_ms)
		program.timeout_ms = query->context->answer_ms;
	if (!hvr_program_run(&program, error))
		return NULL;
	return read_answer(answer);
}

char *hvr_qemu_identity(const HvrUser *user, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	return g_strdup_printf("%s\n%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
			       " %" G_GINT64_FORMAT ".%09ld %" G_GINT64_FORMAT ".%09ld\nuser %u",
			       path, (guint64)st.st_dev, (guint64)st.st_ino, (gint64)st.st_size,
			       (gint64)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			       (gint64)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, (guint)user->uid);
}
