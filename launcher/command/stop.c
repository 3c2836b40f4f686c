/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop: VMs end, each within the time that all of them were given.
 *
 * One is ended right here. Several are ended at the same time, by a process for each: it has a main
 * loop of its own, and for a VM of another user's becomes that user first, whose folder and whose
 * processes are all that it can touch.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/privileges.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/others.h"
#include "launcher/session/places.h"
#include "launcher/session/stop.h"
#include "vfio/fd.h"

#define TIMEOUT_S 30

typedef struct {
	int timeout_s;
	gboolean force, all;
} Options;

/* A VM that is to end. */
typedef struct {
	HvrVm *vm;
	uid_t uid;   /* another user's, */
	char *path;  /* and the runtime folder that it is in, to show; NULL: our own */
	char *below; /* the same, to open */
	char *user;  /* by name, with @path */
	pid_t child; /* who ends it; 0: nobody yet */
} Target;

static void target_free(gpointer data)
{
	Target *target = data;

	hvr_vm_free(target->vm);
	g_free(target->path);
	g_free(target->below);
	g_free(target->user);
	g_free(target);
}

static void add_own(GPtrArray *targets, HvrVm *vm)
{
	Target *target = g_new0(Target, 1);

	target->vm = vm;
	g_ptr_array_add(targets, target);
}

static void add_other(GPtrArray *targets, HvrOther *other)
{
	Target *target = g_new(Target, 1);

	*target = (Target){ .vm = g_steal_pointer(&other->vm),
			    .uid = other->uid,
			    .path = g_strdup(other->path),
			    .below = g_strdup(other->below),
			    .user = g_strdup(other->user) };
	g_ptr_array_add(targets, target);
}

static void add_all(HvrContext *context, GPtrArray *targets)
{
	g_autoptr(GPtrArray) own = NULL;
	g_autoptr(GPtrArray) others = hvr_others_find(context);

	hvr_context_open_runtime(context, FALSE, NULL);
	own = hvr_vm_list(context);
	while (own->len)
		add_own(targets, g_ptr_array_steal_index(own, 0));
	for (guint i = 0; i < others->len; i++)
		add_other(targets, g_ptr_array_index(others, i));
}

/* The only one of that name that other users have; NULL: none, or with @error: several. */
static HvrOther *find_other(const GPtrArray *others, const char *name, GError **error)
{
	HvrOther *found = NULL;

	for (guint i = 0; i < others->len; i++) {
		HvrOther *other = g_ptr_array_index(others, i);
		if (!other->vm || !g_str_equal(other->vm->name, name))
			continue;
		if (found) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
				    "users %s and %s both have a VM '%s'", found->user, other->user,
				    name);
			hvr_error_hint(error, "each may stop their own; --all stops both");
			return NULL;
		}
		found = other;
	}
	return found;
}

/* What has ended needs nothing more, and that is no mistake. */
static gboolean has_ended(const HvrContext *context, const char *name)
{
	g_autoptr(HvrEnded) ended = hvr_ended_find(context, name);

	if (ended)
		hvr_message("VM '%s' has ended already: %s", name, ended->why);
	return ended != NULL;
}

/* @error: not NULL. Returns: FALSE, with @error: there is none of that name */
static gboolean add_named(HvrContext *context, GPtrArray *targets, const char *name, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GPtrArray) others = NULL;

	for (guint i = 0; i < targets->len; i++) {
		const Target *target = g_ptr_array_index(targets, i);
		if (g_str_equal(target->vm->name, name))
			return TRUE;
	}
	HvrVm *own = hvr_cli_vm(context, name, &cause);
	/* One that was killed with its supervisor has left its cards as they are. */
	if (!own && g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE))
		own = hvr_vm_look(context, name);
	if (own) {
		add_own(targets, own);
		return TRUE;
	}
	others = hvr_others_find(context);
	HvrOther *other = find_other(others, name, error);
	if (other)
		add_other(targets, other);
	if (other || *error || has_ended(context, name))
		return !*error;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

/* The last lines say what it took, and where the cards are. */
static gboolean stop_one(const HvrContext *context, Target *target, const HvrStopHow *how,
			 GError **error)
{
	const HvrVm *vm = target->vm;
	g_auto(HvrPlaces) places = { 0 };
	HvrStopped stopped;

	hvr_places_remember(&places, context, vm);
	gboolean well = hvr_stop(context, vm, how, &stopped, error);
	if (hvr_process_alive(&context->host, &vm->qemu))
		return well;
	g_autofree char *what = hvr_stopped_describe(&stopped, how);
	hvr_message("VM '%s' has ended: %s", vm->name, what);
	hvr_places_tell(&places, NULL, FALSE);
	return well;
}

