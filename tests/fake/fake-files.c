/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain file handling for fake machines, without any meaning: what the files stand for is in
 * fake-sysfs.c and fake-kernel.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fake/fake-files.h"

static void check(gboolean worked, const char *what, const char *path)
{
	int saved = errno;

	if (!worked)
		g_error("fake machine: cannot %s '%s': %s", what, path, g_strerror(saved));
}

static char *full_path(const char *root, const char *path)
{
	return g_strconcat(root, "/", path, NULL);
}

void fake_files_make_folder(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);

	check(g_mkdir_with_parents(full, 0755) == 0, "make", full);
}

/* Making the folder only when it is missed spares most of the calls. */
static int create(const char *root, const char *path, const char *full, mode_t mode)
{
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 && errno == ENOENT) {
		g_autofree char *folder = g_path_get_dirname(path);

		fake_files_make_folder(root, folder);
		fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	}
	return fd;
}

void fake_files_write_bytes(const char *root, const char *path, const void *bytes, gsize length,
			    mode_t mode)
{
	g_autofree char *full = full_path(root, path);
	int fd = create(root, path, full, mode);

	check(fd >= 0, "create", full);
	check(write(fd, bytes, length) == (gssize)length, "write", full);
	close(fd);
}

void fake_files_write(const char *root, const char *path, const char *text, mode_t mode)
{
	fake_files_write_bytes(root, path, text, strlen(text), mode);
}

void fake_files_rewrite(const char *root, const char *path, const char *text)
{
	g_autofree char *full = full_path(root, path);
	int fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);

	check(fd >= 0, "open", full);
	check(write(fd, text, strlen(text)) == (gssize)strlen(text), "write", full);
	close(fd);
}

void fake_files_link_text(const char *root, const char *path, const char *text)
{
	g_autofree char *full = full_path(root, path);
	g_autofree char *folder = g_path_get_dirname(path);

	unlink(full);
	if (symlink(text, full) < 0) {
		fake_files_make_folder(root, folder);
		check(symlink(text, full) == 0, "link", full);
	}
}

void fake_files_link(const char *root, const char *path, const char *target)
{
	g_auto(GStrv) from = g_strsplit(path, "/", -1);
	g_auto(GStrv) to = g_strsplit(target, "/", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *rest = NULL;
	guint common = 0;

	while (from[common] && to[common] && strcmp(from[common], to[common]) == 0)
		common++;
	for (guint i = common; i + 1 < g_strv_length(from); i++)
		g_string_append(text, "../");
	rest = g_strjoinv("/", to + common);
	g_string_append(text, rest);
	fake_files_link_text(root, path, text->str);
}

char *fake_files_target(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);
	g_autofree char *text = g_file_read_link(full, NULL);
	g_autofree char *folder = g_path_get_dirname(full);
	g_autofree char *joined = NULL, *target = NULL;

	if (!text)
		return NULL;
	joined = g_build_filename(folder, text, NULL);
	target = g_canonicalize_filename(joined, NULL);
	if (!g_str_has_prefix(target, root))
		return NULL;
	return g_strdup(target + strlen(root) + 1);
}

char *fake_files_read(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);
	char *text = NULL;
	gsize length;

	if (!g_file_get_contents(full, &text, &length, NULL))
		return NULL;
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return text;
}

gboolean fake_files_exist(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void fake_files_remove(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);

	if (fake_files_exist(root, path))
		check(nftw(full, remove_one, 32, FTW_DEPTH | FTW_PHYS) == 0, "remove", full);
}

void fake_files_end(const char *root)
{
	if (!g_getenv("HVR_KEEP_TMP"))
		fake_files_remove(root, "");
}

void fake_files_move(const char *root, const char *from, const char *to)
{
	g_autofree char *full_from = full_path(root, from);
	g_autofree char *full_to = full_path(root, to);
	g_autofree char *folder = g_path_get_dirname(to);

	fake_files_make_folder(root, folder);
	check(rename(full_from, full_to) == 0, "move", full_from);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *fake_files_list(const char *root, const char *path)
{
	g_autofree char *full = full_path(root, path);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *folder = g_dir_open(full, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder)))
		g_ptr_array_add(names, g_strdup(name));
	if (folder)
		g_dir_close(folder);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static void append_escaped(GString *text, const char *bytes, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			g_string_append(text, "\\n");
		else if (g_ascii_isprint(bytes[i]) && bytes[i] != '\\')
			g_string_append_c(text, bytes[i]);
		else
			g_string_append_printf(text, "\\x%02x", (guint8)bytes[i]);
	}
}

static void append_content(const char *full, GString *text)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (g_file_get_contents(full, &bytes, &length, NULL))
		append_escaped(text, bytes, length);
	else
		g_string_append(text, "(not readable)");
}

void fake_files_snapshot(const char *root, const char *path, GString *text)
{
	g_autofree char *full = full_path(root, path);
	g_autoptr(GPtrArray) names = NULL;
	struct stat st;

	check(lstat(full, &st) == 0, "look at", full);
	g_string_append_printf(text, "%06o %u:%u %s ", st.st_mode, st.st_uid, st.st_gid, path);
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *target = g_file_read_link(full, NULL);

		g_string_append_printf(text, "-> %s", target);
	} else if (S_ISREG(st.st_mode)) {
		append_content(full, text);
	}
	g_string_append_c(text, '\n');
	if (!S_ISDIR(st.st_mode))
		return;

	names = fake_files_list(root, path);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *child = g_strconcat(path, "/", g_ptr_array_index(names, i), NULL);

		fake_files_snapshot(root, child, text);
	}
}
