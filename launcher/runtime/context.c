/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime folder is opened when a command first needs it: `list` and `check` make nothing.
 */
#include "launcher/runtime/context.h"

#include "launcher/runtime/runtime.h"
#include "vfio/tree.h"

#define RUNTIME_NAME "hailo-vm-run"

gboolean hvr_context_open_runtime(HvrContext *context, gboolean create, GError **error)
{
	if (context->runtime >= 0)
		return TRUE;
	if (context->runtime_parent < 0)
		return FALSE;
	if (!create && !hvr_tree_exists(context->runtime_parent, RUNTIME_NAME))
		return FALSE;
	context->runtime = hvr_runtime_open(context->runtime_parent, RUNTIME_NAME, error);
	return context->runtime >= 0;
}
