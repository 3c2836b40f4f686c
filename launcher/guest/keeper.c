/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipe tells of our end: nobody else has its writing side. What comes through it are whole
 * reports, each with its lengths in front, so one that was cut off by our end does not count.
 */
#include "launcher/guest/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "vfio/fd.h"

struct HvrKeeper {
	pid_t pid;
	int fd; /* -1: let go of */
};

/* In front of the texts. Both 0: there is nothing more to keep. */
typedef struct {
	guint64 result, junit;
} Header;

/* NULL: it was cut off */
static char *take_text(int fd, guint64 length)
{
	g_autofree char *text = g_malloc(length + 1);

	if (hvr_fd_read_all(fd, text, length) != (gssize)length)
		return NULL;
	text[length] = '\0';
	return g_steal_pointer(&text);
}

/* FALSE: nobody is there any more, or nothing is to be kept. */
static gboolean take(int fd, HvrReportTexts *texts, gboolean *out_done)
{
	Header header;

	if (hvr_fd_read_all(fd, &header, sizeof(header)) != sizeof(header))
		return FALSE;
	*out_done = header.result == 0 && header.junit == 0;
	if (*out_done)
		return FALSE;
	g_autofree char *result = take_text(fd, header.result);
	g_autofree char *junit = result ? take_text(fd, header.junit) : NULL;
	if (!junit)
		return FALSE;
	hvr_report_texts_clear(texts);
	texts->result = g_steal_pointer(&result);
	texts->junit = g_steal_pointer(&junit);
	return TRUE;
}

static void keep(int fd, const HvrReportFiles *files)
{
	g_auto(HvrReportTexts) texts = { .result = NULL };
	gboolean done = FALSE;

	while (take(fd, &texts, &done))
		;
	if (!done && texts.result)
		hvr_report_files_end(files, &texts);
}

/* Its own session, and nothing of the terminal but where it complains. */
static void step_aside(void)
{
	g_auto(HvrFd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
}

HvrKeeper *hvr_keeper_new(const HvrReportFiles *files, GError **error)
{
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	int saved = errno;
	if (pid == 0) {
		hvr_fd_close(ends[1]);
		step_aside();
		keep(ends[0], files);
		_exit(0);
	}
	hvr_fd_close(ends[0]);
	if (pid > 0) {
		HvrKeeper *keeper = g_new(HvrKeeper, 1);
		*keeper = (HvrKeeper){ .pid = pid, .fd = ends[1] };
		return keeper;
	}
	hvr_fd_close(ends[1]);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot start who keeps the reports: %s", g_strerror(saved));
	return NULL;
}

void hvr_keeper_tell(HvrKeeper *keeper, const HvrReportTexts *texts)
{
	const Header header = { .result = strlen(texts->result), .junit = strlen(texts->junit) };

	if (!hvr_fd_write_all(keeper->fd, &header, sizeof(header)) ||
	    !hvr_fd_write_all(keeper->fd, texts->result, header.result) ||
	    !hvr_fd_write_all(keeper->fd, texts->junit, header.junit))
		g_debug("who keeps the reports is gone: %s", g_strerror(errno));
}

void hvr_keeper_leave(HvrKeeper *keeper)
{
	hvr_fd_close(g_steal_fd(&keeper->fd));
}

void hvr_keeper_done(HvrKeeper *keeper)
{
	const Header nothing = { .result = 0 };

	if (!keeper)
		return;
	if (keeper->fd >= 0) {
		if (!hvr_fd_write_all(keeper->fd, &nothing, sizeof(nothing)))
			g_debug("who keeps the reports is gone: %s", g_strerror(errno));
		hvr_fd_close(keeper->fd);
		while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	g_free(keeper);
}
