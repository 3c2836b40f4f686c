/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the host's side of it all, made to last. What is to happen is shown, and what comes of it
 * is said in words; then it is asked for, then done; a second time there is nothing to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/table.h"
#include "launcher/process/blocked.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/nearest.h"
#include "launcher/setup/apply.h"
#include "launcher/setup/cards.h"
#include "launcher/setup/drift.h"
#include "launcher/setup/show.h"
#include "launcher/setup/summary.h"
#include "vfio/fd.h"
#include "vfio/guard.h"

/* The Hailo-8, as in a profile that names no card. */
#define DEFAULT_CARD "1e60:2864"

typedef struct {
	gboolean dry_run, verbose, yes, undo, status, force, trust;
	char *target;
	char *templates;
	char *cpu;
	char *profile;
	char **devices;
} Options;

/* All that a setup works with, from the command line and from the target. */
typedef struct {
	HvrContext *context;
	const Options *options;
	guint parts; /* as named; when none is, all but the guard, or all to look or undo */
	int target;
	HvrSetupSystem *system;
	HvrSetupState *state;
} Setup;

static gboolean usage(GError **error, const char *what)
{
	hvr_command_usage(error, "setup", "%s", what);
	return FALSE;
}

/* "setup undo" is one dash short of an option. */
static void refuse_part(const char *word, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		g_ptr_array_add(names, (gpointer)hvr_setup_part_name((HvrSetupPart)part));
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "setup: there is no part '%s'",
		    word);
	if (hvr_command_option_named(hvr_command_find("setup"), word, strlen(word)))
		hvr_error_hint(error, "did you mean '--%s'?", word);
	hvr_nearest_hint(error, word, (const char *const *)names->pdata);
	hvr_error_hint(error, "parts are %s", all);
}

/* @otherwise: where none is named */
static gboolean parse_parts(char **words, guint otherwise, guint *out_parts, GError **error)
{
	guint parts = 0;

	for (; *words; words++) {
		HvrSetupPart part;
		if (!hvr_setup_part_find(*words, &part)) {
			refuse_part(*words, error);
			return FALSE;
		}
		parts |= 1u << part;
	}
	*out_parts = parts ? parts : otherwise;
	return TRUE;
}

/* The one that is named; else the one of the setup before; else this host's. */
static gboolean set_cpu(Setup *setup, GError **error)
{
	return hvr_setup_system_set_cpu(setup->system, setup->state->cpu) ||
	       usage(error, "--cpu is intel, amd or arm");
}

static gboolean add_card(GPtrArray *cards, HvrSetupCard *card)
{
	if (card)
		g_ptr_array_add(cards, card);
	return card != NULL;
}

static gboolean cards_of_profile(const Setup *setup, const HvrInventory *inventory,
				 GPtrArray *cards, GError **error)
{
	g_autoptr(HvrProfile) profile =
		hvr_cli_profile(setup->context, setup->options->profile, NULL, error);

	if (!profile)
		return FALSE;
	for (guint i = 0; i < profile->devices->len; i++)
		if (!add_card(cards,
			      hvr_setup_card_of_device(g_ptr_array_index(profile->devices, i),
						       inventory, error)))
			return FALSE;
	return TRUE;
}

/* Those that are named; else those of the setup before; else every Hailo-8. */
static gboolean choose_cards(Setup *setup, GError **error)
{
	const Options *options = setup->options;
	g_autoptr(GPtrArray) cards = hvr_setup_cards_new();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&setup->context->host, NULL);

	if (options->profile && !cards_of_profile(setup, inventory, cards, error))
		return FALSE;
	for (guint i = 0; options->devices && options->devices[i]; i++)
		if (!add_card(cards, hvr_setup_card_parse(options->devices[i], inventory, error)))
			return FALSE;
	if (cards->len == 0 && setup->state->cards->len > 0)
		return TRUE;
	if (cards->len == 0)
		add_card(cards, hvr_setup_card_parse(DEFAULT_CARD, NULL, NULL));
	g_ptr_array_unref(setup->state->cards);
	setup->state->cards = g_steal_pointer(&cards);
	return TRUE;
}

