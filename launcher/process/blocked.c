/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open(2) says of a path no more than one errno, and the fix is another for each component: ENOENT
 * may be the folder's, EACCES mostly is. So each beginning of the path is asked for, itself (lstat)
 * and what it leads to (stat).
 */
#include "launcher/process/blocked.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/process/asuser.h"
#include "launcher/process/neighbour.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

/* Components beyond these are not asked for: PATH_MAX is 4096. */
#define MOST 256

/* The beginnings of @path that end with a component: "/a", "/a/b". */
static GPtrArray *beginnings(const char *path)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	for (const char *at = path; *at && all->len < MOST;) {
		at += strspn(at, "/");
		gsize length = strcspn(at, "/");
		if (length == 0)
			break;
		at += length;
		g_ptr_array_add(all, g_strndup(path, (gsize)(at - path)));
	}
	return all;
}

/* A HvrAsUserStep: first the component, then what it leads to. */
static int look(gpointer data, guint i, int *out_fd)
{
	const GPtrArray *paths = data;
	struct stat st;
	int status;

	if (i % 2)
		status = stat(paths->pdata[i / 2], &st);
	else
		status = lstat(paths->pdata[i / 2], &st);
	return status < 0 ? errno : 0;
}

static void describe(HvrBlocked *blocked, const char *named, gboolean leads, int problem)
{
	g_autofree char *folder = g_path_get_dirname(named);
	g_autofree char *path = hvr_text_safe(named);
	g_autofree char *shown = hvr_text_safe(folder);

	if (leads && problem == ENOENT)
		blocked->text = g_strdup_printf("'%s' is a link to nowhere", path);
	else if (leads && problem == EACCES)
		blocked->text =
			g_strdup_printf("'%s' is a link to where this user may not go", path);
	else if (problem == ENOENT)
		blocked->text = g_strdup_printf("there is no '%s'", path);
	else if (problem == ENOTDIR)
		blocked->text = g_strdup_printf("'%s' is no folder", shown);
	else if (problem == ELOOP)
		blocked->text = g_strdup_printf("'%s' is a link that leads back to itself", path);
	else if (problem == EACCES)
		blocked->text = g_strdup_printf("folder '%s' is closed to this user", shown);
	if (!leads && problem == ENOENT)
		blocked->missing = g_strdup(named);
	if (!leads && problem == EACCES)
		blocked->folder = g_steal_pointer(&folder);
}

void hvr_blocked_find(HvrBlocked *blocked, const HvrUser *user, const char *path)
{
	g_autoptr(GPtrArray) paths = beginnings(path);
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, 2 * paths->len + 1);
	const HvrAsUser how = { .user = user, .step = look, .data = paths, .keep = -1 };

	*blocked = (HvrBlocked){ 0 };
	hvr_as_user(&how, results, 2 * paths->len);
	for (guint i = 0; i < 2 * paths->len; i++) {
		if (!results[i].problem)
			continue;
		describe(blocked, paths->pdata[i / 2], i % 2, results[i].problem);
		/* that the last one is missing is what the errno says already */
		if (i / 2 + 1 == paths->len && blocked->missing)
			g_clear_pointer(&blocked->text, g_free);
		return;
	}
}

void hvr_blocked_clear(HvrBlocked *blocked)
{
	g_clear_pointer(&blocked->text, g_free);
	g_clear_pointer(&blocked->folder, g_free);
	g_clear_pointer(&blocked->missing, g_free);
}

char *hvr_blocked_where(const HvrUser *user, const char *path, const char *verb)
{
	g_auto(HvrBlocked) blocked = { 0 };
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *shown = hvr_text_safe(folder);

	hvr_blocked_find(&blocked, user, path);
	if (blocked.text)
		return g_strdup_printf(" (%s)", blocked.text);
	if (blocked.missing && g_str_equal(verb, HVR_BLOCKED_CREATE))
		return g_strdup_printf(" (this user may not write to folder '%s')", shown);
	return g_strdup("");
}

