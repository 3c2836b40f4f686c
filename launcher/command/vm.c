/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unplug, plug and reboot: what is done to a running VM, by whoever answers for it.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "launcher/session/ask.h"
#include "launcher/session/guest-shutdown.h"
#include "launcher/session/places.h"

/* Asks whoever answers for the VM, and shows that it lasts. */
static gboolean ask(const HvrContext *context, const HvrVm *vm, const HvrRequest *request,
		    const HvrProgressStage *stage, GError **error)
{
	HvrVm *again = hvr_vm_read(context, vm->name, error);

	if (!again)
		return FALSE;
	hvr_progress_begin("%s %s", hvr_request_kinds[request->name].name,
			   request->device ? request->device : vm->name);
	hvr_progress_stage(stage);
	gboolean well = hvr_ask(context, again, request, error);
	hvr_progress_end();
	return well;
}

/* What the user should know beyond "timed out". */
static void explain_unplug(GError **error, const char *vm, const char *device)
{
	if (error && *error && hvr_exit_status(*error) == HVR_EXIT_BUSY)
		hvr_error_hint(error,
			       "the guest has not let go of it: is it up, and is the card "
			       "unused in it? '%s' is still in VM '%s'; if the guest lets "
			       "go later, the card goes back to the host then",
			       device, vm);
}

/* The last line: where its cards are. A group goes back when the last of it has left. */
static void tell_unplugged(const HvrPlaces *places, const char *section, gboolean kept)
{
	g_autoptr(HvrVm) now = hvr_vm_read(places->context, places->vm->name, NULL);
	int group = -1;

	for (guint i = 0; i < places->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(places->vm->devices, i);
		if (g_str_equal(device->section, section))
			group = device->group;
	}
	for (guint i = 0; now && i < now->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(now->devices, i);
		if (device->in_vm && device->group == group) {
			hvr_message("%s: left VM '%s'; the rest of its IOMMU group %d is still in "
				    "it",
				    section, now->name, group);
			return;
		}
	}
	hvr_places_tell(places, section, kept);
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
	const HvrProgressStage stage = { .text = "asked the guest",
					 .limit_ms = request.timeout_ms };
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, name, error);
	g_auto(HvrPlaces) places = { 0 };

	if (!vm)
		return -1;
	hvr_places_remember(&places, context, vm);
	if (ask(context, vm, &request, &stage, error)) {
		tell_unplugged(&places, device, options->keep);
		return 0;
	}
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

static int do_plug(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	static const HvrProgressStage stage = { .text = "preparing the card" };
	const char *name = invocation->words[0], *section = invocation->words[1];
	const HvrRequest request = { .name = HVR_REQUEST_PLUG, .device = section };
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, name, error);

	if (!vm || !ask(context, vm, &request, &stage, error))
		return -1;
	g_autoptr(HvrVm) now = hvr_vm_read(context, name, NULL);
	for (guint i = 0; now && i < now->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(now->devices, i);
		if (device->in_vm && g_str_equal(device->section, section))
			hvr_message("%s: %s is in VM '%s'", section, device->address, name);
	}
	return 0;
}

const HvrCommand hvr_command_plug = {
	.name = "plug",
	.words = "VM DEVICE",
	.summary = "put a card back into a running VM",
	.least = 2,
	.most = 2,
	.run = do_plug,
};

static int do_reboot(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	static const HvrProgressStage stage = { .text = "asked the guest",
						.limit_ms = HVR_GUEST_SHUTDOWN_MS };
	const char *name = invocation->words[0];
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, name, error);

	if (!vm || !ask(context, vm, invocation->options, &stage, error))
		return -1;
	hvr_message("VM '%s' starts anew", name);
	return 0;
}

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
	.run = do_reboot,
};
