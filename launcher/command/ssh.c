/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ssh: this process becomes ssh, through the port of the host that leads to the guest's port 22.
 *
 * All VMs are the same address with other ports, and a new guest behind the same port has another
 * key. So ssh keeps the keys under the VM's name.
 *
 * It inherits this process's environment: all of a plain user's, and as root the little that main()
 * has left, which has no agent and no ssh-askpass in it. Its options can have it run anything
 * (ProxyCommand, LocalCommand), so where root was reached by sudo it is the caller's ssh, with the
 * caller's keys.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/process/install.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/program.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"

static GPtrArray *build_argv(const HvrVm *vm, char **arguments)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, g_strdup("ssh"));
	g_ptr_array_add(argv, g_strdup_printf("-p%u", vm->ssh_port));
	g_ptr_array_add(argv, g_strdup_printf("-oHostKeyAlias=hailo-vm-run-%s", vm->name));
	/* 0.0.0.0 is where QEMU listens; it is no address to go to. */
	g_ptr_array_add(argv, g_strdup(g_str_equal(vm->ssh_address, "0.0.0.0") ? "127.0.0.1"
									       : vm->ssh_address));
	/* OpenSSH takes options behind the host, too. */
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, g_strdup(*arguments));
	g_ptr_array_add(argv, NULL);
	return argv;
}

static gboolean become_caller(GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	const HvrIdentity identity = hvr_user_identity(caller);

	if (!caller->privileged)
		return TRUE;
	const char *problem = hvr_privileges_drop(&identity);
	if (problem)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "cannot run ssh as user %s: %s", caller->name, problem);
	return problem == NULL;
}

/* Returns only when it failed. */
static void become_ssh(const HvrContext *context, const HvrVm *vm, char **arguments, GError **error)
{
	g_autoptr(GPtrArray) argv = build_argv(vm, arguments);
	g_autofree char *path = hvr_program_find("ssh", context->privileged);

	if (!path) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot run ssh: there is none");
		hvr_install_hint(error, "install it", &context->host, HVR_PACKAGE_SSH);
		return;
	}
	if (!become_caller(error))
		return;
	hvr_interrupt_default();
	signal(SIGPIPE, SIG_DFL);
	execv(path, (char *const *)argv->pdata);
	int saved = errno;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot run ssh: %s",
		    g_strerror(saved));
}

static int ssh(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);

	if (!vm)
		return -1;
	if (!vm->ssh_address) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has no forward to the guest's port 22", vm->name);
		hvr_error_hint(error, "its profile needs a [net] with mode = user and "
				      "forward = tcp:127.0.0.1:2222-22");
		return -1;
	}
	become_ssh(context, vm, invocation->tail, error);
	return -1;
}

const HvrCommand hvr_command_ssh = {
	.name = "ssh",
	.words = "VM [-- ARG...]",
	.summary = "ssh through the forwarded port",
	.least = 1,
	.most = 1,
	.tail = TRUE,
	.run = ssh,
};
