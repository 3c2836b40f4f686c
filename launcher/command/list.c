/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: the accelerators of this host, for people and for programs.
 */
#include <langinfo.h>
#include <stdio.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"

typedef struct {
	gboolean all, json, tree, dot;
} Options;

static void print(const GPtrArray *items, const GPtrArray *missing, const Options *options)
{
	HvrListStyle style = HVR_LIST_ASCII;
	g_autofree char *text = NULL;

	if (g_ascii_strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0)
		style |= HVR_LIST_UNICODE;
	if (hvr_cli_wants_colour())
		style |= HVR_LIST_COLOUR;

	if (options->json)
		hvr_list_print_json(items, missing);
	else if (options->tree)
		text = hvr_list_tree(items, style, hvr_cli_width());
	else if (options->dot)
		text = hvr_list_dot(items);
	else if (items->len > 0)
		text = hvr_list_table(items, hvr_cli_width());
	if (text)
		fputs(text, stdout);
	if (options->json || options->dot)
		return;
	g_autofree char *gone = hvr_list_missing_text(missing);
	fputs(gone, stdout);
}

static int list(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	HvrListWhat what = { .all = options->all,
			     .details = options->json,
			     .judge = TRUE,
			     .surround = options->tree || options->dot };

	if (options->json + options->tree + options->dot > 1) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "list: --json, --tree and --dot exclude each other");
		return -1;
	}
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);
	if (!inventory)
		return -1;
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(context, inventory, &what);
	g_autoptr(GPtrArray) missing = hvr_list_missing(context, inventory);
	print(items, missing, options);
	if (items->len == 0 && !options->json)
		hvr_message("this host shows no known accelerator; --all lists every function");
	return 0;
}

static const HvrOption table[] = {
	{ "all", 'a', HVR_FLAG(Options, all), NULL,
	  "Every PCI function, not only the accelerators" },
	HVR_OPTION_JSON(Options, json),
	{ "tree", 't', HVR_FLAG(Options, tree), NULL,
	  "With the bridges above them, and their IOMMU groups" },
	{ "dot", 0, HVR_FLAG(Options, dot), NULL, "The same for Graphviz" },
	{ .name = NULL },
};

const HvrCommand hvr_command_list = {
	.name = "list",
	.words = "",
	.summary = "this host's accelerators",
	.options = table,
	.size = sizeof(Options),
	.run = list,
};
