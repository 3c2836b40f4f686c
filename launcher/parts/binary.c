/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root finds every program, and QEMU is executed by somebody else.
 */
#include "launcher/parts/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/program.h"
#include "launcher/profile/machine.h"
#include "launcher/report/error.h"

char *hvr_binary_find(const HvrProfile *profile, gboolean privileged)
{
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	char *path = hvr_program_find(profile->qemu_binary, privileged);

	if (!path && g_str_equal(profile->qemu_binary, machine->binary))
		path = hvr_program_find(machine->binary_rhel, privileged);
	return path;
}

static int step_execute(gpointer data, guint i, int *out_fd)
{
	return faccessat(AT_FDCWD, data, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

gboolean hvr_binary_check(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error)
{
	g_autofree char *path = hvr_binary_find(profile, context->privileged);
	const HvrAsUser how = {
		.user = parts->user, .step = step_execute, .data = path, .keep = -1
	};
	HvrAsUserResult result;

	if (!path)
		return TRUE;
	hvr_as_user(&how, &result, 1);
	if (result.problem == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "[qemu] binary: user %s cannot execute '%s': %s", parts->user->name, path,
		    g_strerror(result.problem));
	hvr_error_hint(error, "QEMU runs as that user: give it access to the program and to each "
			      "folder on the way (not on a mount with noexec), or set [security] "
			      "user");
	return FALSE;
}
