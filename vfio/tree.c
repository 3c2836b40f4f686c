/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <dirent.h>

#include "vfio/fd.h"

#define ATTRIBUTE_MAX 4096 /* the kernel gives an attribute one page */

char *hvr_tree_read(int dirfd, const char *path, GError **error)
{
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK);
	char buffer[ATTRIBUTE_MAX + 1];
	gssize length = -1;

	if (fd >= 0)
		length = hvr_fd_read_all(fd, buffer, sizeof(buffer));
	if (length < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "cannot read '%s': %s", path, g_strerror(saved));
		return NULL;
	}
	if (length > ATTRIBUTE_MAX) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    "cannot read '%s': longer than %d bytes", path, ATTRIBUTE_MAX);
		return NULL;
	}
	return g_strndup(buffer, (gsize)length);
}

char *hvr_tree_read_line(int dirfd, const char *path)
{
	char *text = hvr_tree_read(dirfd, path, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

gboolean hvr_tree_read_number(int dirfd, const char *path, int base, guint64 *out_value)
{
	g_autofree char *line = hvr_tree_read_line(dirfd, path);
	const char *digits = line;
	guint64 value;

	if (!line)
		return FALSE;
	if (base == 16 && g_str_has_prefix(line, "0x"))
		digits += strlen("0x");
	if (!g_ascii_string_to_unsigned(digits, (guint)base, 0, G_MAXUINT64, &value, NULL))
		return FALSE;

	*out_value = value;
	return TRUE;
}

char *hvr_tree_link_name(int dirfd, const char *path)
{
	char target[PATH_MAX];
	const char *slash;
	gssize length;
	g_auto(HvrFd) link = hvr_open_beneath(dirfd, path, O_PATH | O_NOFOLLOW);

	if (link < 0)
		return NULL;
	length = readlinkat(link, "", target, sizeof(target) - 1);
	if (length <= 0)
		return NULL;

	target[length] = '\0';
	slash = strrchr(target, '/');
	const char *name = slash ? slash + 1 : target;
	/* The kernel's names have no newline; those of somebody's tree may. */
	return g_strdelimit(g_strdup(name), "\n", ' ');
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *hvr_tree_list(int dirfd, const char *path)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY);
	const struct dirent *entry;
	DIR *folder;

	if (fd < 0)
		return g_steal_pointer(&names);
	folder = fdopendir(fd);
	if (!folder)
		return g_steal_pointer(&names);

	g_steal_fd(&fd); /* closedir() closes it */
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	closedir(folder);

	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

gboolean hvr_tree_exists(int dirfd, const char *path)
{
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_PATH | O_NOFOLLOW);

	return fd >= 0;
}

void hvr_tree_each_line(int dirfd, const char *path,
			void (*on_line)(const char *line, gpointer data), gpointer data)
{
	int fd = hvr_open_beneath(dirfd, path, O_RDONLY);
	char *buffer = NULL;
	size_t size = 0;
	ssize_t length;

	if (fd < 0)
		return;
	FILE *file = fdopen(fd, "re");
	if (!file) {
		hvr_fd_close(fd);
		return;
	}
	while ((length = getline(&buffer, &size, file)) >= 0) {
		if (length > 0 && buffer[length - 1] == '\n')
			buffer[length - 1] = '\0';
		on_line(buffer, data);
	}
	free(buffer);
	fclose(file);
}
