/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The help, for those who ask for it: read from the tables of the commands, and of the profile.
 */
#include "launcher/command/help.h"

#include <stdio.h>
#include <string.h>

#include "launcher/command/table.h"
#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

#define LINE_MAX_CHARS 80
#define LEFT_CHARS     30
#define KEYS_CHARS     15

/* @text goes on at @column, where a line is now, and in further lines from @indent: as many words
 * in each as a terminal of the usual width shows. */
static void print_filled(gsize column, gsize indent, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	for (guint i = 0; words[i]; i++) {
		if (i > 0 && column + 1 + strlen(words[i]) > LINE_MAX_CHARS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (i > 0) {
			column += (gsize)printf(" ");
		}
		column += (gsize)printf("%s", words[i]);
	}
	printf("\n");
}

/* "  LEFT   TEXT", where texts stand below each other */
static void print_row(const char *left, gsize width, const char *text)
{
	gsize column = (gsize)printf("  %-*s ", (int)width, left);

	print_filled(column, width + 3, text);
}

void hvr_help_program(void)
{
	printf("Usage: hailo-vm-run [--root DIR] [COMMAND] ...\n"
	       "Give a virtual machine a PCIe accelerator, and the host gets it back.\n\n"
	       "Commands:\n");
	for (guint i = 0; hvr_commands[i]; i++) {
		const HvrCommand *command = hvr_commands[i];
		g_autofree char *left = g_strdup_printf("%s %s", command->name, command->words);
		print_row(left, LEFT_CHARS, command->summary);
	}
	printf("\nOptions:\n");
	for (const HvrGlobalOption *global = hvr_global_options; global->name; global++)
		print_row(global->form, LEFT_CHARS, global->summary);
	printf("\n");
	print_filled(0, 0,
		     "A PROFILE with a '/' or that ends in .ini is a path. Any other is NAME.ini "
		     "in the current folder, $XDG_CONFIG_HOME/hailo-vm-run (not as root) or "
		     "/etc/hailo-vm-run. As root the current folder counts only where nobody can "
		     "write but root and who called sudo; what is passed over is said.");
	printf("\n");
	print_filled(0, 0,
		     "Exit status: 0 done, 64 usage, 69 the host or QEMU cannot, 70 bug, 71 the "
		     "kernel refused, 75 busy or timed out, 76 QEMU answered with an error, 77 no "
		     "permission, 78 bad profile, 128+N ended by signal N after giving the cards "
		     "back. Of exec and test it is the guest command's own; 124 timed out, 125 not "
		     "judged, 126 not executable, 127 not found.");
}

/* "-t, --timeout=S", "--keep" or "-w, --wait[=S]" */
static char *form_of(const HvrOption *option)
{
	GString *form = g_string_new(NULL);

	if (option->letter)
		g_string_append_printf(form, "-%c, ", option->letter);
	g_string_append_printf(form, "--%s", option->name);
	if (option->value && option->field.optional)
		g_string_append_printf(form, "[=%s]", option->value);
	else if (option->value)
		g_string_append_printf(form, "=%s", option->value);
	return g_string_free(form, FALSE);
}

void hvr_help_command(const HvrCommand *command)
{
	const HvrOption *option;
	gsize widest = 0;

	printf("Usage:\n  hailo-vm-run %s [OPTION...]", command->name);
	if (*command->words)
		printf(" %s", command->words);
	printf("\n\n%s\n\nOptions:\n", command->summary);
	for (guint i = 0; (option = hvr_command_option(command, i)); i++) {
		g_autofree char *form = form_of(option);
		widest = MAX(widest, strlen(form));
	}
	for (guint i = 0; (option = hvr_command_option(command, i)); i++) {
		g_autofree char *form = form_of(option);
		print_row(form, widest + 1, option->help);
	}
	if (command->describe) {
		printf("\n");
		command->describe();
	}
}

void hvr_help_command_status(void)
{
	print_filled(
		0, 0,
		"The exit status is the command's own, 128+N where signal N ended it. Besides: "
		"124, it was killed at its --timeout; 125, it was not run or cannot be judged, "
		"which says nothing of it; 126, it is not executable in the guest; 127, it is "
		"not there.");
}

/* "  [device NAME]  match address path...", in as many lines as it takes */
static void print_keys(const HvrProfileSection *section)
{
	g_autofree char *head =
		g_strdup_printf("[%s%s]", section->name, section->named ? " NAME" : "");
	g_autoptr(GString) keys = g_string_new(NULL);

	for (gsize i = 0; i < section->n_keys; i++)
		g_string_append_printf(keys, "%s%s", i > 0 ? " " : "", section->keys[i].name);
	print_row(head, KEYS_CHARS, keys->str);
}

void hvr_help_profile_keys(void)
{
	printf("Keys of a profile; more in hailo-vm-run.ini(5):\n");
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++)
		print_keys(s);
}

static int help(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	g_autoptr(GPtrArray) names = hvr_command_names();
	const char *name = invocation->words[0];
	const HvrCommand *command = name ? hvr_command_find(name) : NULL;

	if (command) {
		hvr_help_command(command);
		return 0;
	}
	if (!name) {
		hvr_help_program();
		return 0;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "help: there is no command '%s'", name);
	hvr_nearest_hint(error, name, (const char *const *)names->pdata);
	hvr_error_hint(error, "try 'hailo-vm-run help'");
	return -1;
}

const HvrCommand hvr_command_help = {
	.name = "help",
	.words = "[COMMAND]",
	.summary = "this text, or a command's options",
	.most = 1,
	.run = help,
};
