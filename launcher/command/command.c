/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all commands have in common: how their options are looked up, and how a mistake in their
 * words is told.
 */
#include "launcher/command/command.h"

#include <string.h>

#include "launcher/report/error.h"

static const HvrOption option_help = { .name = "help",
				       .letter = 'h',
				       .field = { .kind = HVR_OPTION_HELP },
				       .help = "Show this text" };

const HvrOption *hvr_command_option(const HvrCommand *command, guint i)
{
	guint n = 0;

	while (command->options && command->options[n].name)
		n++;
	if (i < n)
		return &command->options[i];
	if (i == n)
		return &option_help;
	return NULL;
}

const HvrOption *hvr_command_option_named(const HvrCommand *command, const char *name, gsize length)
{
	const HvrOption *option;

	for (guint i = 0; (option = hvr_command_option(command, i)); i++)
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

const HvrOption *hvr_command_option_lettered(const HvrCommand *command, char letter)
{
	const HvrOption *option;

	for (guint i = 0; (option = hvr_command_option(command, i)); i++)
		if (option->letter && option->letter == letter)
			return option;
	return NULL;
}

gboolean hvr_option_takes_word(const HvrOption *option)
{
	return option->value && !option->field.optional;
}

void hvr_command_usage(GError **error, const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "%s: %s", command, what);
	hvr_error_hint(error, "try 'hailo-vm-run %s --help'", command);
}
