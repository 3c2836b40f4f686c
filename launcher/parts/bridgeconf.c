/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On which bridges users may be. A bridge is the host's own network: whoever is on it can answer as
 * any address there. So that root's word for it is said once, it is read from where QEMU's helper
 * reads it.
 */
#include "launcher/parts/bridgeconf.h"

#include <errno.h>
#include <string.h>

#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define LARGEST (64 * 1024)
/* Of files that include each other. */
#define DEEPEST 8

/* What is known of one bridge so far. */
typedef struct {
	const char *bridge;
	gboolean allowed;
	gboolean denied;
	guint depth;
} Verdict;

static gboolean fail(GError **error, const char *path, guint line, const char *why)
{
	g_autofree char *where = g_strdup(path);

	if (line > 0) {
		g_free(where);
		where = g_strdup_printf("%s:%u", path, line);
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s: %s", where, why);
	return FALSE;
}

/* @out_text: (transfer full): NULL where there is no such file */
static gboolean read_file(const char *path, char **out_text, GError **error)
{
	const HvrUser self = { .privileged = FALSE };
	HvrOpen file = { .path = path, .how = HVR_OPEN_READ, .fd = -1 };
	g_autofree char *text = g_malloc0(LARGEST + 1);
	gboolean opened = hvr_open(&self, &file, 1);
	g_auto(HvrFd) fd = file.fd;

	*out_text = NULL;
	if (!opened && file.problem == ENOENT)
		return TRUE;
	if (!opened)
		return fail(error, path, 0, hvr_open_problem(&file));
	gssize length = hvr_fd_read_all(fd, text, LARGEST + 1);
	if (length < 0)
		return fail(error, path, 0, g_strerror(errno));
	if (length > LARGEST || memchr(text, '\0', (gsize)length))
		return fail(error, path, 0, "is no list of bridges");
	*out_text = g_steal_pointer(&text);
	return TRUE;
}

static gboolean judge_text(const char *path, char *text, Verdict *verdict, GError **error);

static gboolean include(const char *path, guint line, const char *other, Verdict *verdict,
			GError **error)
{
	g_autofree char *text = NULL;
	gboolean well = TRUE;

	if (!g_path_is_absolute(other))
		return fail(error, path, line, "include takes a whole path");
	if (verdict->depth == DEEPEST)
		return fail(error, path, line, "files include each other without end");
	if (!read_file(other, &text, error))
		return FALSE;
	verdict->depth++;
	if (text)
		well = judge_text(other, text, verdict, error);
	verdict->depth--;
	return well;
}

static gboolean judge_line(const char *path, guint number, char *line, Verdict *verdict,
			   GError **error)
{
	char *word = g_strstrip(line);
	char *value = word + strcspn(word, " \t");

	if (*word == '\0' || *word == '#')
		return TRUE;
	if (*value == '\0')
		return fail(error, path, number, "a line is allow, deny or include and a name");
	*value = '\0';
	value = g_strchug(value + 1);
	gboolean meant = g_str_equal(value, "all") || g_str_equal(value, verdict->bridge);
	if (g_str_equal(word, "allow"))
		verdict->allowed |= meant;
	else if (g_str_equal(word, "deny"))
		verdict->denied |= meant;
	else if (g_str_equal(word, "include"))
		return include(path, number, value, verdict, error);
	else
		return fail(error, path, number, "a line is allow, deny or include and a name");
	return TRUE;
}

static gboolean judge_text(const char *path, char *text, Verdict *verdict, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (!judge_line(path, i + 1, lines[i], verdict, error))
			return FALSE;
	return TRUE;
}

gboolean hvr_bridge_conf_allows(const char *path, const char *bridge, GError **error)
{
	Verdict verdict = { .bridge = bridge };
	g_autofree char *text = NULL;

	if (!read_file(path, &text, error) || (text && !judge_text(path, text, &verdict, error)))
		return FALSE;
	if (verdict.allowed && !verdict.denied)
		return TRUE;
	const char *why = "does not allow";
	if (verdict.denied)
		why = "denies";
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION, "%s %s users '%s'", path,
		    why, bridge);
	if (verdict.denied)
		hvr_error_hint(error, "take out the deny line there, or run as root itself");
	else
		hvr_error_hint(error,
			       "root lets users of this host on it by a line there: "
			       "allow %s",
			       bridge);
	return FALSE;
}
