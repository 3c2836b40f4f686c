/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What will happen, for people. The files are small, so all that lies between the first and the
 * last line that differ is shown as changed.
 */
#include "launcher/setup/show.h"

#include <string.h>

#include "launcher/report/text.h"

/* @text: (nullable) */
static char **lines_of(const char *text)
{
	char **lines = g_strsplit(text ? text : "", "\n", -1);
	guint n = g_strv_length(lines);

	/* What follows the last newline is no line. */
	if (n > 0 && *lines[n - 1] == '\0')
		g_clear_pointer(&lines[n - 1], g_free);
	return lines;
}

/* What the target says: nothing of it is a second line. */
static void append_theirs(GString *text, const char *theirs)
{
	hvr_text_append(text, theirs, strlen(theirs), HVR_TEXT_ONE_LINE);
}

static void append_lines(GString *text, char mark, char **lines, guint from, guint to)
{
	for (guint i = from; i < to; i++) {
		g_string_append_c(text, mark);
		append_theirs(text, lines[i]);
		g_string_append_c(text, '\n');
	}
}

static void append_difference(GString *text, const char *old, const char *now)
{
	g_auto(GStrv) before = lines_of(old);
	g_auto(GStrv) after = lines_of(now);
	guint n = g_strv_length(before), m = g_strv_length(after), head = 0, tail = 0;

	while (head < n && head < m && g_str_equal(before[head], after[head]))
		head++;
	while (tail < n - head && tail < m - head &&
	       g_str_equal(before[n - 1 - tail], after[m - 1 - tail]))
		tail++;
	append_lines(text, '-', before, head, n - tail);
	append_lines(text, '+', after, head, m - tail);
}

static const char *verb(const HvrSetupChange *change)
{
	if (change->kind == HVR_CHANGE_REMOVE)
		return "remove";
	if (!change->old)
		return "create";
	if (change->undo)
		return "put back";
	if (g_str_equal(change->old, change->text))
		return "take over";
	return "change";
}

static void append_file(GString *text, const HvrSetupChange *change, HvrSetupDetail detail)
{
	g_string_append_printf(text, "%s ", verb(change));
	append_theirs(text, change->path);
	g_string_append_printf(text, " (%s", hvr_setup_part_name(change->part));
	if (change->kind == HVR_CHANGE_WRITE)
		g_string_append_printf(text, ", mode %04o", (guint)change->owner.mode);
	if (change->keep)
		g_string_append(text, ", what is there now is kept");
	g_string_append(text, ")\n");
	if (detail == HVR_SETUP_CONTENTS)
		append_difference(text, change->old, change->text);
}

static void append_command(GString *text, char **argv)
{
	g_autofree char *line = g_strjoinv(" ", argv);

	g_string_append(text, "run ");
	append_theirs(text, line);
	g_string_append_c(text, '\n');
}

char *hvr_setup_show(const GPtrArray *changes, const GPtrArray *commands, HvrSetupDetail detail)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		if (change->kind == HVR_CHANGE_RUN)
			append_command(text, change->argv);
		else
			append_file(text, change, detail);
	}
	for (guint i = 0; commands && i < commands->len; i++)
		append_command(text, g_ptr_array_index(commands, i));
	return g_string_free(text, FALSE);
}

static const char *what_drifted(const HvrSetupChange *change)
{
	if (change->kind == HVR_CHANGE_REMOVE || change->undo)
		return "is no longer needed";
	if (!change->old)
		return "is missing";
	if (g_str_equal(change->old, change->text))
		return "has another mode, or is not known as ours";
	return "is not as setup would write it";
}

char *hvr_setup_show_drift(const GPtrArray *changes)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		const char *part = hvr_setup_part_name(change->part);
		g_string_append_printf(text, "%s: ", part);
		if (change->kind == HVR_CHANGE_RUN) {
			g_autofree char *line = g_strjoinv(" ", change->argv);
			g_string_append(text, "still to be run: ");
			append_theirs(text, line);
		} else {
			append_theirs(text, change->path);
			g_string_append_printf(text, " %s", what_drifted(change));
		}
		g_string_append_c(text, '\n');
	}
	return g_string_free(text, FALSE);
}
