/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the words of the command line to the command's function.
 */
#include "launcher/command/dispatch.h"

#include <string.h>

#include "launcher/command/help.h"
#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

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

/* A word that was looked for as a profile may have been meant as a command. */
static void suggest_command(GError **error, const char *word)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; hvr_commands[i]; i++)
		g_ptr_array_add(names, (gpointer)hvr_commands[i]->name);
	g_ptr_array_add(names, NULL);
	const char *near = hvr_nearest(word, (const char *const *)names->pdata);
	if (near && error && *error) {
		g_autofree char *message = g_strdup((*error)->message);
		char *newline = strchr(message, '\n');
		if (newline)
			*newline = '\0';
		g_free((*error)->message);
		(*error)->message = g_steal_pointer(&message);
		hvr_error_hint(error, "did you mean the command '%s'?", near);
	}
}

int hvr_dispatch(HvrContext *context, char **words, GError **error)
{
	const HvrCommand *command = NULL;
	GError *cause = NULL;

	if (words[0])
		command = hvr_command_find(words[0]);
	if (command)
		return do_command(command, context, words + 1, error);
	int status = do_command(hvr_commands[0], context, words, &cause);
	if (words[0] && !strchr(words[0], '/') && !g_str_has_suffix(words[0], ".ini") &&
	    g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE))
		suggest_command(&cause, words[0]);
	if (cause)
		g_propagate_error(error, cause);
	return status;
}

gboolean hvr_dispatch_is_of_command(const char *word)
{
	const HvrCommand *command = word ? hvr_command_find(word) : NULL;

	return command && command->of_command;
}