/* TRUE when the user says yes. */
static gboolean ask(gboolean *out_answer, GError **error)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return usage(error, "there is nobody to ask: say --yes, or --dry-run to see only");
	fflush(stdout);
	fprintf(stderr, "Go ahead? [y/N] ");
	*out_answer = fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
	return TRUE;
}

static void say_done(const Setup *setup)
{
	g_autofree char *missing = hvr_setup_missing_arguments(setup->system);

	if (!setup->system->live)
		hvr_message("done");
	else if (*missing && (setup->state->parts & (1u << HVR_SETUP_KERNEL_ARGS)))
		hvr_message("done; it takes effect when this host boots again, with %s", missing);
	else
		hvr_message("done; it takes effect when this host boots again");
}

/* The one part that depends on something that may not be there to be changed. */
static gboolean refuse_kernel_args(const HvrSetupPlan *plan, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "setup: kernel-args is not done: %s", plan->left);
	if (plan->by_hand)
		hvr_error_hint(error, "by hand: %s", plan->by_hand);
	return FALSE;
}

static HvrSetupWay way_of(const Setup *setup)
{
	if (setup->system->live)
		return HVR_SETUP_HERE;
	if (setup->options->trust)
		return HVR_SETUP_TRUSTED;
	return HVR_SETUP_CONFINED;
}

/* The last thing before the question is what it means. @left: (nullable): of the plan */
static void show(const Setup *setup, const GPtrArray *changes, const char *left)
{
	const Options *options = setup->options;
	guint after = setup->state->pending | hvr_setup_changes_after(changes);
	g_autoptr(GPtrArray) commands = hvr_setup_after_commands(setup->system, after);
	HvrSetupDetail detail = HVR_SETUP_NAMES;
	g_autoptr(HvrInventory) inventory = NULL;

	if (options->dry_run || options->verbose)
		detail = HVR_SETUP_CONTENTS;
	if (setup->system->live)
		inventory = hvr_inventory_read(&setup->context->host, NULL);
	const HvrSetupSummary what = { .changes = changes,
				       .system = setup->system,
				       .cards = setup->state->cards,
				       .inventory = inventory,
				       .target = options->target,
				       .left = left,
				       .undo = options->undo };
	g_autofree char *text = hvr_setup_show(changes, commands, detail);
	g_autofree char *summary = hvr_setup_summary(&what);
	printf("%s\n%s", text, summary);
}

static gboolean show_and_apply(Setup *setup, const GPtrArray *changes, const char *left,
			       GError **error)
{
	const Options *options = setup->options;
	HvrSetupSite site = { .target = setup->target,
			      .system = setup->system,
			      .runner = &hvr_setup_runner,
			      .way = way_of(setup) };
	gboolean answer = options->yes;

	if (changes->len == 0 && setup->state->pending == 0) {
		hvr_message("nothing to do");
		return TRUE;
	}
	show(setup, changes, left);
	if (options->dry_run)
		return TRUE;
	if (!answer && !ask(&answer, error))
		return FALSE;
	if (!answer) {
		hvr_message("nothing was changed");
		return TRUE;
	}
	fflush(stdout);
	if (!hvr_setup_apply(&site, changes, setup->state, error))
		return FALSE;
	say_done(setup);
	return TRUE;
}

static HvrSetupScope scope_of(const Setup *setup, guint parts)
{
	return (HvrSetupScope){ .target = setup->target,
				.state = setup->state,
				.parts = parts,
				.force = setup->options->force };
}

/* The module knows cards by nothing else; with more of them than it has room for it does not load.
 */