/* In a child: it becomes the VM's user for good. FALSE: it is half one and half the other. */
static gboolean become(HvrContext *context, const Target *target, GError **error)
{
	const struct passwd *entry = getpwuid(target->uid);
	const HvrIdentity identity = { .uid = target->uid,
				       .gid = entry ? entry->pw_gid : (gid_t)target->uid };
	const char *failed = hvr_privileges_drop(&identity);

	hvr_fd_close(context->runtime);
	context->privileged = FALSE;
	context->runtime_path = target->path;
	context->runtime = -1;
	if (!failed)
		context->runtime = hvr_open_beneath(context->host.run, target->below,
						    O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (context->runtime >= 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "VM '%s' of user %s: %s: %s", target->vm->name, target->user,
		    failed ? failed : target->path, g_strerror(errno));
	return FALSE;
}

static G_NORETURN void be_child(const HvrContext *context, Target *target, const HvrStopHow *how)
{
	HvrContext own = *context;
	g_autoptr(GError) error = NULL;
	int status = 0;

	if ((target->path && !become(&own, target, &error)) || !stop_one(&own, target, how, &error))
		status = hvr_exit_settle(-1, FALSE, &error);
	if (error)
		hvr_message_error(error);
	_exit(hvr_interrupt_pending() ? 128 + hvr_interrupt_pending() : status);
}

/* Returns: the highest of their statuses */
static int wait_for_all(const GPtrArray *targets)
{
	int worst = 0;

	for (guint i = 0; i < targets->len; i++) {
		const Target *target = g_ptr_array_index(targets, i);
		int status = 0;
		if (target->child <= 0)
			continue;
		while (waitpid(target->child, &status, 0) < 0 && errno == EINTR)
			;
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		worst = MAX(worst, status);
	}
	return worst;
}

static int stop_several(const HvrContext *context, const GPtrArray *targets, const HvrStopHow *how)
{
	int worst = 0;

	hvr_progress_plain();
	for (guint i = 0; i < targets->len; i++) {
		Target *target = g_ptr_array_index(targets, i);
		target->child = fork();
		if (target->child == 0)
			be_child(context, target, how);
		if (target->child < 0) {
			hvr_message("VM '%s' cannot be stopped: fork: %s", target->vm->name,
				    g_strerror(errno));
			worst = 71;
		}
	}
	hvr_interrupt_default();
	return MAX(worst, wait_for_all(targets));
}

/* What is not there is told, and keeps none of the others. Returns: the highest status */
static int add_words(HvrContext *context, GPtrArray *targets, char **words, gboolean only,
		     GError **error)
{
	int worst = 0;

	for (; *words; words++) {
		GError *cause = NULL;
		if (add_named(context, targets, *words, &cause))
			continue;
		worst = MAX(worst, hvr_exit_status(cause));
		if (only) {
			g_propagate_error(error, cause);
			return -1;
		}
		hvr_message_error(cause);
		g_error_free(cause);
	}
	return worst;
}

static int stop(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const HvrStopHow how = { .whole_ms = (guint)options->timeout_s * 1000,
				 .force = options->force };
	g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(target_free);
	guint n = g_strv_length(invocation->words);
	int worst = 0;

	if (options->all == (n > 0)) {
		hvr_command_usage(error, "stop",
				  n ? "--all and the names of VMs exclude each other"
				    : "VM or --all expected");
		return -1;
	}
	if (options->all)
		add_all(context, targets);
	else
		worst = add_words(context, targets, invocation->words, n == 1, error);
	if (worst < 0)
		return -1;
	if (options->all && targets->len == 0)
		hvr_message("no VM is running");
	Target *only = n == 1 && targets->len ? g_ptr_array_index(targets, 0) : NULL;
	if (only && !only->path)
		return stop_one(context, only, &how, error) ? 0 : -1;
	return MAX(worst, stop_several(context, targets, &how));
}

static const HvrOption table[] = {
	{ "timeout", 't', HVR_SECONDS(Options, timeout_s, 1, HVR_DAY_S), "S",
	  "The whole time until QEMU is killed (default 30)" },
	{ "force", 'f', HVR_FLAG(Options, force), NULL, "Do not ask the guest: end QEMU at once" },
	{ "all", 'a', HVR_FLAG(Options, all), NULL, "Every VM of yours; as root everybody's" },
	{ .name = NULL },
};

const HvrCommand hvr_command_stop = {
	.name = "stop",
	.words = "VM...|--all",
	.summary = "power VMs down",
	.most = 64,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .timeout_s = TIMEOUT_S },
	.run = stop,
};
