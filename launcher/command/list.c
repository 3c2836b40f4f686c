/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: the accelerators of this host, for people and for programs.
 */
#include <langinfo.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"

typedef struct {
	gboolean all, json, tree, dot;
} Options;

static gboolean check_options(const Options *options, GError **error)
{
	if (options->json + options->tree + options->dot <= 1)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "list: --json, --tree and --dot exclude each other");
	return FALSE;
}

/* 0 where the output is no terminal: then nothing is cut. */
static guint terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static gboolean is_utf8(void)
{
	return g_ascii_strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void print(const GPtrArray *items, const Options *options)
{
	g_autofree char *text = NULL;

	if (options->json) {
		hvr_list_print_json(items);
		return;
	}
	if (options->tree)
		text = hvr_list_tree(items, is_utf8());
	else if (options->dot)
		text = hvr_list_dot(items);
	else if (items->len > 0)
		text = hvr_list_table(items, terminal_width());
	fputs(text ? text : "", stdout);
}

static int list(HvrContext *context, const Options *options, GError **error)
{
	HvrListWhat what = { .all = options->all,
			     .details = options->json,
			     .surround = options->tree || options->dot };
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);

	if (!inventory)
		return -1;
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(context, inventory, &what);
	print(items, options);
	if (items->len == 0 && !options->json)
		hvr_message("this host shows no known accelerator; --all lists every function");
	return 0;
}

int hvr_command_list(HvrContext *context, char **words, GError **error)
{
	Options options = { 0 };
	const GOptionEntry entries[] = {
		{ "all", 'a', 0, G_OPTION_ARG_NONE, &options.all,
		  "Every PCI function, not only the accelerators", NULL },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "One JSON object", NULL },
		{ "tree", 't', 0, G_OPTION_ARG_NONE, &options.tree,
		  "With the bridges above them, and their IOMMU groups", NULL },
		{ "dot", 0, 0, G_OPTION_ARG_NONE, &options.dot, "The same for Graphviz", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("list", entries, NULL, &rest, 0, 0, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return check_options(&options, error) ? list(context, &options, error) : -1;
}
