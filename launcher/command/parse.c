/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the words behind a command to its invocation.
 */
#include "launcher/command/parse.h"

#include <string.h>

#include "launcher/command/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

typedef struct {
	const HvrCommand *command;
	char **next; /* the word to read */
	HvrInvocation *invocation;
	GPtrArray *words, *tail; /* of char *, without the NULL */
	gboolean no_options;	 /* a "--" was read */
	gboolean tail_begun;	 /* by a "--" */
} Reader;

static gpointer field_of(const HvrOption *option, gpointer options)
{
	return G_STRUCT_MEMBER_P(options, option->field.offset);
}

static gboolean store_seconds(const Reader *reader, const HvrOption *option, const char *value,
			      GError **error)
{
	const HvrOptionField *field = &option->field;
	gint64 seconds = field->missing;

	if (value &&
	    !g_ascii_string_to_signed(value, 10, field->least, field->most, &seconds, NULL)) {
		hvr_command_usage(error, reader->command->name,
				  "--%s takes %d to %d seconds, not '%s'", option->name,
				  field->least, field->most, value);
		return FALSE;
	}
	*(int *)field_of(option, reader->invocation->options) = (int)seconds;
	return TRUE;
}

static void append_text(char ***texts, const char *text)
{
	guint n = 0;

	while (*texts && (*texts)[n])
		n++;
	*texts = g_renew(char *, *texts, n + 2);
	(*texts)[n] = g_strdup(text);
	(*texts)[n + 1] = NULL;
}

/* @value: NULL where there is none, and need not be. */
static gboolean store(const Reader *reader, const HvrOption *option, const char *value,
		      GError **error)
{
	gpointer target = field_of(option, reader->invocation->options);

	switch (option->field.kind) {
	case HVR_OPTION_HELP:
		reader->invocation->help = TRUE;
		return TRUE;
	case HVR_OPTION_FLAG:
		*(gboolean *)target = TRUE;
		return TRUE;
	case HVR_OPTION_TEXT:
		g_free(*(char **)target);
		*(char **)target = g_strdup(value);
		return TRUE;
	case HVR_OPTION_TEXTS:
		append_text(target, value);
		return TRUE;
	case HVR_OPTION_SECONDS:
		return store_seconds(reader, option, value, error);
	default:
		g_return_val_if_reached(FALSE);
	}
}

/* @value: what its own word has behind it; NULL: nothing. */
static gboolean take(Reader *reader, const HvrOption *option, const char *value, GError **error)
{
	const char *command = reader->command->name;

	if (value && !option->value) {
		hvr_command_usage(error, command, "--%s takes no value", option->name);
		return FALSE;
	}
	if (!value && hvr_option_takes_word(option)) {
		if (!*reader->next) {
			hvr_command_usage(error, command, "%s expected behind --%s", option->value,
					  option->name);
			return FALSE;
		}
		value = *reader->next++;
	}
	return store(reader, option, value, error);
}

/* @name: without dashes. Is it one of those that stand in front of the command? */
static gboolean is_global(const char *name)
{
	for (const HvrGlobalOption *global = hvr_global_options; global->name; global++)
		if (g_str_equal(global->name + strlen("--"), name))
			return TRUE;
	return FALSE;
}

static void add_global_names(GPtrArray *names)
{
	for (const HvrGlobalOption *global = hvr_global_options; global->name; global++)
		g_ptr_array_add(names, (gpointer)(global->name + strlen("--")));
}

static void hint_unknown(const HvrCommand *command, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const HvrOption *option;

	for (guint i = 0; (option = hvr_command_option(command, i)); i++)
		g_ptr_array_add(names, (gpointer)option->name);
	add_global_names(names);
	g_ptr_array_add(names, NULL);
	const char *near = hvr_nearest(name, (const char *const *)names->pdata);
	if (is_global(name))
		hvr_error_hint(error, "it stands in front of the command: hailo-vm-run --%s", name);
	else if (near)
		hvr_error_hint(error, "did you mean '--%s'?", near);
	else if (command->tail)
		hvr_error_hint(error, "put '--' in front of what is not ours: hailo-vm-run %s %s",
			       command->name, command->words);
	else
		hvr_error_hint(error, "try 'hailo-vm-run %s --help'", command->name);
}

/* @name: as it was written, without dashes and value. */
static gboolean refuse_unknown(const HvrCommand *command, const char *dashes, const char *name,
			       GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "%s: unknown option %s%s",
		    command->name, dashes, name);
	hint_unknown(command, name, error);
	return FALSE;
}

