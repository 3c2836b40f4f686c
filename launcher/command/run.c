/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run and prepare: the commands that take a profile and the options that bend it.
 */
#include <stdio.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/runtime/name.h"
#include "launcher/session/detach.h"
#include "launcher/session/dry-run.h"
#include "launcher/session/front.h"
#include "launcher/session/run.h"
#include "launcher/session/warm.h"

typedef struct {
	gboolean dry_run, exec, detach, warm;
	HvrProfileChanges changes;
	char *name;
	char *events;
	int wait_s;
	int wait_ready_s;
} Options;

/* Must not both be: a launcher that is QEMU cannot also stay, or step back. */
static gboolean check_options(const Options *options, GError **error)
{
	const char *other = options->detach ? "detach" : "wait-ready";

	if (!options->exec || !(options->detach || options->wait_ready_s))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --exec and --%s exclude each other", other);
	return FALSE;
}

/* Somebody must say how to tell. */
static gboolean check_wait_ready(const Options *options, const HvrProfile *profile, GError **error)
{
	if (!options->wait_ready_s || profile->guest.ready != HVR_READY_NONE)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --wait-ready: the profile does not say when the guest is ready");
	hvr_error_hint(error, "such as: --set guest.agent=yes --set guest.ready=agent");
	return FALSE;
}

/* Somebody must stay who has QEMU go on. */
static gboolean check_warm(const Options *options, const HvrProfile *profile, GError **error)
{
	if (!options->exec || profile->warm == HVR_WARM_NO)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --exec and a warm start exclude each other: nobody stays to plug the "
		    "cards in");
	hvr_error_hint(error, "run without --exec, or with --set vm.warm=no");
	return FALSE;
}

static gboolean refuse_captured(const HvrContext *context, const char *command, GError **error)
{
	if (!context->captured)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "%s: --root shows a captured tree, which cannot be changed", command);
	hvr_error_hint(error, "with --root use list, check, print or run --dry-run");
	return FALSE;
}

static gboolean start(HvrContext *context, HvrProfile *profile, const HvrRunOptions *how,
		      GError **error)
{
	if (profile->warm != HVR_WARM_NO && how->mode == HVR_RUN_SUPERVISE)
		return hvr_warm_run(context, profile, how, error);
	return hvr_run(context, profile, how, error);
}

/* In a process of its own, whose exit status is the answer. */
static int supervise(HvrContext *context, HvrProfile *profile, const HvrRunOptions *how,
		     GError **error)
{
	if (start(context, profile, how, error))
		return hvr_interrupt_pending() ? 128 + hvr_interrupt_pending() : 0;
	return hvr_exit_status(error ? *error : NULL);
}

static int run_detached(HvrContext *context, HvrProfile *profile, HvrRunOptions *how,
			GError **error)
{
	HvrDetached child;
	int status = 0;
	int who = hvr_detach_fork(context, FALSE, &child, &how->ready_fd, error);

	if (who != 0)
		hvr_lock_leave(g_steal_pointer(&how->vm_lock));
	if (who < 0)
		return -1;
	if (who > 0 && !hvr_detach_wait_ready(&child, &status))
		return status;
	/* Which of several it is, for a script. */
	if (who > 0 && !g_str_equal(profile->name, profile->stem))
		printf("%s\n", profile->name);
	if (who > 0)
		return 0;
	return supervise(context, profile, how, error);
}

static int run_in_front(HvrContext *context, HvrProfile *profile, HvrRunOptions *how,
			GError **error)
{
	HvrFront front;
	int who = hvr_front_fork(context, how, &front, error);

	if (who != 0)
		hvr_lock_leave(g_steal_pointer(&how->vm_lock));
	if (who < 0)
		return -1;
	if (who > 0)
		return hvr_front_stay(context, &front, profile->name);
	return supervise(context, profile, how, error);
}

/* As hvr_cli_make_name() would call it now. */
static int show(HvrContext *context, HvrProfile *profile, GError **error)
{
	if (profile->name_auto) {
		g_autofree char *name = hvr_name_look(context, profile->stem);
		hvr_profile_rename(profile, name);
	}
	return hvr_dry_run(context, profile, TRUE, error) ? 0 : -1;
}

