/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a profile's file is, and how its text gets in.
 *
 * The launcher may run as root on a path that somebody else chose, so the file is opened as the
 * caller and looked at through the descriptor that is then read (process/open.c), and never read
 * beyond a bound, even if it grows meanwhile.
 */
#include "launcher/profile/load.h"

#include <errno.h>
#include <string.h>

#include "launcher/process/blocked.h"
#include "launcher/process/neighbour.h"
#include "launcher/process/open.h"
#include "launcher/process/read.h"
#include "launcher/profile/lines.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

void hvr_profile_file_clear(HvrProfileFile *file)
{
	g_clear_pointer(&file->path, g_free);
}

static gboolean is_there(const char *path)
{
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Does @name in the current folder count? @out_left: why not, where there is something. */
static gboolean is_here(const char *name, gboolean guarded, char **out_left)
{
	g_autoptr(HvrUser) caller = NULL;
	HvrOpen file = { .path = name, .how = HVR_OPEN_READ_GUARDED, .fd = -1 };

	if (!guarded)
		return is_there(name);
	caller = hvr_user_caller();
	if (hvr_open(caller, &file, 1)) {
		hvr_fd_close(file.fd);
		return TRUE;
	}
	if (file.problem != ENOENT)
		*out_left = g_strdup_printf("./%s does not count for root: %s", name,
					    hvr_open_problem(&file));
	return FALSE;
}

static void fail_none(GError **error, const char *word, const HvrProfilePlaces *places,
		      const char *name, const char *own, const char *shared)
{
	const char *what = places->commands ? "no such command or profile" : "no such profile";

	if (own)
		hvr_profile_fail(error, word, NULL, "%s; looked for %s, %s and %s", what, name, own,
				 shared);
	else
		hvr_profile_fail(error, word, NULL, "%s; looked for %s and %s", what, name, shared);
}

/* By its name, without the ".ini" that makes any two alike. Is there one? */
static gboolean hint_profile_near(GError **error, const HvrUser *caller, const char *word,
				  const char *path)
{
	g_autofree char *near = hvr_neighbour(caller, path);

	if (!near || !g_str_has_suffix(near, ".ini"))
		return FALSE;
	near[strlen(near) - strlen(".ini")] = '\0';
	const char *const names[] = { near, NULL };
	hvr_nearest_hint(error, word, names);
	return hvr_nearest(word, names) != NULL;
}

/* What was probably meant: a command, a profile in one of the places, a file. */
static void hint_none(GError **error, const char *word, const HvrProfilePlaces *places,
		      const char *const *paths)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_autofree char *file = hvr_neighbour(caller, word);
	g_autofree char *shown = file ? hvr_text_safe(file) : NULL;

	if (places->commands)
		hvr_nearest_hint(error, word, places->commands);
	for (guint i = 0; paths[i]; i++)
		if (hint_profile_near(error, caller, word, paths[i]))
			return;
	if (g_strcmp0(file, word) == 0 && g_file_test(word, G_FILE_TEST_IS_REGULAR))
		hvr_error_hint(error, "did you mean './%s'?", shown);
	else if (file && g_str_has_suffix(file, ".ini"))
		hvr_error_hint(error, "did you mean '%s'?", shown);
	else if (places->commands)
		hvr_error_hint(error, "commands: hailo-vm-run --help; a path needs a '/' or ends "
				      "in .ini");
	else
		hvr_error_hint(error, "a path needs a '/' or ends in .ini");
}

static gboolean find_named(const char *word, const HvrProfilePlaces *places,
			   HvrProfileFile *out_file, char **out_left, GError **error)
{
	g_autofree char *name = g_strconcat(word, ".ini", NULL);
	g_autofree char *shared = g_build_filename(places->system_dir, name, NULL);
	g_autofree char *own = NULL;
	g_autofree char *left = NULL;

	if (places->config_home)
		own = g_build_filename(places->config_home, "hailo-vm-run", name, NULL);
	if (is_here(name, places->guarded, &left)) {
		*out_file = (HvrProfileFile){ g_steal_pointer(&name), places->guarded };
		return TRUE;
	}
	if (own && is_there(own)) {
		out_file->path = g_steal_pointer(&own);
	} else if (is_there(shared)) {
		out_file->path = g_steal_pointer(&shared);
	} else {
		const char *const paths[] = { name, shared, own, NULL };
		fail_none(error, word, places, name, own, shared);
		if (left)
			hvr_error_hint(error, "%s; name it by its path if it is meant", left);
		hint_none(error, word, places, paths);
		return FALSE;
	}
	*out_left = g_steal_pointer(&left);
	return TRUE;
}

gboolean hvr_profile_find(const char *word, const HvrProfilePlaces *places,
			  HvrProfileFile *out_file, char **out_left, GError **error)
{
	*out_file = (HvrProfileFile){ .path = NULL };
	*out_left = NULL;
	if (word[0] == '\0')
		return hvr_profile_fail(error, "profile", NULL, "the name is empty");
	if (!strchr(word, '/') && !g_str_has_suffix(word, ".ini"))
		return find_named(word, places, out_file, out_left, error);
	out_file->path = g_strdup(word);
	return TRUE;
}

static void fail_open(const HvrUser *caller, const HvrOpen *open, GError **error)
{
	g_autofree char *who = g_strdup("");
	const HvrBlockedFile file = { .code = HVR_LAUNCH_ERROR_PROFILE,
				      .what = "profile",
				      .verb = "read",
				      .path = open->path,
				      .problem = open->problem };

	if (hvr_blocked_is_missing(error, caller, &file))
		return;
	g_autofree char *where = hvr_blocked_where(caller, open->path, file.verb);
	if (caller->privileged) {
		g_free(who);
		who = g_strdup_printf("user %s ", caller->name);
	}
	if (open->problem == EINVAL)
		hvr_profile_fail(error, open->path, NULL, "is not a regular file");
	else
		hvr_profile_fail(error, open->path, NULL, "%scannot open it: %s%s", who,
				 hvr_open_problem(open), where);
	if (open->problem != EACCES && open->problem != EPERM)
		return;
	if (error && *error)
		(*error)->code = HVR_LAUNCH_ERROR_PERMISSION;
	if (caller->privileged)
		hvr_error_hint(error,
			       "root opens profiles as the user who called sudo: let %s "
			       "read it",
			       caller->name);
}

static char *read_as_caller(const char *file, HvrOpenHow how, gsize *out_length, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen open = { .path = file, .how = how, .fd = -1 };
	const char *why = NULL;

	(void)hvr_open(caller, &open, 1);
	g_auto(HvrFd) fd = open.fd;
	if (fd < 0) {
		fail_open(caller, &open, error);
		return NULL;
	}
	char *text = hvr_read_whole(fd, out_length, &why);
	if (!text)
		hvr_profile_fail(error, file, NULL, "%s", why);
	return text;
}

/* Two HvrProfileReader. */
static char *read_file(const char *file, gsize *out_length, GError **error)
{
	return read_as_caller(file, HVR_OPEN_READ, out_length, error);
}

static char *read_guarded(const char *file, gsize *out_length, GError **error)
{
	return read_as_caller(file, HVR_OPEN_READ_GUARDED, out_length, error);
}

HvrProfile *hvr_profile_load(const HvrProfileFile *file, const HvrProfileChanges *changes,
			     GError **error)
{
	HvrProfileReader reader = file->guarded ? read_guarded : read_file;
	gsize length = 0;
	g_autofree char *text = reader(file->path, &length, error);

	if (!text)
		return NULL;
	return hvr_profile_read(file->path, text, length, changes, reader, error);
}
