/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime folder is opened when a command first needs it: `list` and `check` make nothing.
 */
#include "launcher/runtime/context.h"

#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/tree.h"

#define RUNTIME_NAME "hailo-vm-run"

static gboolean fail_without_place(const HvrContext *context, GError **error)
{
	if (context->captured || context->privileged) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "the runtime folder has no place: there is no /run");
		return FALSE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "user %u has no runtime folder: XDG_RUNTIME_DIR names none that can be written "
		    "to, and this is no login session",
		    geteuid());
	hvr_error_hint(
		error,
		"set XDG_RUNTIME_DIR to a folder that is yours alone (mkdir -m 0700); or, once, "
		"as root: 'loginctl enable-linger %u', or 'hailo-vm-run setup permissions' and "
		"you in the group hailo-vm",
		geteuid());
	return FALSE;
}

gboolean hvr_context_open_runtime(HvrContext *context, gboolean create, GError **error)
{
	const char *name = context->runtime_name ? context->runtime_name : RUNTIME_NAME;

	if (context->runtime >= 0)
		return TRUE;
	if (context->runtime_parent < 0)
		return create && fail_without_place(context, error);
	if (!create && !hvr_tree_exists(context->runtime_parent, name))
		return FALSE;
	context->runtime = hvr_runtime_open(context->runtime_parent, name, error);
	return context->runtime >= 0;
}
