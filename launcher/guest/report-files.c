/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report is put over the one before, in the file that is open: its name may lead elsewhere by
 * now, and the folder may not be ours.
 */
#include "launcher/guest/report-files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

void hvr_report_texts_clear(HvrReportTexts *texts)
{
	g_clear_pointer(&texts->result, g_free);
	g_clear_pointer(&texts->junit, g_free);
}

static gboolean open_one(const char *option, const char *path, int *out_fd, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = path, .how = HVR_OPEN_REPLACE, .fd = -1 };

	if (path && !hvr_open(caller, &file, 1))
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, option, caller, &file);
	*out_fd = file.fd;
	return !path || file.fd >= 0;
}

gboolean hvr_report_files_open(HvrReportFiles *files, const char *junit, const char *result,
			       GError **error)
{
	return open_one("--junit", junit, &files->junit[0], error) &&
	       open_one("--result", result, &files->result[0], error);
}

void hvr_report_files_close(HvrReportFiles *files)
{
	g_clear_pointer(&files->events, hvr_events_free);
	for (guint i = 0; i < G_N_ELEMENTS(files->junit); i++) {
		hvr_fd_close(g_steal_fd(&files->junit[i]));
		hvr_fd_close(g_steal_fd(&files->result[i]));
	}
}

/* What was longer before is cut behind it. */
static gboolean write_one(int fd, const char *option, const char *text)
{
	off_t length = (off_t)strlen(text);

	if (fd < 0)
		return TRUE;
	if (lseek(fd, 0, SEEK_SET) == 0 && hvr_fd_write_all(fd, text, (gsize)length) &&
	    ftruncate(fd, length) == 0)
		return TRUE;
	hvr_message("the report of %s cannot be written: %s", option, g_strerror(errno));
	return FALSE;
}

static gboolean sync_one(int fd, const char *option)
{
	if (fd < 0 || fsync(fd) == 0)
		return TRUE;
	hvr_message("the report of %s cannot be written: %s", option, g_strerror(errno));
	return FALSE;
}

gboolean hvr_report_files_write(const HvrReportFiles *files, const HvrReportTexts *texts)
{
	gboolean written = TRUE;

	for (guint i = 0; i < G_N_ELEMENTS(files->junit); i++) {
		written = write_one(files->junit[i], "--junit", texts->junit) && written;
		written = write_one(files->result[i], "--result", texts->result) && written;
	}
	return written;
}

gboolean hvr_report_files_end(const HvrReportFiles *files, const HvrReportTexts *texts)
{
	g_autoptr(JsonNode) root = json_from_string(texts->result, NULL);
	gboolean written = hvr_report_files_write(files, texts);

	for (guint i = 0; i < G_N_ELEMENTS(files->junit); i++) {
		written = sync_one(files->junit[i], "--junit") && written;
		written = sync_one(files->result[i], "--result") && written;
	}
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		hvr_events_tell_object(files->events, "result", json_node_dup_object(root));
	return written;
}
