/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: is this host ready? Its exit status is the answer: 0 yes, 1 no, 2 cannot tell.
 */
#include "launcher/check/check.h"
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
#include "launcher/report/error.h"

typedef struct {
	gboolean json, quiet;
	char *card;
	HvrProfileChanges changes;
} Options;

static GPtrArray *ask(HvrContext *context, HvrProfile *profile, const char *card, GError **error)
{
	if (card)
		return hvr_check_card(context, card, error);
	return hvr_check_run(context, profile, error);
}

static int check(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *word = invocation->words[0];
	g_autoptr(HvrProfile) profile = NULL;

	if (options->card && (word || options->changes.sets || options->changes.without)) {
		hvr_command_usage(error, "check", "a PROFILE or --card, one of them");
		return -1;
	}
	if (word) {
		profile = hvr_cli_profile(context, word, &options->changes, error);
		if (!profile)
			return -1;
	}
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	g_autoptr(GPtrArray) results = ask(context, profile, options->card, error);
	if (!results)
		return -1;
	return hvr_cli_show_checks(results, options->json, options->quiet);
}

static const HvrOption table[] = {
	{ "card", 'c', HVR_TEXT(Options, card), "CARD", "That card alone, as between two jobs" },
	HVR_OPTION_JSON(Options, json),
	{ "quiet", 'q', HVR_FLAG(Options, quiet), NULL, "Only what is not PASS, and the verdict" },
	HVR_OPTIONS_CHANGES(Options, changes),
	{ .name = NULL },
};

const HvrCommand hvr_command_check = {
	.name = "check",
	.words = "[PROFILE]",
	.summary = "is this host ready? exit 0 yes, 1 no, 2 cannot tell",
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.ours = HVR_EXIT_CANNOT_TELL,
	.describe = hvr_help_profile_keys,
	.run = check,
};
