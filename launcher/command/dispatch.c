/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the words of the command line to the command's function.
 */
#include "launcher/command/dispatch.h"

#include <string.h>

#include "launcher/command/cli.h"
#include "launcher/command/help.h"
#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/report/error.h"

static int do_command(const HvrCommand *command, HvrContext *context, char **words, GError **error)
{
	HvrInvocation *invocation = hvr_invocation_parse(command, words, error);
	int status = 0;

	if (!invocation)
		return -1;
	if (invocation->help)
		hvr_help_command(command);
	else
		status = command->run(context, invocation, error);
	hvr_invocation_free(command, invocation);
	return status;
}

/* It may be a command, misspelt; a path or an option may not. */
static gboolean is_bare(const char *word)
{
	return *word && *word != '-' && !strchr(word, '/') && !g_str_has_suffix(word, ".ini");
}

/* The first word is no command: is it a profile, so that "run" was left out? */
static gboolean check_profile(const HvrContext *context, char **words, GError **error)
{
	g_autoptr(GPtrArray) names = hvr_command_names();
	GError *cause = NULL;

	for (const HvrGlobalOption *global = hvr_global_options; global->name; global++)
		g_ptr_array_insert(names, (int)names->len - 1, (gpointer)global->name);
	const char *const *commands = (const char *const *)names->pdata;

	if (!is_bare(words[0]) || hvr_cli_profile_is_there(context, words[0], commands, &cause))
		return TRUE;
	/* With more behind it, it was meant as a command. */
	if (words[1])
		cause->code = HVR_LAUNCH_ERROR_USAGE;
	g_propagate_error(error, cause);
	return FALSE;
}

/* "lab stop" */
static gboolean check_order(char **words, GError **error)
{
	if (!words[0] || !words[1] || *words[0] == '-' || !hvr_command_find(words[1]))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "'%s' is no command, and the command stands first", words[0]);
	hvr_error_hint(error, "did you mean 'hailo-vm-run %s %s'?", words[1], words[0]);
	return FALSE;
}

int hvr_dispatch(HvrContext *context, char **words, GError **error)
{
	const HvrCommand *command = NULL;

	if (words[0])
		command = hvr_command_find(words[0]);
	if (command)
		return do_command(command, context, words + 1, error);
	if (words[0] && (!check_order(words, error) || !check_profile(context, words, error)))
		return -1;
	return do_command(hvr_commands[0], context, words, error);
}

int hvr_dispatch_status_of_ours(const char *word)
{
	const HvrCommand *command = word ? hvr_command_find(word) : NULL;

	return command ? command->ours : 0;
}