/* What is nearest to @missing, which @file's path leads through, where the caller can list that. */
static void hint_missing(GError **error, const HvrUser *caller, const HvrBlockedFile *file,
			 const char *missing)
{
	g_autofree char *near = hvr_neighbour(caller, missing);
	g_autofree char *shown = near ? hvr_text_safe(near) : NULL;
	gboolean itself = g_str_equal(missing, file->path);

	if (shown && itself && file->missing_hint)
		hvr_error_hint(error, "did you mean '%s'? Else %s", shown, file->missing_hint);
	else if (shown)
		hvr_error_hint(error, "did you mean '%s'?", shown);
	else if (itself && file->missing_hint)
		hvr_error_hint(error, "%s", file->missing_hint);
	else if (g_str_equal(file->verb, HVR_BLOCKED_CREATE))
		hvr_error_hint(error, "make that folder, or correct the path");
	else
		hvr_error_hint(error, "correct the path");
}

gboolean hvr_blocked_is_missing(GError **error, const HvrUser *user, const HvrBlockedFile *file)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_autofree char *shown = hvr_text_safe(file->path);
	g_auto(HvrBlocked) theirs = { 0 };
	g_auto(HvrBlocked) ours = { 0 };

	if (file->problem != ENOENT && file->problem != EACCES)
		return FALSE;
	hvr_blocked_find(&theirs, user, file->path);
	if (theirs.folder)
		hvr_blocked_find(&ours, caller, file->path);
	const HvrBlocked *seen = theirs.missing ? &theirs : &ours;
	if (!seen->missing ||
	    (g_str_equal(file->verb, HVR_BLOCKED_CREATE) && g_str_equal(seen->missing, file->path)))
		return FALSE;
	g_set_error(error, HVR_LAUNCH_ERROR, file->code, "%s: '%s' does not exist%s%s%s",
		    file->what, shown, seen->text ? " (" : "", seen->text ? seen->text : "",
		    seen->text ? ")" : "");
	hint_missing(error, caller, file, seen->missing);
	return TRUE;
}

/* Whom to ask is the VM's user, or somebody who is that user already. */
static void hint_denied(GError **error, const HvrUser *user, const HvrBlockedFile *file,
			const HvrBlocked *blocked)
{
	const char *target = blocked->folder ? blocked->folder : file->path;
	const char *rights = g_str_equal(file->verb, "write") ? "rw" : "r";
	g_autofree char *quoted = g_shell_quote(target);

	if (blocked->text && !blocked->folder)
		hvr_error_hint(error, "QEMU runs as user %s: name the file that the link leads to",
			       user->name);
	else if (user->privileged)
		hvr_error_hint(error,
			       "QEMU runs as that user: give it access (setfacl -m u:%s:%s %s%s), "
			       "%sor set [security] user",
			       user->name, blocked->folder ? "x" : rights, quoted,
			       blocked->folder ? ", or chmod o+x" : "",
			       blocked->folder ? "move the file out of there, " : "");
	else
		hvr_error_hint(error, "have its owner give you access: setfacl -m u:%s:%s %s",
			       user->name, blocked->folder ? "x" : rights, quoted);
}

static void hint_other(GError **error, const HvrBlockedFile *file)
{
	switch (file->problem) {
	case EPERM:
		hvr_error_hint(error, "is it immutable, or for appending only? See lsattr(1)");
		return;
	case EROFS:
		hvr_error_hint(error,
			       "its file system is read-only: set readonly or snapshot = yes");
		return;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		hvr_error_hint(error, "correct the path");
		return;
	default:
		return;
	}
}

void hvr_blocked_fail(GError **error, const HvrUser *user, const HvrBlockedFile *file)
{
	g_auto(HvrBlocked) blocked = { 0 };
	g_autofree char *shown = hvr_text_safe(file->path);

	if (hvr_blocked_is_missing(error, user, file))
		return;
	hvr_blocked_find(&blocked, user, file->path);
	if (file->problem == ENOTDIR && !blocked.text) {
		g_set_error(error, HVR_LAUNCH_ERROR, file->code, "%s: '%s' is no folder",
			    file->what, shown);
		hint_other(error, file);
		return;
	}
	g_autofree char *where = hvr_blocked_where(user, file->path, file->verb);
	g_set_error(error, HVR_LAUNCH_ERROR, file->code, "%s: user %s cannot %s '%s': %s%s",
		    file->what, user->name, file->verb, shown, g_strerror(file->problem), where);
	if (file->problem == EACCES && g_str_equal(file->verb, HVR_BLOCKED_CREATE))
		hvr_error_hint(error, "name a folder that user %s may write to", user->name);
	else if (file->problem == EACCES)
		hint_denied(error, user, file, &blocked);
	else
		hint_other(error, file);
}
