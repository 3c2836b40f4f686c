/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ssh: into a VM, through the port of the host that leads to its port 22.
 */
#include "launcher/session/ssh.h"

#include "launcher/command/cli.h"
#include "launcher/command/command.h"

static int ssh(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);
	const HvrSshWish wish = { .arguments = invocation->tail };

	if (vm)
		hvr_ssh_become(context, vm, &wish, error);
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
