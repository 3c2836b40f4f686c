/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This process becomes ssh, through the port of the host that leads to the guest's port 22.
 *
 * It inherits this process's environment: all of a plain user's, and as root the little that main()
 * has left, which has no agent and no ssh-askpass in it. Its options can have it run anything
 * (ProxyCommand, LocalCommand), so where root was reached by sudo it is the caller's ssh, with the
 * caller's keys.
 */
#include "launcher/session/ssh.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "launcher/parts/portholder.h"
#include "launcher/process/install.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/program.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"

/* The letters of ssh(1) whose value may be the next word. */
#define VALUED "bceilmopBDEFIJLOPQRSwW"

/* 0.0.0.0 is where QEMU listens; it is no address to go to. */
static const char *address_of(const HvrVm *vm)
{
	return g_str_equal(vm->ssh_address, "0.0.0.0") ? "127.0.0.1" : vm->ssh_address;
}

/* The first word that is no option of ssh's, nor the value of one. */
static char **behind_options(char **words)
{
	for (; *words && (*words)[0] == '-' && (*words)[1] != '\0'; words++) {
		if (g_str_equal(*words, "--"))
			break;
		const char *valued = *words + 1 + strcspn(*words + 1, VALUED);
		if (valued[0] != '\0' && valued[1] == '\0' && words[1])
			words++;
	}
	return words;
}

static void add(GPtrArray *argv, const char *word)
{
	g_ptr_array_add(argv, g_strdup(word));
}

GPtrArray *hvr_ssh_argv(const HvrVm *vm, const HvrSshWish *wish)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
	const char *user = wish->user ? wish->user : vm->ssh_user;
	char **command = behind_options(wish->arguments);

	add(argv, "ssh");
	g_ptr_array_add(argv, g_strdup_printf("-p%u", vm->ssh_port));
	if (wish->terminal)
		add(argv, "-t");
	/* Of two words about one thing ssh takes the first: the caller's. */
	for (char **option = wish->arguments; option < command; option++)
		add(argv, *option);
	g_ptr_array_add(argv, g_strdup_printf("-oHostKeyAlias=hailo-vm-run-%s", vm->name));
	add(argv, "-oUserKnownHostsFile=/dev/null");
	add(argv, "-oGlobalKnownHostsFile=/dev/null");
	add(argv, "-oStrictHostKeyChecking=no");
	/* It would warn at each start that it has added the key, to /dev/null. */
	add(argv, "-oLogLevel=ERROR");
	if (user)
		g_ptr_array_add(argv, g_strdup_printf("-l%s", user));
	add(argv, address_of(vm));
	for (; *command; command++)
		add(argv, *command);
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

static gboolean check_forward(const HvrVm *vm, GError **error)
{
	if (vm->ssh_address)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s' has no forward to the guest's port 22", vm->name);
	hvr_error_hint(error, "its profile needs a [net] with mode = user and forward = auto");
	return FALSE;
}

/* Whoever else has the port by now must not get a login. Who cannot be seen is taken for the VM. */
static gboolean check_holder(const HvrContext *context, const HvrVm *vm, GError **error)
{
	const HvrPort port = { .address = address_of(vm), .number = vm->ssh_port };
	g_autofree char *holder = hvr_port_holder(context, &port);
	g_autofree char *wanted = g_strdup_printf("VM '%s'", vm->name);

	if (!holder || g_str_equal(holder, wanted))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s:%u leads to %s, not into %s", port.address, port.number, holder, wanted);
	return FALSE;
}

void hvr_ssh_become(const HvrContext *context, const HvrVm *vm, const HvrSshWish *wish,
		    GError **error)
{
	g_autofree char *path = NULL;

	if (!check_forward(vm, error) || !check_holder(context, vm, error))
		return;
	path = hvr_program_find("ssh", context->privileged);
	if (!path) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot run ssh: there is none");
		hvr_install_hint(error, "install it", &context->host, HVR_PACKAGE_SSH);
		return;
	}
	g_autoptr(GPtrArray) argv = hvr_ssh_argv(vm, wish);
	if (!become_caller(error))
		return;
	hvr_interrupt_default();
	signal(SIGPIPE, SIG_DFL);
	execv(path, (char *const *)argv->pdata);
	int saved = errno;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot run ssh: %s",
		    g_strerror(saved));
}
