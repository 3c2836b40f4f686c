/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others will see of a VM, from its profile as it was with its --set words, and its plan.
 */
#include "launcher/session/record.h"

#include <unistd.h>

#include "launcher/host/windows.h"
#include "launcher/parts/ports.h"
#include "launcher/process/user.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/handover.h"

#define SSH_PORT 22

/* As they have been taken: those that were to be chosen are known by now. */
static void describe_forwards(HvrVm *vm, const HvrProfile *profile, const GArray *ports)
{
	const HvrForward *forward;

	for (guint i = 0; (forward = hvr_profile_forward(profile, i)); i++) {
		guint port = hvr_ports_number(ports, HVR_PORTS_SCREEN + 1 + i);
		if (!port)
			port = forward->host_port;
		g_ptr_array_add(vm->forwards,
				hvr_vm_forward_new(forward->udp, forward->host_address, port,
						   forward->guest_port));
		if (vm->ssh_address || forward->udp || forward->guest_port != SSH_PORT)
			continue;
		vm->ssh_address = g_strdup(forward->host_address);
		vm->ssh_port = port;
	}
}

/* @ports: (nullable): as of HvrPorts.numbers */
static char *describe_screen(const HvrProfile *profile, const GArray *ports)
{
	guint port = hvr_ports_number(ports, HVR_PORTS_SCREEN);

	if (profile->graphics == HVR_GRAPHICS_NONE || !profile->graphics_port)
		return g_strdup(hvr_handover_screen_name(profile));
	if (!port)
		port = profile->graphics_port;
	return g_strdup_printf("127.0.0.1:%u", port);
}

static void describe(HvrVm *vm, const HvrProfile *profile, const GArray *ports)
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
	vm->screen = describe_screen(profile, ports);
	vm->hailort_min = g_strdup(profile->guest.hailort_min);
	vm->ssh_user = g_strdup(profile->seed.user);
	vm->ready_set = profile->guest.ready != HVR_READY_NONE;
	describe_forwards(vm, profile, ports);
}

HvrVm *hvr_record_make(const HvrContext *context, const HvrProfile *profile,
		       const HvrDecision *decision, gboolean supervised)
{
	const HvrPlan *plan = decision->plan;
	HvrVm *vm = hvr_vm_new(profile->name);

	describe(vm, profile, decision->parts ? decision->parts->ports : NULL);
	vm->user = g_strdup(decision->facts->user->name);
	g_autoptr(HvrUser) caller = hvr_user_caller();
	vm->by = g_strdup(caller->name);
	vm->job = g_strdup(context->job);
	vm->since = g_get_real_time() / G_USEC_PER_SEC;
	if (supervised)
		vm->supervisor = hvr_process_of(&context->host, getpid());
	else
		vm->qemu = hvr_process_of(&context->host, getpid());
	for (guint i = 0, card = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (!planned->id)
			continue;
		HvrWindows windows = hvr_windows_of_port(profile, plan->cards, card);
		g_autofree char *port = hvr_cmdline_card_port(plan->cards, card++);
		HvrVmDevice *device =
			hvr_vm_device_new(planned->id, planned->device->id, planned->function->name,
					  port, planned->function->group);
		if (g_str_equal(planned->id, planned->device->id))
			device->function = planned->device->function;
		device->prefetchable = windows.prefetchable;
		device->memory = windows.memory;
		device->keep = planned->device->after == HVR_AFTER_KEEP;
		g_ptr_array_add(vm->devices, device);
	}
	return vm;
}
