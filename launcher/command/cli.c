/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/command/cli.h"
#include "launcher/profile/load.h"

#include "launcher/report/error.h"

HvrProfile *hvr_cli_profile(const HvrContext *context, const char *word, char **sets,
			    GError **error)
{
	g_autofree char *file =
		hvr_profile_find(word, context->config_home, context->system_config, error);

	return file ? hvr_profile_load(file, (const char *const *)sets, error) : NULL;
}

HvrVm *hvr_cli_vm(HvrContext *context, const char *word, GError **error)
{
	if (!hvr_profile_name_valid(word)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "'%s' is no VM name",
			    word);
		hvr_error_hint(error, "running VMs: hailo-vm-run status");
		return NULL;
	}
	hvr_context_open_runtime(context, FALSE, NULL);
	return hvr_vm_read(context, word, error);
}