static gboolean can_guard(const Setup *setup, GError **error)
{
	guint n = 0;
	g_autofree char *ids = hvr_setup_cards_ids(setup->state->cards, &n);

	if (n > 0 && n <= HVR_GUARD_MOST)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "setup: guard is for 1 to %d kinds of cards, by VENDOR:DEVICE, and here are %u",
		    HVR_GUARD_MOST, n);
	hvr_error_hint(error, "name them with --device, such as --device " DEFAULT_CARD);
	return FALSE;
}

static int set_up(Setup *setup, GError **error)
{
	/* What was chosen before is kept up to date with it: it may be about other cards now. */
	guint parts = setup->parts | setup->state->parts;

	if (setup->options->cpu) {
		g_free(setup->state->cpu);
		setup->state->cpu = g_strdup(setup->options->cpu);
	}

	if (!set_cpu(setup, error) || !choose_cards(setup, error))
		return -1;
	if ((parts & (1u << HVR_SETUP_GUARD)) && !can_guard(setup, error))
		return -1;
	g_autoptr(HvrSetupPlan) plan = hvr_setup_plan_now(setup->system, parts, setup->state->cards,
							  setup->options->templates, error);
	if (!plan)
		return -1;
	const HvrSetupScope scope = scope_of(setup, parts);
	g_autoptr(GPtrArray) changes = hvr_setup_changes_make(&scope, plan, error);
	if (!changes)
		return -1;
	for (guint i = 0; i < plan->notes->len; i++)
		hvr_message("%s", (const char *)g_ptr_array_index(plan->notes, i));
	setup->state->parts = parts;
	if (plan->left)
		setup->state->parts &= ~(1u << HVR_SETUP_KERNEL_ARGS);
	gboolean idle = changes->len == 0 && setup->state->pending == 0;
	if (!(plan->left && idle) && !show_and_apply(setup, changes, plan->left, error))
		return -1;
	if (plan->left && !refuse_kernel_args(plan, error))
		return -1;
	return 0;
}

static int undo(Setup *setup, GError **error)
{
	const HvrSetupScope scope = scope_of(setup, setup->parts);
	g_autoptr(GPtrArray) changes = hvr_setup_changes_undo(&scope, setup->system, error);

	if (!changes)
		return -1;
	setup->state->parts &= ~setup->parts;
	return show_and_apply(setup, changes, NULL, error) ? 0 : -1;
}

static int status(Setup *setup, GError **error)
{
	HvrSetupState *state = setup->state;
	guint parts = setup->parts & state->parts;

	if (!state->there) {
		puts("not set up");
		return 1;
	}
	if (!set_cpu(setup, error))
		return -1;
	const HvrSetupScope scope = scope_of(setup, parts);
	g_autoptr(GPtrArray) changes =
		hvr_setup_drift(&scope, setup->system, setup->options->templates, error);
	if (!changes)
		return -1;
	g_autofree char *drift = hvr_setup_show_drift(changes);
	fputs(drift, stdout);
	if (state->pending)
		puts("not finished: run setup again");
	g_autofree char *lost = hvr_setup_without_effect(state, setup->system);
	if (lost)
		printf("kernel-args: this host was booted since without %s\n", lost);
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		if (HVR_SETUP_ALL_PARTS & ~state->parts & (1u << part))
			printf("%s: not set up\n", hvr_setup_part_name((HvrSetupPart)part));
	if (changes->len || state->pending || lost)
		return 1;
	puts("as set up");
	return 0;
}

/* Templates become files that root runs, and programs that are trusted run as root: who may call
 * this program by sudo would be root by them. */
static gboolean is_not_by_sudo(const Options *options, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	if (!caller->privileged || (!options->trust && !options->templates))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "setup: --trust and --templates are for root itself, not by sudo");
	hvr_error_hint(error, "sudo -i, then run it there");
	return FALSE;
}

