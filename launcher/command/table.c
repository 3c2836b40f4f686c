/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All commands. A new one is a file with its HvrCommand, hvr_command_NAME, and a line here.
 */
#include "launcher/command/table.h"

/* In the order of --help. */
/* clang-format off */
#define COMMANDS(X) \
	X(run) \
	X(new) \
	X(import) \
	X(unplug) \
	X(plug) \
	X(stop) \
	X(reboot) \
	X(exec) \
	X(test) \
	X(warm) \
	X(verify) \
	X(console) \
	X(log) \
	X(ssh) \
	X(qmp) \
	X(status) \
	X(list) \
	X(check) \
	X(prepare) \
	X(release) \
	X(hold) \
	X(unhold) \
	X(metrics) \
	X(print) \
	X(setup) \
	X(help)
/* clang-format on */

#define DECLARE(name) extern const HvrCommand hvr_command_##name;
#define REFER(name)   &hvr_command_##name,

COMMANDS(DECLARE)
const HvrCommand *const hvr_commands[] = { COMMANDS(REFER) NULL };

const HvrGlobalOption hvr_global_options[] = {
	{ "--root", "--root DIR", "look at the tree of a host captured in DIR" },
	{ "--debug", "--debug", "say each step, lock, process and line of QMP" },
	{ "--version", "--version", "print the version" },
	{ "--help", "-h, --help", "this text; COMMAND --help for a command's" },
	{ NULL, NULL, NULL },
};

const HvrCommand *hvr_command_find(const char *name)
{
	for (guint i = 0; hvr_commands[i]; i++)
		if (g_str_equal(hvr_commands[i]->name, name))
			return hvr_commands[i];
	return NULL;
}

GPtrArray *hvr_command_names(void)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; hvr_commands[i]; i++)
		g_ptr_array_add(names, (gpointer)hvr_commands[i]->name);
	g_ptr_array_add(names, NULL);
	return names;
}
