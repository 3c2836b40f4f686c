/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list, and no scheduler: what is made here are command lines, which somebody else may as well
 * run in any order and on any host.
 */
#include "launcher/guest/matrix.h"

#include <string.h>

#include "launcher/process/open.h"
#include "launcher/process/read.h"
#include "launcher/profile/lines.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define JOBS_MAX 10000

typedef enum {
	OF_GUESTS,
	OF_CARDS,
	OF_COMMANDS,
	KINDS,
} Kind;

/* One section: a value of an axis. */
typedef struct {
	char *name;
	char *profile;	    /* of a guest */
	GPtrArray *options; /* of char *: words of `test` */
	char **run;	    /* of a command; NULL: not said yet */
	const HvrProfileLine *line;
} Value;

typedef struct {
	const char *file;
	GPtrArray *axes[KINDS]; /* of Value */
	Value all;		/* [matrix] */
	Value *open;		/* the section under way */
	Kind kind;		/* of it; KINDS: [matrix] */
} Reading;

static const char *const kinds[KINDS] = { "guest", "card", "command" };

static void job_free(gpointer data)
{
	HvrMatrixJob *job = data;

	g_free(job->name);
	g_strfreev(job->argv);
	g_free(job);
}

static void value_free(gpointer data)
{
	Value *value = data;

	g_free(value->name);
	g_free(value->profile);
	g_strfreev(value->run);
	g_ptr_array_unref(value->options);
	g_free(value);
}

