/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/put.h"

#include <errno.h>
#include <unistd.h>

#include "launcher/guest/conversation.h"
#include "launcher/guest/file.h"
#include "launcher/guest/process.h"
#include "launcher/report/error.h"
#include "qmp/error.h"

#define CHMOD_MS 30000

static gboolean give_mode(HvrGuest *guest, const char *path, guint mode, GError **error)
{
	g_autofree char *text = g_strdup_printf("%04o", mode);
	const char *const argv[] = { "chmod", text, path, NULL };
	const HvrGuestProcess process = { .argv = argv, .capture = TRUE };
	g_auto(HvrGuestResult) result = { 0 };
	gint64 pid = hvr_guest_start(guest, &process, error);

	if (!pid || !hvr_guest_await(guest, pid, CHMOD_MS, &result, error))
		return FALSE;
	if (result.status == 0)
		return TRUE;
	g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE,
		    "the guest's chmod ended with status %d", result.status);
	return FALSE;
}

static gboolean copy(HvrGuest *guest, int fd, gint64 handle, GError **error)
{
	g_autofree guint8 *bytes = g_malloc(HVR_GUEST_FILE_BYTES);
	off_t done = 0;
	ssize_t n;

	while ((n = pread(fd, bytes, HVR_GUEST_FILE_BYTES, done)) > 0) {
		if (!hvr_guest_file_write(guest, handle, bytes, (gsize)n, error) ||
		    !hvr_guest_share(guest, error))
			return FALSE;
		done += n;
	}
	if (n == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL, "%s", g_strerror(errno));
	return FALSE;
}

gboolean hvr_guest_put(HvrGuest *guest, const HvrGuestPut *put, const char *to, gboolean keep_mode,
		       GError **error)
{
	GError *cause = NULL;

	hvr_guest_set_deadline(guest, 0);
	if (!hvr_guest_reach(guest, HVR_GUEST_ANSWER_MS, error))
		return FALSE;
	gint64 handle = hvr_guest_file_open(guest, to, "w", &cause);
	if (handle >= 0) {
		gboolean well = (!keep_mode || give_mode(guest, to, put->mode, &cause)) &&
				copy(guest, put->fd, handle, &cause);
		if (hvr_guest_file_close(guest, handle, well ? &cause : NULL) && well)
			return TRUE;
	}
	g_prefix_error(&cause, "cannot put '%s' to '%s': ", put->from, to);
	hvr_guest_explain(guest, error, cause);
	return FALSE;
}
