/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others will see of a VM, from its profile as it was with its --set words, and its plan.
 */
#include "launcher/session/record.h"

#include <unistd.h>

#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/handover.h"

#define SSH_PORT 22

static void describe_ssh(HvrVm *vm, const HvrProfileNet *net)
{
	for (guint i = 0; i < net->forwards->len && !vm->ssh_address; i++) {
		const HvrForward *forward = g_ptr_array_index(net->forwards, i);
		if (forward->udp || forward->guest_port != SSH_PORT)
			continue;
		vm->ssh_address = g_strdup(forward->host_address);
		vm->ssh_port = forward->host_port;
	}
}

static void describe(HvrVm *vm, const HvrProfile *profile)
{
	static const char *const modes[] = {
		[HVR_SERIAL_NONE] = "none",
		[HVR_SERIAL_STDIO] = "stdio",
		[HVR_SERIAL_FILE] = "file",
		[HVR_SERIAL_SOCKET] = "socket",
	};

	vm->profile = g_strdup(profile->file);
	vm->serial = g_strdup(modes[profile->serial]);
	if (profile->serial == HVR_SERIAL_FILE)
		vm->serial_file = g_strdup(profile->serial_file);
	if (profile->graphics != HVR_GRAPHICS_NONE && profile->graphics_port)
		vm->screen = g_strdup_printf("127.0.0.1:%u", profile->graphics_port);
	else
		vm->screen = g_strdup(hvr_handover_screen_name(profile));
	vm->hailort_min = g_strdup(profile->guest.hailort_min);
	vm->ready_set = profile->guest.ready != HVR_READY_NONE;
	for (guint i = 0; i < profile->nets->len; i++)
		describe_ssh(vm, g_ptr_array_index(profile->nets, i));
}

HvrVm *hvr_record_make(const HvrContext *context, const HvrProfile *profile,
		       const HvrDecision *decision, gboolean supervised)
{
	const HvrPlan *plan = decision->plan;
	HvrVm *vm = hvr_vm_new(profile->name);

	describe(vm, profile);
	vm->user = g_strdup(decision->facts->user->name);
	vm->since = g_get_real_time() / G_USEC_PER_SEC;
	if (supervised)
		vm->supervisor = hvr_process_of(&context->host, getpid());
	else
		vm->qemu = hvr_process_of(&context->host, getpid());
	for (guint i = 0, card = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (!planned->id)
			continue;
		g_autofree char *port = hvr_cmdline_card_port(card++);
		HvrVmDevice *device =
			hvr_vm_device_new(planned->id, planned->device->id, planned->function->name,
					  port, planned->function->group);
		device->keep = planned->device->after == HVR_AFTER_KEEP;
		g_ptr_array_add(vm->devices, device);
	}
	return vm;
}