/* "name" or "name=value" */
static gboolean read_long(Reader *reader, const char *word, GError **error)
{
	gsize length = strcspn(word, "=");
	const HvrOption *option = hvr_command_option_named(reader->command, word, length);
	g_autofree char *name = g_strndup(word, length);
	const char *value = NULL;

	if (!option)
		return refuse_unknown(reader->command, "--", name, error);
	if (word[length] == '=')
		value = word + length + 1;
	return take(reader, option, value, error);
}

/* "abc": flags up to the end, or up to one that takes the rest as its value. */
static gboolean read_letters(Reader *reader, const char *word, GError **error)
{
	for (const char *letter = word; *letter; letter++) {
		const HvrOption *option = hvr_command_option_lettered(reader->command, *letter);
		if (!option)
			return refuse_unknown(reader->command, "-", word, error);
		if (option->value)
			return take(reader, option, letter[1] ? letter + 1 : NULL, error);
		if (!take(reader, option, NULL, error))
			return FALSE;
	}
	return TRUE;
}

/* Is this "--" for us, or a word of another program's command line? */
static gboolean ends_options(Reader *reader)
{
	gboolean in_front = reader->command->tail && !reader->tail_begun &&
			    reader->words->len == reader->command->most && reader->tail->len == 0;
	gboolean first = !reader->no_options && reader->tail->len == 0;

	reader->no_options = TRUE;
	reader->tail_begun = reader->tail_begun || in_front;
	return in_front || first;
}

/* The first word of another program's command line is its name: what is behind that is its own. */
static void add_word(Reader *reader, char *word)
{
	if (!reader->command->tail || reader->words->len < reader->command->most) {
		g_ptr_array_add(reader->words, word);
		return;
	}
	g_ptr_array_add(reader->tail, word);
	reader->no_options = TRUE;
}

static gboolean read_word(Reader *reader, GError **error)
{
	char *word = *reader->next++;

	if (g_str_equal(word, "--")) {
		if (!ends_options(reader))
			add_word(reader, word);
		return TRUE;
	}
	if (!reader->no_options && g_str_has_prefix(word, "--"))
		return read_long(reader, word + 2, error);
	if (!reader->no_options && word[0] == '-' && word[1])
		return read_letters(reader, word + 1, error);
	add_word(reader, word);
	return TRUE;
}

static gboolean read_all(Reader *reader, GError **error)
{
	const HvrCommand *command = reader->command;
	const GPtrArray *words = reader->words;

	while (*reader->next && !reader->invocation->help)
		if (!read_word(reader, error))
			return FALSE;
	if (reader->invocation->help)
		return TRUE;
	if (words->len < command->least)
		hvr_command_usage(error, command->name, "%s expected", command->words);
	else if (words->len > command->most)
		hvr_command_usage(error, command->name, "'%s' is one argument too many",
				  (const char *)g_ptr_array_index(words, command->most));
	return words->len >= command->least && words->len <= command->most;
}

static char **end_array(GPtrArray *words)
{
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

HvrInvocation *hvr_invocation_parse(const HvrCommand *command, char **words, GError **error)
{
	HvrInvocation *invocation = g_new0(HvrInvocation, 1);
	Reader reader = { .command = command,
			  .next = words,
			  .invocation = invocation,
			  .words = g_ptr_array_new(),
			  .tail = g_ptr_array_new() };

	invocation->options = g_malloc0(MAX(command->size, 1));
	if (command->defaults)
		memcpy(invocation->options, command->defaults, command->size);
	gboolean well = read_all(&reader, error);
	invocation->words = end_array(reader.words);
	invocation->tail = end_array(reader.tail);
	if (well)
		return invocation;
	hvr_invocation_free(command, invocation);
	return NULL;
}

void hvr_invocation_free(const HvrCommand *command, HvrInvocation *invocation)
{
	const HvrOption *option;

	for (guint i = 0; (option = hvr_command_option(command, i)); i++) {
		gpointer target = field_of(option, invocation->options);
		if (option->field.kind == HVR_OPTION_TEXT)
			g_free(*(char **)target);
		else if (option->field.kind == HVR_OPTION_TEXTS)
			g_strfreev(*(char ***)target);
	}
	g_free(invocation->options);
	g_free(invocation->words);
	g_free(invocation->tail);
	g_free(invocation);
}
