/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics: the cards of this host in numbers, for whoever watches over many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "launcher/command/command.h"
#include "launcher/list/list.h"
#include "launcher/list/metrics.h"
#include "launcher/process/asuser.h"
#include "launcher/process/blocked.h"
#include "launcher/report/error.h"
#include "launcher/runtime/counters.h"
#include "launcher/runtime/queue.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "vfio/fd.h"

typedef struct {
	char *output;
} Options;

typedef struct {
	const char *path, *text;
} Output;

/* As the caller: aside, and then in the place of the last one, so that nobody reads half of it. */
static int write_file(gpointer data, guint i, int *out_fd)
{
	const Output *output = data;
	g_autofree char *folder = g_path_get_dirname(output->path);
	g_autofree char *name = g_path_get_basename(output->path);
	g_auto(HvrFd) fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return errno;
	return hvr_runtime_replace_mode(fd, name, output->text, 0644, NULL) ? 0 : EIO;
}

static gboolean write_output(const char *path, const char *text, GError **error)
{
	const Output output = { .path = path, .text = text };
	g_autoptr(HvrUser) caller = hvr_user_caller();
	const HvrAsUser how = {
		.user = caller, .step = write_file, .data = (gpointer)&output, .keep = -1
	};
	HvrAsUserResult result = { .fd = -1, .problem = 0 };

	hvr_as_user(&how, &result, 1);
	const HvrBlockedFile file = { .code = result.problem == EACCES ? HVR_LAUNCH_ERROR_PERMISSION
								       : HVR_LAUNCH_ERROR_USAGE,
				      .what = "--output",
				      .verb = HVR_BLOCKED_CREATE,
				      .path = path,
				      .problem = result.problem };
	if (result.problem)
		hvr_blocked_fail(error, caller, &file);
	return !result.problem;
}

static int metrics(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const HvrListWhat what = { .all = FALSE };
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);

	if (!inventory)
		return -1;
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(context, inventory, &what);
	g_autoptr(GPtrArray) missing = hvr_list_missing(context, inventory);
	g_autoptr(GPtrArray) counters = hvr_counters_read(context);
	g_autoptr(GPtrArray) vms = hvr_vm_list(context);
	g_autoptr(GPtrArray) waiters = hvr_queue_list(context);
	const HvrMetrics all = { .items = items,
				 .counters = counters,
				 .waiting = waiters->len,
				 .missing = missing->len,
				 .vms = vms->len };
	g_autofree char *text = hvr_metrics_text(&all);
	if (options->output)
		return write_output(options->output, text, error) ? 0 : -1;
	fputs(text, stdout);
	return 0;
}

static const HvrOption table[] = {
	{ "output", 'o', HVR_TEXT(Options, output), "FILE",
	  "To a file, which is whole at any time, instead of standard output" },
	{ .name = NULL },
};

const HvrCommand hvr_command_metrics = {
	.name = "metrics",
	.words = "",
	.summary = "the cards in numbers, as OpenMetrics",
	.options = table,
	.size = sizeof(Options),
	.run = metrics,
};