static int carry_out(HvrContext *context, HvrProfile *profile, const Options *options,
		     GError **error)
{
	HvrRunOptions how = { .mode = options->exec ? HVR_RUN_EXEC : HVR_RUN_SUPERVISE,
			      .wait_s = options->wait_s,
			      .ready_fd = -1,
			      .wait_ready_s = options->wait_ready_s };

	if (options->dry_run)
		return show(context, profile, error);
	if (!refuse_captured(context, "run", error) || !check_wait_ready(options, profile, error))
		return -1;
	g_auto(HvrCliTaken) taken = { .context = NULL };
	if (!hvr_cli_take(context, profile, options->events, &taken, error))
		return -1;
	how.vm_lock = g_steal_pointer(&taken.lock);
	if (options->detach)
		return run_detached(context, profile, &how, error);
	if (!options->exec && hvr_front_is_wanted(profile))
		return run_in_front(context, profile, &how, error);
	return start(context, profile, &how, error) ? 0 : -1;
}

static int run(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;

	if (!check_options(options, error))
		return -1;
	g_autoptr(HvrProfile) profile = hvr_cli_profile_named(
		context, invocation->words[0], &options->changes, options->name, error);
	if (!profile)
		return -1;
	if (options->warm && profile->warm == HVR_WARM_NO)
		profile->warm = HVR_WARM_AUTO;
	return check_warm(options, profile, error) ? carry_out(context, profile, options, error)
						   : -1;
}

static int prepare(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	HvrRunOptions how = { .mode = HVR_RUN_PREPARE, .wait_s = options->wait_s, .ready_fd = -1 };
	g_autoptr(HvrProfile) profile =
		hvr_cli_profile(context, invocation->words[0], &options->changes, error);

	if (!profile)
		return -1;
	if (options->dry_run)
		return hvr_dry_run(context, profile, TRUE, error) ? 0 : -1;
	if (!refuse_captured(context, "prepare", error) || !hvr_run(context, profile, &how, error))
		return -1;
	return 0;
}

static const HvrOption run_options[] = {
	{ "dry-run", 'n', HVR_FLAG(Options, dry_run), NULL,
	  "Show every change to the host and QEMU's command line; change nothing" },
	{ "exec", 0, HVR_FLAG(Options, exec), NULL, "Become QEMU; `release` gives the cards back" },
	{ "detach", 'd', HVR_FLAG(Options, detach), NULL,
	  "Return when the VM runs; the supervisor stays behind" },
	{ "wait-ready", 0, HVR_SECONDS(Options, wait_ready_s, 0, HVR_DAY_S), "S",
	  "End the VM if its guest is not ready by then; --detach returns when it is" },
	{ "warm", 0, HVR_FLAG(Options, warm), NULL,
	  "Go on with a guest that was saved when it was ready; as [vm] warm = auto" },
	HVR_OPTION_NAME(Options, name),
	HVR_OPTION_EVENTS(Options, events),
	HVR_OPTIONS_CHANGES(Options, changes),
	HVR_OPTION_WAIT(Options, wait_s),
	{ .name = NULL },
};

const HvrCommand hvr_command_run = {
	.name = "run",
	.words = "PROFILE",
	.summary = "start a VM with its cards; the default command",
	.least = 1,
	.most = 1,
	.options = run_options,
	.size = sizeof(Options),
	.describe = hvr_help_profile_keys,
	.run = run,
};

static const HvrOption prepare_options[] = {
	{ "dry-run", 'n', HVR_FLAG(Options, dry_run), NULL,
	  "Show every change to the host; change nothing" },
	HVR_OPTIONS_CHANGES(Options, changes),
	HVR_OPTION_WAIT(Options, wait_s),
	{ .name = NULL },
};

const HvrCommand hvr_command_prepare = {
	.name = "prepare",
	.words = "PROFILE",
	.summary = "the host's side alone: cards on vfio-pci",
	.least = 1,
	.most = 1,
	.options = prepare_options,
	.size = sizeof(Options),
	.describe = hvr_help_profile_keys,
	.run = prepare,
};