static void reading_clear(Reading *reading)
{
	for (guint i = 0; i < KINDS; i++)
		g_ptr_array_unref(reading->axes[i]);
	g_ptr_array_unref(reading->all.options);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static Value *add_value(Reading *reading, Kind kind, const char *name, const HvrProfileLine *line)
{
	Value *value = g_new(Value, 1);

	*value = (Value){ .name = g_strdup(name),
			  .profile = g_strdup(name),
			  .options = g_ptr_array_new_with_free_func(g_free),
			  .line = line };
	g_ptr_array_add(reading->axes[kind], value);
	return value;
}

static gboolean begin_section(Reading *reading, const HvrProfileLine *line, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(line->section, " ", 2);

	if (g_str_equal(line->section, "matrix")) {
		reading->open = &reading->all;
		reading->kind = KINDS;
		return TRUE;
	}
	for (guint i = 0; i < KINDS; i++) {
		if (!g_str_equal(parts[0], kinds[i]) || !parts[1])
			continue;
		reading->kind = i;
		reading->open = add_value(reading, i, parts[1], line);
		return TRUE;
	}
	return hvr_profile_fail(error, reading->file, line,
				"a matrix has [matrix], [guest NAME], [card NAME] and "
				"[command NAME]");
}

/* As a shell quotes words. NULL with @error */
static char **split(const Reading *reading, const HvrProfileLine *line, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char **words = NULL;

	if (!g_shell_parse_argv(line->value, NULL, &words, &cause))
		hvr_profile_fail(error, reading->file, line, "%s", cause->message);
	return words;
}

static gboolean add_options(const Reading *reading, const HvrProfileLine *line, gboolean sets,
			    GError **error)
{
	GPtrArray *options = reading->open->options;
	g_auto(GStrv) words = split(reading, line, error);

	for (char **word = words; word && *word; word++) {
		if (sets)
			g_ptr_array_add(options, g_strdup("--set"));
		else if ((*word)[0] != '-')
			return hvr_profile_fail(error, reading->file, line,
						"'%s' is no option: one with a value is one word, "
						"--name=VALUE",
						*word);
		g_ptr_array_add(options, g_strdup(*word));
	}
	return words != NULL;
}

static gboolean read_key(Reading *reading, const HvrProfileLine *line, GError **error)
{
	Value *value = reading->open;
	gboolean named = value && reading->kind != KINDS;

	if (value && g_str_equal(line->key, "options"))
		return add_options(reading, line, FALSE, error);
	if (named && g_str_equal(line->key, "set"))
		return add_options(reading, line, TRUE, error);
	if (named && reading->kind == OF_GUESTS && g_str_equal(line->key, "profile") &&
	    *line->value) {
		g_free(value->profile);
		value->profile = g_strdup(line->value);
		return TRUE;
	}
	if (named && reading->kind == OF_COMMANDS && g_str_equal(line->key, "run")) {
		value->run = split(reading, line, error);
		return value->run != NULL;
	}
	return hvr_profile_fail(error, reading->file, line, "there is no such key here");
}

static gboolean check(const Reading *reading, GError **error)
{
	guint64 jobs = 1;

	for (guint i = 0; i < KINDS; i++) {
		if (i != OF_CARDS && reading->axes[i]->len == 0)
			return hvr_profile_fail(error, reading->file, NULL, "there is no [%s NAME]",
						kinds[i]);
		jobs *= MAX(reading->axes[i]->len, 1);
	}
	if (jobs > JOBS_MAX)
		return hvr_profile_fail(error, reading->file, NULL, "that makes more than %d jobs",
					JOBS_MAX);
	for (guint i = 0; i < reading->axes[OF_COMMANDS]->len; i++) {
		const Value *command = g_ptr_array_index(reading->axes[OF_COMMANDS], i);
		if (!command->run)
			return hvr_profile_fail(error, reading->file, command->line,
						"'run' is missing");
	}
	return TRUE;
}

static void append_words(GPtrArray *argv, const Value *value)
{
	for (guint i = 0; value && i < value->options->len; i++)
		g_ptr_array_add(argv, g_strdup(g_ptr_array_index(value->options, i)));
}

/* @card: (nullable) */
static void add_job(const Reading *reading, const Value *guest, const Value *card,
		    const Value *command, GPtrArray *jobs)
{
	GPtrArray *argv = g_ptr_array_new();
	HvrMatrixJob *job = g_new(HvrMatrixJob, 1);

	append_words(argv, &reading->all);
	append_words(argv, guest);
	append_words(argv, card);
	append_words(argv, command);
	g_ptr_array_add(argv, g_strdup(guest->profile));
	g_ptr_array_add(argv, g_strdup("--"));
	for (char **word = command->run; *word; word++)
		g_ptr_array_add(argv, g_strdup(*word));
	g_ptr_array_add(argv, NULL);
	job->argv = (char **)g_ptr_array_free(argv, FALSE);
	if (card)
		job->name = g_strdup_printf("%s/%s/%s", guest->name, card->name, command->name);
	else
		job->name = g_strdup_printf("%s/%s", guest->name, command->name);
	g_ptr_array_add(jobs, job);
}

static GPtrArray *make_jobs(const Reading *reading)
{
	GPtrArray *const *axes = reading->axes;
	GPtrArray *jobs = g_ptr_array_new_with_free_func(job_free);
	guint n_cards = MAX(axes[OF_CARDS]->len, 1);

	for (guint g = 0; g < axes[OF_GUESTS]->len; g++)
		for (guint c = 0; c < n_cards; c++)
			for (guint k = 0; k < axes[OF_COMMANDS]->len; k++) {
				const Value *card = NULL;
				if (axes[OF_CARDS]->len)
					card = g_ptr_array_index(axes[OF_CARDS], c);
				add_job(reading, g_ptr_array_index(axes[OF_GUESTS], g), card,
					g_ptr_array_index(axes[OF_COMMANDS], k), jobs);
			}
	return jobs;
}

GPtrArray *hvr_matrix_parse(const char *file, const char *text, gsize length, GError **error)
{
	g_autoptr(GPtrArray) lines = hvr_profile_lines_read(file, text, length, error);
	g_auto(Reading) reading = { .file = file,
				    .all = { .options = g_ptr_array_new_with_free_func(g_free) } };

	for (guint i = 0; i < KINDS; i++)
		reading.axes[i] = g_ptr_array_new_with_free_func(value_free);
	for (guint i = 0; lines && i < lines->len; i++) {
		const HvrProfileLine *line = g_ptr_array_index(lines, i);
		if (!(line->key ? read_key(&reading, line, error)
				: begin_section(&reading, line, error)))
			return NULL;
	}
	return lines && check(&reading, error) ? make_jobs(&reading) : NULL;
}

GPtrArray *hvr_matrix_read(const char *path, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = path, .how = HVR_OPEN_READ, .fd = -1 };
	const char *why = NULL;
	gsize length = 0;

	if (!hvr_open(caller, &file, 1)) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--matrix", caller, &file);
		return NULL;
	}
	g_auto(HvrFd) fd = file.fd;
	g_autofree char *text = hvr_read_whole(fd, &length, &why);
	if (text)
		return hvr_matrix_parse(path, text, length, error);
	hvr_profile_fail(error, path, NULL, "%s", why);
	return NULL;
}
