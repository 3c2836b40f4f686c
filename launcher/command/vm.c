/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unplug, plug and stop: what is done to a running VM. Each fills in a request and has it carried
 * out; who does that is hvr_ask()'s to find out.
 */
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/ask.h"
#include "launcher/session/shutdown.h"

/* What the user should know beyond "timed out". */
static void explain_unplug(GError **error, const char *vm, const char *device)
{
	if (error && *error && hvr_exit_status(*error) == 75)
		hvr_error_hint(error,
			       "the guest has not let go of it: is it up, and is the card "
			       "unused in it? '%s' is still in VM '%s'; if the guest lets "
			       "go later, the card goes back to the host then",
			       device, vm);
}

static gboolean ask(HvrContext *context, const char *name, const HvrRequest *request,
		    GError **error)
{
	HvrVm *vm = hvr_cli_vm(context, name, error);

	return vm && hvr_ask(context, vm, request, error);
}

static gboolean unplug(HvrContext *context, const char *name, const char *device, int seconds,
		       gboolean keep, GError **error)
{
	HvrRequest request = {
		.name = HVR_REQUEST_UNPLUG,
		.device = device,
		.timeout_ms = (guint)seconds * 1000,
		.keep = keep,
	};
	HvrVm *vm = hvr_cli_vm(context, name, error);

	if (!vm)
		return FALSE;
	if (isatty(STDERR_FILENO))
		hvr_message("asking the guest to let go of '%s'; it has %d s", device, seconds);
	if (hvr_ask(context, vm, &request, error))
		return TRUE;
	explain_unplug(error, name, device);
	return FALSE;
}

int hvr_command_unplug(HvrContext *context, char **words, GError **error)
{
	int seconds = 30;
	gboolean keep = FALSE;
	const GOptionEntry entries[] = {
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
		  "How long to wait for the guest (default 30)", "S" },
		{ "keep", 0, 0, G_OPTION_ARG_NONE, &keep,
		  "Leave the card on vfio-pci; `release` gives it back", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("unplug", entries, NULL, &rest, 2, 2, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return hvr_cli_seconds("unplug", "--timeout", seconds, error) &&
			       unplug(context, rest[0], rest[1], seconds, keep, error)
		       ? 0
		       : -1;
}

static gboolean plug(HvrContext *context, const char *name, const char *device, GError **error)
{
	HvrRequest request = { .name = HVR_REQUEST_PLUG, .device = device };

	return ask(context, name, &request, error);
}

int hvr_command_plug(HvrContext *context, char **words, GError **error)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("plug", entries, NULL, &rest, 2, 2, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return plug(context, rest[0], rest[1], error) ? 0 : -1;
}

static gboolean stop(HvrContext *context, const char *name, int seconds, gboolean force,
		     GError **error)
{
	HvrRequest request = {
		.name = HVR_REQUEST_STOP,
		.force = force,
		.powerdown_ms = (guint)seconds * 1000,
	};

	return ask(context, name, &request, error);
}

int hvr_command_stop(HvrContext *context, char **words, GError **error)
{
	int seconds = HVR_SHUTDOWN_POWERDOWN_MS / 1000;
	gboolean force = FALSE;
	const GOptionEntry entries[] = {
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
		  "How long the guest has to power down (default 30)", "S" },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &force,
		  "Do not ask the guest: end QEMU at once", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("stop", entries, NULL, &rest, 1, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return hvr_cli_seconds("stop", "--timeout", seconds, error) &&
			       stop(context, rest[0], seconds, force, error)
		       ? 0
		       : -1;
}
