/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files are opened once, as the caller, and written by descriptor, by whichever of our processes
 * has something for them: so they are filled whatever fails.
 */
#include "launcher/guest/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/blocked.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* Of what a report shows. */
#define TAIL_BYTES (64 * 1024)

static const char *const names[HVR_ARTIFACTS] = {
	[HVR_ARTIFACT_SERIAL] = "serial.log",  [HVR_ARTIFACT_MESSAGES] = "messages.log",
	[HVR_ARTIFACT_EVENTS] = "events.json", [HVR_ARTIFACT_RESULT] = "result.json",
	[HVR_ARTIFACT_JUNIT] = "junit.xml",    [HVR_ARTIFACT_STDOUT] = "stdout",
	[HVR_ARTIFACT_STDERR] = "stderr",      [HVR_ARTIFACT_JOURNAL] = "journal.log",
};

/* A HvrAsUserStep. */
static int make_folder(gpointer data, guint i, int *out_fd)
{
	return mkdir(data, 0700) < 0 && errno != EEXIST ? errno : 0;
}

static gboolean open_all(HvrArtifacts *artifacts, const HvrUser *caller, GError **error)
{
	HvrOpen files[HVR_ARTIFACTS];
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < HVR_ARTIFACTS; i++) {
		char *path = g_build_filename(artifacts->folder, names[i], NULL);
		g_ptr_array_add(paths, path);
		files[i] = (HvrOpen){ .path = path, .how = HVR_OPEN_REPLACE, .fd = -1 };
	}
	gboolean all = hvr_open(caller, files, HVR_ARTIFACTS);
	for (guint i = 0; i < HVR_ARTIFACTS; i++)
		artifacts->fds[i] = files[i].fd;
	for (guint i = 0; !all && i < HVR_ARTIFACTS; i++)
		if (files[i].problem) {
			hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--artifacts", caller,
				      &files[i]);
			break;
		}
	return all;
}

gboolean hvr_artifacts_make(const char *folder, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	const HvrAsUser how = {
		.user = caller, .step = make_folder, .data = (gpointer)folder, .keep = -1
	};
	HvrAsUserResult made = { .fd = -1 };

	hvr_as_user(&how, &made, 1);
	hvr_fd_close(made.fd);
	const HvrBlockedFile file = { .code = made.problem == EACCES ? HVR_LAUNCH_ERROR_PERMISSION
								     : HVR_LAUNCH_ERROR_USAGE,
				      .what = "--artifacts",
				      .verb = HVR_BLOCKED_CREATE,
				      .path = folder,
				      .problem = made.problem };
	if (made.problem)
		hvr_blocked_fail(error, caller, &file);
	return !made.problem;
}

static gboolean open_folder(HvrArtifacts *artifacts, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	return hvr_artifacts_make(artifacts->folder, error) && open_all(artifacts, caller, error);
}

/* More than one process writes to it. */
static gboolean set_append(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_APPEND) == 0;
}

gboolean hvr_artifacts_open(HvrArtifacts *artifacts, const char *folder, GError **error)
{
	artifacts->folder = g_strdup(folder);
	if (folder && !open_folder(artifacts, error))
		return FALSE;
	for (guint i = HVR_ARTIFACT_SERIAL; i <= HVR_ARTIFACT_EVENTS; i++) {
		if (!folder && i != HVR_ARTIFACT_EVENTS)
			artifacts->fds[i] = memfd_create(names[i], MFD_CLOEXEC);
		if (artifacts->fds[i] >= 0 && set_append(artifacts->fds[i]))
			continue;
		if (!folder && i == HVR_ARTIFACT_EVENTS)
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot keep what is said: %s", g_strerror(errno));
		return FALSE;
	}
	return TRUE;
}

void hvr_artifacts_close(HvrArtifacts *artifacts)
{
	for (guint i = 0; i < HVR_ARTIFACTS; i++)
		hvr_fd_close(g_steal_fd(&artifacts->fds[i]));
	g_clear_pointer(&artifacts->folder, g_free);
}

void hvr_artifacts_add(const HvrArtifacts *artifacts, HvrArtifact which, const void *bytes,
		       gsize length)
{
	int fd = artifacts->fds[which];

	if (fd >= 0 && !hvr_fd_write_all(fd, bytes, length))
		hvr_message("--artifacts: cannot write '%s': %s", names[which], g_strerror(errno));
}

static gboolean copy_all(int from, int to)
{
	char bytes[65536];
	struct stat st;
	ssize_t n;

	if (fstat(from, &st) < 0)
		return FALSE;
	/* It may be growing. */
	for (off_t left = st.st_size; left > 0; left -= n) {
		n = read(from, bytes, MIN(sizeof(bytes), (gsize)left));
		if (n < 0 || !hvr_fd_write_all(to, bytes, (gsize)n))
			return FALSE;
		if (n == 0)
			break;
	}
	return TRUE;
}

void hvr_artifacts_copy(const HvrArtifacts *artifacts, const char *path)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *name = g_strconcat("fetched-", base, NULL);

	if (!artifacts->folder)
		return;
	g_autofree char *to = g_build_filename(artifacts->folder, name, NULL);
	HvrOpen files[] = { { .path = path, .how = HVR_OPEN_READ, .fd = -1 },
			    { .path = to, .how = HVR_OPEN_REPLACE, .fd = -1 } };
	gboolean copied =
		hvr_open(caller, files, G_N_ELEMENTS(files)) && copy_all(files[0].fd, files[1].fd);
	if (!copied)
		hvr_message("--artifacts: cannot copy '%s'", path);
	hvr_fd_close(files[0].fd);
	hvr_fd_close(files[1].fd);
}

/* It is open for writing only. */
static void append_tail(GByteArray *tail, const HvrArtifacts *artifacts, HvrArtifact which,
			const char *heading)
{
	g_autofree char *path = hvr_fd_path(artifacts->fds[which], NULL);
	g_auto(HvrFd) fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autofree char *bytes = g_malloc(TAIL_BYTES);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    lseek(fd, MAX(st.st_size - TAIL_BYTES, 0), SEEK_SET) < 0)
		return;
	gssize n = hvr_fd_read_all(fd, bytes, TAIL_BYTES);
	if (n <= 0)
		return;
	g_byte_array_append(tail, (const guint8 *)heading, (guint)strlen(heading));
	g_byte_array_append(tail, (const guint8 *)bytes, (guint)n);
	if (bytes[n - 1] != '\n')
		g_byte_array_append(tail, (const guint8 *)"\n", 1);
}

GByteArray *hvr_artifacts_tail(const HvrArtifacts *artifacts)
{
	GByteArray *tail = g_byte_array_new();

	append_tail(tail, artifacts, HVR_ARTIFACT_SERIAL, "--- serial port ---\n");
	append_tail(tail, artifacts, HVR_ARTIFACT_MESSAGES, "--- messages ---\n");
	return tail;
}