static gboolean may(const Setup *setup, GError **error)
{
	const Options *options = setup->options;

	if (setup->context->captured)
		return usage(error, "--root shows a captured tree; another system is --target DIR");
	if (options->undo + options->status > 1)
		return usage(error, "--undo or --status, one of them");
	if (options->trust && !options->target)
		return usage(error, "--trust is about a --target");
	if (setup->context->privileged || options->dry_run || options->status)
		return is_not_by_sudo(options, error);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "setup: only root can set a host up");
	hvr_error_hint(error, "run it with sudo, or see what it would do with --dry-run");
	return FALSE;
}

static int carry_out(Setup *setup, GError **error)
{
	const char *folder =
		setup->options->target ? setup->options->target : setup->context->system_root;
	g_auto(HvrFd) target = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved = errno;

	if (target < 0) {
		g_autoptr(HvrUser) caller = hvr_user_caller();
		const HvrBlockedFile file = { .code = HVR_LAUNCH_ERROR_USAGE,
					      .what = "--target",
					      .verb = "read",
					      .path = folder,
					      .problem = saved };
		hvr_blocked_fail(error, caller, &file);
		return -1;
	}
	g_autoptr(HvrSetupState) state = hvr_setup_state_load(target, error);
	if (!state)
		return -1;
	g_autoptr(HvrSetupSystem) system =
		hvr_setup_system_look(setup->context, target, setup->options->target == NULL);
	setup->target = target;
	setup->state = state;
	setup->system = system;
	if (setup->options->status)
		return status(setup, error);
	return setup->options->undo ? undo(setup, error) : set_up(setup, error);
}

static void show_parts(void)
{
	printf("Parts (default: all but guard):\n");
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		printf("  %-12s  %s\n", hvr_setup_part_name((HvrSetupPart)part),
		       hvr_setup_part_summary((HvrSetupPart)part));
}

static int setup(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	Setup it = { .context = context, .options = options, .target = -1 };
	gboolean all = options->undo || options->status;
	guint otherwise = all ? HVR_SETUP_KNOWN_PARTS : HVR_SETUP_ALL_PARTS;

	if (!may(&it, error) || !parse_parts(invocation->words, otherwise, &it.parts, error))
		return -1;
	return carry_out(&it, error);
}

static const HvrOption table[] = {
	{ "dry-run", 'n', HVR_FLAG(Options, dry_run), NULL, "Show it only, in full" },
	{ "verbose", 'v', HVR_FLAG(Options, verbose), NULL, "Show what is in each file" },
	{ "yes", 'y', HVR_FLAG(Options, yes), NULL, "Do not ask" },
	{ "undo", 0, HVR_FLAG(Options, undo), NULL, "Take it all back" },
	{ "status", 0, HVR_FLAG(Options, status), NULL,
	  "Is all as it was set up? exit 0 yes, 1 no" },
	{ "device", 'd', HVR_TEXTS(Options, devices), "VENDOR:DEVICE|PATH",
	  "Which cards (default: 1e60:2864); may be repeated" },
	{ "profile", 'p', HVR_TEXT(Options, profile), "PROFILE", "The cards of a profile" },
	{ "target", 0, HVR_TEXT(Options, target), "DIR",
	  "Set up the system in a folder, such as an image's" },
	{ "trust", 0, HVR_FLAG(Options, trust), NULL,
	  "Run the target's programs as this host's, not confined" },
	{ "cpu", 0, HVR_TEXT(Options, cpu), "intel|amd|arm",
	  "Of the target, if it is not this one" },
	{ "force", 0, HVR_FLAG(Options, force), NULL,
	  "Replace files that are not setup's, or were changed since" },
	{ "templates", 0, HVR_TEXT(Options, templates), "DIR", "Where setup's templates are" },
	{ .name = NULL },
};

const HvrCommand hvr_command_setup = {
	.name = "setup",
	.words = "[PART...]",
	.summary = "prepare this host for good, or take that back",
	.most = HVR_SETUP_N_PARTS,
	.options = table,
	.size = sizeof(Options),
	.describe = show_parts,
	.run = setup,
};
