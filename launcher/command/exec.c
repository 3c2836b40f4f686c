/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: a command in the guest as if it ran here: its input, its output, its status. The guest's
 * agent has no terminal; with --tty it is ssh that runs the command, which has.
 */
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/guest-options.h"
#include "launcher/command/help.h"
#include "launcher/guest/guest.h"
#include "launcher/guest/input.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/ssh.h"

/* How long an agent may take that is there; --wait is for a guest that is still booting. */
#define REACH_S 10

typedef struct {
	int timeout_s; /* 0: none */
	int wait_s;
	gboolean no_input, tty;
	HvrGuestOptions how;
} Options;

/* @puts: of hvr_guest_options_open() */
static int run(HvrGuest *guest, char **command, const Options *options, const GPtrArray *puts,
	       GError **error)
{
	const HvrGuestLive live = { .out_fd = STDOUT_FILENO,
				    .err_fd = STDERR_FILENO,
				    .in_fd = options->no_input ? -1 : hvr_guest_input_fd(),
				    .how = &options->how,
				    .puts = puts };
	const HvrGuestCommand what = { .argv = (const char *const *)command,
				       .timeout_ms = (guint)options->timeout_s * 1000,
				       .live = &live };
	g_auto(HvrGuestResult) result = { 0 };

	if (!hvr_guest_run(guest, &what, &result, error))
		return -1;
	if (result.timed_out)
		hvr_message("the command has not ended within %d s and was killed",
			    options->timeout_s);
	if (result.truncated)
		hvr_message("the agent keeps 16 MiB of output; the rest is lost");
	if (!options->no_input && isatty(STDIN_FILENO) && result.out->len + result.err->len == 0)
		hvr_message("no output, and it got no input: standard input is a terminal, and the "
			    "guest's agent has none; exec -t and ssh have one");
	return result.status;
}

/* What ssh cannot do for the command, or not so. */
static gboolean check_tty(const Options *options, GError **error)
{
	const HvrGuestOptions *how = &options->how;
	const struct {
		gboolean given;
		const char *name;
	} others[] = {
		{ how->script != NULL, "script" }, { how->put != NULL, "put" },
		{ how->env != NULL, "env" },	   { how->cwd != NULL, "cwd" },
		{ options->timeout_s, "timeout" }, { options->no_input, "no-input" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		if (!others[i].given)
			continue;
		hvr_command_usage(error, "exec", "--tty goes by ssh, and --%s by the guest's agent",
				  others[i].name);
		return FALSE;
	}
	if (isatty(STDIN_FILENO))
		return TRUE;
	hvr_command_usage(error, "exec", "--tty: the standard input is no terminal");
	return FALSE;
}

static gboolean check(const char *vm, char **command, const Options *options, GError **error)
{
	if (!hvr_guest_options_check(&options->how, "exec", error) ||
	    (options->tty && !check_tty(options, error)))
		return FALSE;
	if (*command || options->how.script)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "exec: the command for the guest is missing");
	hvr_error_hint(error, "hailo-vm-run exec %s -- uname -a", vm);
	return FALSE;
}

/* What cannot be typed over ssh, the console may take. */
static void hint_console(GError **error, const HvrVm *vm)
{
	if (!vm->ssh_address && g_strcmp0(vm->serial, "socket") == 0)
		hvr_error_hint(error, "its serial console is a terminal: hailo-vm-run console %s",
			       vm->name);
}

/* The words go through the shell that ssh starts, each as it is. */
static int become_ssh(const HvrContext *context, const HvrVm *vm, char **command,
		      const Options *options, GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (char **word = command; *word; word++) {
		g_autofree char *quoted = g_shell_quote(*word);
		g_string_append_printf(line, "%s%s", word == command ? "" : " ", quoted);
	}
	char *arguments[] = { (char *)"--", line->str, NULL };
	const HvrSshWish wish = { .arguments = arguments,
				  .terminal = TRUE,
				  .user = options->how.user };
	hvr_ssh_become(context, vm, &wish, error);
	hint_console(error, vm);
	return -1;
}

static int exec(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	char **command = invocation->tail;
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);

	if (!vm || !check(vm->name, command, options, error))
		return -1;
	if (options->tty)
		return become_ssh(context, vm, command, options, error);
	g_autoptr(GPtrArray) puts = hvr_guest_options_open(&options->how, error);
	if (!puts)
		return -1;
	g_autoptr(HvrGuest) guest =
		hvr_guest_open(context, vm, (guint)options->wait_s * 1000, error);
	if (!guest)
		return -1;
	return run(guest, command, options, puts, error);
}

static const HvrOption table[] = {
	HVR_OPTIONS_GUEST(Options, how),
	{ "tty", 't', HVR_FLAG(Options, tty), NULL,
	  "Give the command a terminal, by ssh; its status is ssh's" },
	{ "timeout", 0, HVR_SECONDS(Options, timeout_s, 0, HVR_DAY_S), "S",
	  "Kill the command after this time (default: none)" },
	{ "wait", 'w', HVR_SECONDS(Options, wait_s, 1, HVR_DAY_S), "S",
	  "How long the guest's agent may take to answer at first (default 10)" },
	{ "no-input", 'n', HVR_FLAG(Options, no_input), NULL, "Do not read the standard input" },
	{ .name = NULL },
};

const HvrCommand hvr_command_exec = {
	.name = "exec",
	.words = "VM -- CMD [ARG...]",
	.summary = "run a command in the guest; its status is ours",
	.describe = hvr_help_command_status,
	.least = 1,
	.most = 1,
	.tail = TRUE,
	.ours = HVR_EXIT_NOT_JUDGED,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .wait_s = REACH_S },
	.run = exec,
};
