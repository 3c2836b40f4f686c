/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/options.h"

#include <string.h>
#include <sys/stat.h>

#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* The guest's side of a word of --put: the first ":/" begins it, as a name here may have a colon.
 * NULL: it is no such word */
static const char *guest_side(const char *word)
{
	const char *colon = strstr(word, ":/");

	if (!colon || colon == word)
		return NULL;
	return colon + 1;
}

/* A name that a shell can export: POSIX.1-2017, 3.235, and none of those that our own uses. */
static gboolean is_variable(const char *word)
{
	gsize length = strcspn(word, "=");

	if (word[length] != '=' || length == 0 || g_ascii_isdigit(word[0]) ||
	    g_str_has_prefix(word, "hvr_"))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isalnum(word[i]) && word[i] != '_')
			return FALSE;
	return TRUE;
}

static gboolean bad(GError **error, const char *command, const char *text, const char *word)
{
	g_autofree char *valid = g_utf8_make_valid(word, -1);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "%s: %s, not '%s'", command,
		    text, valid);
	return FALSE;
}

/* The agent is talked to in JSON, which holds nothing else. */
static gboolean all_utf8(char **words, const char *command, GError **error)
{
	for (; words && *words; words++)
		if (!g_utf8_validate(*words, -1, NULL))
			return bad(error, command, "what is for the guest must be UTF-8", *words);
	return TRUE;
}

gboolean hvr_guest_options_check(const HvrGuestOptions *options, const char *command,
				 GError **error)
{
	char *names[] = { options->cwd ? options->cwd : (char *)"/",
			  options->user ? options->user : (char *)"root", NULL };

	if (!all_utf8(names, command, error) || !all_utf8(options->env, command, error) ||
	    !all_utf8(options->put, command, error))
		return FALSE;
	for (char **word = options->env; word && *word; word++)
		if (!is_variable(*word))
			return bad(error, command, "--env takes NAME=VALUE", *word);
	for (char **word = options->put; word && *word; word++)
		if (!guest_side(*word))
			return bad(error, command, "--put takes HOSTFILE:/GUESTFILE", *word);
	if (names[0][0] != '/')
		return bad(error, command, "--cwd takes a folder's whole path", names[0]);
	if (names[1][0] == '\0' || names[1][0] == '-')
		return bad(error, command, "--user takes a user's name", names[1]);
	return TRUE;
}

static void put_free(gpointer data)
{
	HvrGuestPut *put = data;

	hvr_fd_close(put->fd);
	g_free(put->from);
	g_free(put->to);
	g_free(put);
}

/* Takes @from. */
static gboolean add(GPtrArray *puts, char *from, const char *to, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = from, .how = HVR_OPEN_READ, .fd = -1 };
	HvrGuestPut *put = g_new0(HvrGuestPut, 1);
	struct stat st = { .st_mode = 0 };

	*put = (HvrGuestPut){ .from = from, .to = g_strdup(to) };
	gboolean well = hvr_open(caller, &file, 1);
	put->fd = file.fd;
	g_ptr_array_add(puts, put);
	if (!well) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, to ? "--put" : "--script", caller,
			      &file);
		return FALSE;
	}
	if (fstat(put->fd, &st) == 0)
		put->mode = st.st_mode & 0777;
	return TRUE;
}

GPtrArray *hvr_guest_options_open(const HvrGuestOptions *options, GError **error)
{
	g_autoptr(GPtrArray) puts = g_ptr_array_new_with_free_func(put_free);

	for (char **word = options->put; word && *word; word++) {
		const char *to = guest_side(*word);
		gsize length = (gsize)(to - *word) - 1;
		if (!add(puts, g_strndup(*word, length), to, error))
			return NULL;
	}
	if (options->script && !add(puts, g_strdup(options->script), NULL, error))
		return NULL;
	return g_steal_pointer(&puts);
}
