/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: is this host ready? Its exit status is the answer: 0 yes, 1 no, 2 cannot tell.
 */
#include <stdio.h>
#include <unistd.h>

#include "launcher/check/check.h"
#include "launcher/command/cli.h"
#include "launcher/report/json.h"

static gboolean wants_colour(void)
{
	const char *no_colour = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

static int check(HvrContext *context, const HvrProfile *profile, gboolean json, GError **error)
{
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	g_autoptr(GPtrArray) results = hvr_check_run(context, profile, error);
	if (!results)
		return -1;
	if (json) {
		hvr_json_print(hvr_check_to_json(results));
	} else {
		g_autofree char *text = hvr_check_to_text(results, wants_colour());
		fputs(text, stdout);
	}
	return hvr_check_exit_status(results);
}

int hvr_command_check(HvrContext *context, char **words, GError **error)
{
	gboolean json = FALSE;
	g_auto(GStrv) sets = NULL;
	const GOptionEntry entries[] = {
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &json, "One JSON object", NULL },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets,
		  "Override one key of the profile; may be repeated", "SECTION.KEY=VALUE" },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("check", entries, NULL, &rest, 0, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	g_autoptr(HvrProfile) profile =
		rest[0] ? hvr_cli_profile(context, rest[0], sets, error) : NULL;
	return rest[0] && !profile ? -1 : check(context, profile, json, error);
}
