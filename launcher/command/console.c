/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: the guest's serial port on this terminal.
 */
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/console.h"
#include "qmp/connect.h"
#include "vfio/fd.h"

static int refuse(const HvrVm *vm, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s' has its serial port elsewhere ([serial] mode = %s)", vm->name,
		    vm->serial ? vm->serial : "unknown");
	if (vm->serial_file)
		hvr_error_hint(error,
			       "read it: hailo-vm-run log %s. For a console its profile "
			       "needs mode = socket",
			       vm->name);
	else
		hvr_error_hint(error, "for a console its profile needs mode = socket");
	return -1;
}

static int tell_end(const HvrVm *vm, HvrRelayEnd end, GError **error)
{
	switch (end) {
	case HVR_RELAY_LEFT:
		hvr_message("left the console; VM '%s' goes on", vm->name);
		return 0;
	case HVR_RELAY_ENDED:
		hvr_message("VM '%s' has ended", vm->name);
		return 0;
	case HVR_RELAY_FAILED:
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot write what the guest says");
		return -1;
	case HVR_RELAY_OPEN: /* a signal */
	default:
		return 0;
	}
}

static int console(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);

	if (!vm)
		return -1;
	if (g_strcmp0(vm->serial, "socket") != 0)
		return refuse(vm, error);
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	g_auto(HvrFd) port = hvr_qmp_connect(folder, HVR_VM_SERIAL, error);
	if (port < 0)
		return -1;
	g_autoptr(HvrKeys) keys = hvr_keys_new(context, vm->name, HVR_KEYS_CONSOLE);
	return tell_end(vm, hvr_console_run(port, STDIN_FILENO, STDOUT_FILENO, keys), error);
}

const HvrCommand hvr_command_console = {
	.name = "console",
	.words = "VM",
	.summary = "the guest's serial port; Ctrl-] then d leaves",
	.least = 1,
	.most = 1,
	.run = console,
};
