/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unplug, plug and reboot: what is done to a running VM, by whoever answers for it.
 */
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/ask.h"

/* Returns: the exit status of a command that does nothing else. */
static int ask(HvrContext *context, const HvrInvocation *invocation, const HvrRequest *request,
	       GError **error)
{
	HvrVm *vm = hvr_cli_vm(context, invocation->words[0], error);

	return vm && hvr_ask(context, vm, request, error) ? 0 : -1;
}

/* A command whose options are the request itself, of a device where it takes one. */
static int do_request(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	HvrRequest *request = invocation->options;

	request->device = invocation->words[1];
	return ask(context, invocation, request, error);
}

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

typedef struct {
	int timeout_s;
	gboolean keep;
} UnplugOptions;

static int do_unplug(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const UnplugOptions *options = invocation->options;
	const char *name = invocation->words[0], *device = invocation->words[1];
	HvrRequest request = {
		.name = HVR_REQUEST_UNPLUG,
		.device = device,
		.timeout_ms = (guint)options->timeout_s * 1000,
		.keep = options->keep,
	};
	HvrVm *vm = hvr_cli_vm(context, name, error);

	if (!vm)
		return -1;
	if (isatty(STDERR_FILENO))
		hvr_message("asking the guest to let go of '%s'; it has %d s", device,
			    options->timeout_s);
	if (hvr_ask(context, vm, &request, error))
		return 0;
	explain_unplug(error, name, device);
	return -1;
}

static const HvrOption unplug_options[] = {
	{ "timeout", 't', HVR_SECONDS(UnplugOptions, timeout_s, 1, HVR_DAY_S), "S",
	  "How long to wait for the guest (default 30)" },
	{ "keep", 0, HVR_FLAG(UnplugOptions, keep), NULL,
	  "Leave the card on vfio-pci; `release` gives it back" },
	{ .name = NULL },
};

const HvrCommand hvr_command_unplug = {
	.name = "unplug",
	.words = "VM DEVICE",
	.summary = "take a card out of a running VM, back to the host",
	.least = 2,
	.most = 2,
	.options = unplug_options,
	.size = sizeof(UnplugOptions),
	.defaults = &(const UnplugOptions){ .timeout_s = 30 },
	.run = do_unplug,
};

const HvrCommand hvr_command_plug = {
	.name = "plug",
	.words = "VM DEVICE",
	.summary = "put a card back into a running VM",
	.least = 2,
	.most = 2,
	.size = sizeof(HvrRequest),
	.defaults = &(const HvrRequest){ .name = HVR_REQUEST_PLUG },
	.run = do_request,
};

static const HvrOption reboot_options[] = {
	{ "hard", 0, HVR_FLAG(HvrRequest, force), NULL, "Do not ask the guest: reset it at once" },
	{ .name = NULL },
};

const HvrCommand hvr_command_reboot = {
	.name = "reboot",
	.words = "VM",
	.summary = "have a VM's guest start anew",
	.least = 1,
	.most = 1,
	.options = reboot_options,
	.size = sizeof(HvrRequest),
	.defaults = &(const HvrRequest){ .name = HVR_REQUEST_REBOOT },
	.run = do_request,
};
