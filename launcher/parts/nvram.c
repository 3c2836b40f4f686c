/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest writes its firmware's variables, so every VM has a copy of its own. It is made once, of
 * the template that belongs to the firmware, and then left alone: it holds what the guest put
 * there.
 */
#include "launcher/parts/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/parts/images.h"
#include "launcher/parts/newfile.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define WHAT "[firmware] vars"
#define CODE "[firmware] code"

/* hw/i386/pc_sysfw.c, pc_system_flash_map(): "its size must be a non-zero multiple of 0x1000", and
 * of the machine's firmware together no more than 8 MiB */
#define FLASH_UNIT 0x1000
#define LARGEST	   (8 * 1024 * 1024)

static gboolean fail(GError **error, int saved, const char *what, const char *template)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot %s '%s': %s",
		    what, template, g_strerror(saved));
	return FALSE;
}

/* qcow2 says its size inside. */
static gboolean check_size(const HvrFirmware *firmware, const char *vars, GError **error)
{
	struct stat st;

	if (g_strcmp0(firmware->vars_format, "raw") != 0 || stat(vars, &st) < 0 ||
	    st.st_size <= LARGEST)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    WHAT ": '%s' is none of UEFI's: it has %" G_GUINT64_FORMAT " bytes", vars,
		    (guint64)st.st_size);
	hvr_error_hint(error, "move it away: the next start makes it anew");
	return FALSE;
}

const char *hvr_nvram_path(const HvrProfile *profile, const HvrParts *parts)
{
	const char *vars = profile->firmware.vars;

	if (parts->firmware && parts->firmware->vars && profile->firmware.throw_away &&
	    hvr_new_file_is_missing(vars))
		return parts->firmware->vars;
	return vars;
}

/* Only the maker of a firmware knows what its variables begin with. */
static gboolean fail_without_template(const char *vars, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    WHAT ": '%s' does not exist, and for a [firmware] code of one's own nothing is "
			 "made",
		    vars);
	hvr_error_hint(error, "copy there what comes with that firmware, such as OVMF_VARS.fd");
	return FALSE;
}

/* hvr_images_check_one() has found it. qcow2 says its size inside. */
static gboolean check_own(const char *what, const char *path, const char *format, GError **error)
{
	struct stat st;

	if (g_strcmp0(format, "raw") != 0 || stat(path, &st) < 0 ||
	    (st.st_size > 0 && st.st_size <= LARGEST && st.st_size % FLASH_UNIT == 0))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "%s: '%s' is none of UEFI's: it has %" G_GUINT64_FORMAT " bytes", what, path,
		    (guint64)st.st_size);
	hvr_error_hint(error, "name two that belong together, such as OVMF_CODE.fd and a copy of "
			      "OVMF_VARS.fd");
	return FALSE;
}

/* What the profile names itself: both are there, and nothing is made. */
static gboolean check_named(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	const HvrFirmware *firmware = parts->firmware;
	const char *vars = profile->firmware.vars;
	const HvrImageAlone code_image = { .what = CODE,
					   .path = firmware->code,
					   .format = firmware->code_format };
	const HvrImageAlone vars_image = { .what = WHAT,
					   .path = vars,
					   .format = firmware->vars_format,
					   .writes = !profile->firmware.throw_away };

	if (!hvr_images_check_one(&code_image, parts->user, error) ||
	    !check_own(CODE, firmware->code, firmware->code_format, error))
		return FALSE;
	if (hvr_new_file_is_missing(vars))
		return fail_without_template(vars, error);
	return hvr_images_check_one(&vars_image, parts->user, error) &&
	       check_own(WHAT, vars, firmware->vars_format, error);
}

/* It is read by us. */
static gboolean check_template(const char *template, GError **error)
{
	g_auto(HvrFd) fd = open(template, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int saved = errno;

	if (fd >= 0)
		return TRUE;
	fail(error, saved, "read", template);
	g_prefix_error(error, WHAT ": ");
	hvr_error_hint(error, "a firmware's descriptor names it: install that firmware anew");
	return FALSE;
}

gboolean hvr_nvram_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error)
{
	const HvrFirmware *firmware = parts->firmware;
	const char *vars = profile->firmware.vars;

	if (!firmware)
		return TRUE;
	if (profile->firmware.code)
		return check_named(profile, parts, error);
	const HvrImageAlone code_image = { .what = "[firmware] mode",
					   .path = firmware->code,
					   .format = firmware->code_format };
	const HvrImageAlone vars_image = {
		.what = WHAT,
		.path = hvr_nvram_path(profile, parts),
		.format = firmware->vars_format,
		.writes = !profile->firmware.throw_away,
		.unit = FLASH_UNIT,
	};
	if (!hvr_images_check_one(&code_image, parts->user, error))
		return FALSE;
	if (profile->firmware.throw_away || !hvr_new_file_is_missing(vars))
		return hvr_images_check_one(&vars_image, parts->user, error) &&
		       check_size(firmware, vars, error);
	return check_template(firmware->vars, error) &&
	       hvr_new_file_check(WHAT, vars, parts->user, error);
}

static gboolean copy(const char *template, int fd, GError **error)
{
	g_auto(HvrFd) from = open(template, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char buffer[64 * 1024];
	gssize n = -1;

	if (from < 0)
		return fail(error, errno, "read", template);
	while ((n = hvr_fd_read_all(from, buffer, sizeof(buffer))) > 0)
		if (!hvr_fd_write_all(fd, buffer, (gsize)n))
			return fail(error, errno, "copy", template);
	if (n < 0)
		return fail(error, errno, "read", template);
	return TRUE;
}

gboolean hvr_nvram_create(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;
	const char *path = profile->firmware.vars;

	if (!parts->firmware || profile->firmware.throw_away || !hvr_new_file_is_missing(path))
		return TRUE;
	if (!parts->firmware->vars)
		return fail_without_template(path, error);
	if (hvr_new_file_begin(&file, path, parts->user, error) &&
	    copy(parts->firmware->vars, file.fd, error) &&
	    hvr_new_file_finish(&file, parts->made, error))
		return TRUE;
	g_prefix_error(error, WHAT ": ");
	return FALSE;
}
