/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a profile's file is, and how its text gets in.
 *
 * The launcher may run as root on a path that somebody else chose, so the file is opened without
 * waiting (a FIFO would), looked at through the descriptor that is then read, and never read beyond
 * a bound, even if it grows meanwhile.
 */
#include "launcher/profile/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define LARGEST (1024 * 1024)

static gboolean is_there(const char *path)
{
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

char *hvr_profile_find(const char *word, const char *config_home, const char *system_dir,
		       GError **error)
{
	g_autofree char *name = g_strconcat(word, ".ini", NULL);
	g_autofree char *own = NULL;
	g_autofree char *shared = g_build_filename(system_dir, name, NULL);

	if (strchr(word, '/') || g_str_has_suffix(word, ".ini"))
		return g_strdup(word);
	if (word[0] == '\0') {
		hvr_profile_fail(error, "profile", NULL, "the name is empty");
		return NULL;
	}
	if (config_home)
		own = g_build_filename(config_home, "hailo-vm-run", name, NULL);
	if (is_there(name))
		return g_steal_pointer(&name);
	if (own && is_there(own))
		return g_steal_pointer(&own);
	if (is_there(shared))
		return g_steal_pointer(&shared);
	if (own)
		hvr_profile_fail(error, word, NULL, "no such profile; looked for %s, %s and %s",
				 name, own, shared);
	else
		hvr_profile_fail(error, word, NULL, "no such profile; looked for %s and %s", name,
				 shared);
	hvr_error_hint(error, "a path needs a '/' or ends in .ini");
	return NULL;
}

static gboolean fail_errno(GError **error, const char *file, const char *what, int saved)
{
	hvr_profile_fail(error, file, NULL, "cannot %s: %s", what, g_strerror(saved));
	if (error && *error && (saved == EACCES || saved == EPERM))
		(*error)->code = HVR_LAUNCH_ERROR_PERMISSION;
	return FALSE;
}

static gboolean check_file(const char *file, int fd, GError **error)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		int saved = errno;

		return fail_errno(error, file, "look at it", saved);
	}
	if (!S_ISREG(status.st_mode))
		return hvr_profile_fail(error, file, NULL, "is not a regular file");
	if (status.st_size > LARGEST)
		return hvr_profile_fail(error, file, NULL,
					"is larger than 1 MiB: this is no profile");
	return TRUE;
}

/* A HvrProfileReader. */
static char *read_file(const char *file, gsize *out_length, GError **error)
{
	g_auto(HvrFd) fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int saved = errno;
	g_autofree char *buffer = NULL;
	gssize length;

	if (fd < 0) {
		fail_errno(error, file, "open it", saved);
		return NULL;
	}
	if (!check_file(file, fd, error))
		return NULL;
	buffer = g_malloc(LARGEST + 1);
	length = hvr_fd_read_all(fd, buffer, LARGEST + 1);
	if (length < 0) {
		fail_errno(error, file, "read it", errno);
		return NULL;
	}
	if (length > LARGEST) {
		hvr_profile_fail(error, file, NULL, "grew beyond 1 MiB while it was read");
		return NULL;
	}
	*out_length = length;
	return g_steal_pointer(&buffer);
}

HvrProfile *hvr_profile_load(const char *file, const char *const *overrides, GError **error)
{
	gsize length = 0;
	g_autofree char *text = read_file(file, &length, error);

	if (!text)
		return NULL;
	return hvr_profile_read(file, text, length, overrides, read_file, error);
}
