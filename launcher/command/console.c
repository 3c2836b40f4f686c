/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: the guest's serial port on this terminal, from whoever has it: the supervisor, which
 * serves any number of us, or a QEMU that nobody stays with.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/ask.h"
#include "launcher/session/console.h"
#include "launcher/session/serial-replay.h"
#include "qmp/connect.h"
#include "vfio/fd.h"

/* How long a supervisor that was killed may take to be gone. */
#define DYING_S 5

static int refuse(const HvrVm *vm, GError **error)
{
	if (g_strcmp0(vm->serial, "none") == 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has no serial port ([serial] mode = none)", vm->name);
		return -1;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s' has its serial port elsewhere: it was started with --exec, and "
		    "[serial] mode = %s",
		    vm->name, vm->serial ? vm->serial : "unknown");
	if (vm->serial_file)
		hvr_error_hint(error, "read it: hailo-vm-run log %s", vm->name);
	else
		hvr_error_hint(error, "start it without --exec, or with mode = socket");
	return -1;
}

/* -1 without @error: nobody serves it. @out_shared: others may have joined it, too */
static int join(const HvrVm *vm, int folder, gboolean *out_shared, GError **error)
{
	static const char *const sockets[] = { HVR_VM_CONSOLE, HVR_VM_PORT, HVR_VM_SERIAL };
	int port = -1;

	for (guint i = 0; port < 0 && i < G_N_ELEMENTS(sockets); i++) {
		g_autoptr(GError) cause = NULL;
		port = hvr_qmp_connect(folder, sockets[i], &cause);
		*out_shared = i == 0;
		if (port >= 0 || hvr_ask_found_nobody(cause))
			continue;
		g_propagate_prefixed_error(error, g_steal_pointer(&cause), "VM '%s': ", vm->name);
		break;
	}
	return port;
}

static int tell_end(const HvrContext *context, const HvrVm *vm, HvrRelayEnd end, GError **error)
{
	switch (end) {
	case HVR_RELAY_LEFT:
		hvr_message("left the console; VM '%s' goes on", vm->name);
		return 0;
	case HVR_RELAY_ENDED:
		hvr_cli_tell_end(context, vm->name);
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

/* What the supervisor shows to those who join it. */
static void show_last_lines(int folder)
{
	g_auto(HvrFd) record = openat(folder, HVR_VM_SERIAL_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	g_autoptr(GString) lines = hvr_serial_replay(record);

	(void)!hvr_fd_write_all(STDOUT_FILENO, lines->str, lines->len);
}

/* Nobody else does it for those who join QEMU itself, which serves one at a time. */
static void prepare_alone(const HvrVm *vm, int folder)
{
	if (isatty(STDIN_FILENO))
		hvr_message("VM '%s' says nothing here while somebody else has its serial port",
			    vm->name);
	show_last_lines(folder);
}

/* Whoever served us was its supervisor, which is gone, or is about to be: the kernel closes what a
 * killed process has before it says that it has ended. QEMU itself is there to be joined then. */
static gboolean is_orphaned(const HvrContext *context, const HvrVm *vm)
{
	g_auto(HvrFd) supervisor = (int)syscall(SYS_pidfd_open, vm->supervisor.pid, 0);

	if (!vm->supervisor.pid || !hvr_process_alive(&context->host, &vm->qemu))
		return FALSE;
	if (supervisor < 0 || !hvr_process_alive(&context->host, &vm->supervisor))
		return TRUE;
	return hvr_fd_readable_before(supervisor,
				      g_get_monotonic_time() + DYING_S * G_USEC_PER_SEC);
}

static HvrRelayEnd run(const HvrContext *context, const HvrVm *vm, int folder, int port)
{
	g_autoptr(HvrKeys) keys = hvr_keys_new(context, vm->name, HVR_KEYS_CONSOLE);
	HvrRelayEnd end = hvr_console_run(port, STDIN_FILENO, STDOUT_FILENO, keys);

	if (end != HVR_RELAY_ENDED || !is_orphaned(context, vm))
		return end;
	/* No other socket: one of the dying may still take a connection. */
	g_auto(HvrFd) own = hvr_qmp_connect(folder, HVR_VM_PORT, NULL);
	if (own < 0)
		return end;
	hvr_message("VM '%s' has lost its supervisor, and goes on", vm->name);
	return hvr_console_run(own, STDIN_FILENO, STDOUT_FILENO, keys);
}

static int console(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);
	GError *cause = NULL;
	gboolean shared;

	if (!vm)
		return -1;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	g_auto(HvrFd) port = join(vm, folder, &shared, &cause);
	if (port < 0 && !cause)
		return refuse(vm, error);
	if (port < 0) {
		g_propagate_error(error, cause);
		return -1;
	}
	if (!shared)
		prepare_alone(vm, folder);
	return tell_end(context, vm, run(context, vm, folder, port), error);
}

const HvrCommand hvr_command_console = {
	.name = "console",
	.words = "VM",
	.summary = "the guest's serial port, with its last lines; Ctrl-] then d leaves",
	.least = 1,
	.most = 1,
	.run = console,
};
