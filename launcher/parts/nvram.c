/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest writes its firmware's variables, so every VM has a copy of its own. It is made once, of
 * the template that belongs to the firmware, and then left alone: it holds what the guest put
 * there.
 */
#include "launcher/parts/nvram.h"

#include <errno.h>
#include <fcntl.h>

#include "launcher/parts/newfile.h"
#include "launcher/process/privileges.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define WHAT "[firmware] vars"

static gboolean check_access(const HvrFacts *facts, const char *path, int flags, GError **error)
{
	HvrIdentity identity = { .uid = facts->uid, .gid = facts->gid };
	int problem = hvr_privileges_can_access(&identity, path, flags);

	if (!problem)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "[firmware] mode: user %s cannot %s '%s': %s", facts->user_name,
		    flags == O_RDWR ? "write" : "read", path, g_strerror(problem));
	hvr_error_hint(error, "QEMU runs as that user: give it access, or set [security] user");
	return FALSE;
}

gboolean hvr_nvram_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrFacts *facts, GError **error)
{
	const HvrFirmware *firmware = facts->firmware;
	const char *vars = profile->firmware.vars;

	if (!firmware)
		return TRUE;
	if (!check_access(facts, firmware->code, O_RDONLY, error))
		return FALSE;
	if (!hvr_new_file_is_missing(vars))
		return check_access(facts, vars, O_RDWR, error);
	return hvr_new_file_check(WHAT, vars, facts->uid, facts->gid, error);
}

static gboolean copy(const char *template, int fd, GError **error)
{
	g_autofree char *bytes = NULL;
	gsize length = 0;

	if (!g_file_get_contents(template, &bytes, &length, error))
		return FALSE;
	if (hvr_fd_write_all(fd, bytes, length))
		return TRUE;
	int saved = errno;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot be written: %s",
		    g_strerror(saved));
	return FALSE;
}

gboolean hvr_nvram_create(const HvrProfile *profile, const HvrFacts *facts, GError **error)
{
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;
	uid_t owner = facts->privileged ? facts->uid : (uid_t)-1;
	const char *path = profile->firmware.vars;

	if (!facts->firmware || !hvr_new_file_is_missing(path))
		return TRUE;
	if (hvr_new_file_begin(&file, path, owner, facts->gid, error) &&
	    copy(facts->firmware->vars, file.fd, error) && hvr_new_file_finish(&file, error))
		return TRUE;
	g_prefix_error(error, WHAT ": ");
	return FALSE;
}
