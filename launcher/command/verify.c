/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify: does the guest have its card? As with check the exit status is the answer: 0 yes, 1 no,
 * 2 cannot tell; 69 and 75 when the guest cannot be asked.
 */
#include <stdio.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/guest/verify.h"
#include "launcher/report/json.h"

#define MINIMUM_DEFAULT "4.20"

static gboolean wants_colour(void)
{
	const char *no_colour = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

static int show(const GPtrArray *results, gboolean json)
{
	g_autofree char *text = NULL;

	if (json) {
		hvr_json_print(hvr_check_to_json(results));
	} else {
		text = hvr_check_to_text(results, wants_colour());
		fputs(text, stdout);
	}
	return hvr_check_exit_status(results);
}

static int verify(HvrContext *context, const char *name, int wait_s, gboolean json, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, name, error);
	g_autoptr(HvrGuest) guest =
		vm ? hvr_guest_open(context, vm, (guint)wait_s * 1000, error) : NULL;
	g_auto(HvrVerifyFacts) facts = { 0 };

	if (!guest || !hvr_verify_gather(guest, &facts, error))
		return -1;
	g_autoptr(GPtrArray) results =
		hvr_verify_judge(&facts, vm->hailort_min ? vm->hailort_min : MINIMUM_DEFAULT);
	return show(results, json);
}

int hvr_command_verify(HvrContext *context, char **words, GError **error)
{
	gboolean json = FALSE;
	int wait_s = 10;
	const GOptionEntry entries[] = {
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &json, "One JSON object", NULL },
		{ "wait", 'w', 0, G_OPTION_ARG_INT, &wait_s,
		  "How long the guest's agent may take to answer at first (default 10)", "S" },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("verify", entries, NULL, &rest, 1, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return hvr_cli_seconds("verify", "--wait", wait_s, error)
		       ? verify(context, rest[0], wait_s, json, error)
		       : -1;
}
