/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * Reading small files and folders below a directory descriptor: of /sys, /proc and /dev, of the
 * runtime folder, or of a captured tree. No path leaves it (hvr_open_beneath).
 */

/**
 * hvr_tree_read - the whole of a file, at most 4 KiB, byte for byte.
 * Returns: (transfer full): NUL-terminated; NULL with G_IO_ERROR (NOT_FOUND when there is none,
 * INVALID_DATA when it is longer)
 */
char *hvr_tree_read(int dirfd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Its first line, without the newline, or NULL when it cannot be read for any reason. */
char *hvr_tree_read_line(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_tree_read_number - an attribute that is one number and nothing else.
 * @base: 10, or 16 with or without a leading "0x"
 * Returns: FALSE, with @out_value untouched, when it is not there or not a number.
 */
gboolean hvr_tree_read_number(int dirfd, const char *path, int base,
			      guint64 *out_value) G_GNUC_WARN_UNUSED_RESULT;

/* The last component of where a link leads ("vfio-pci" for .../driver), or NULL. */
char *hvr_tree_link_name(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The names in a folder, sorted, without "." and ".."; an empty array when it cannot be read. */
GPtrArray *hvr_tree_list(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* Is there something at @path? */
gboolean hvr_tree_exists(int dirfd, const char *path);

/* Calls @on_line for every line of a file of any length, without its newline; for none where it
 * cannot be read. */
void hvr_tree_each_line(int dirfd, const char *path,
			void (*on_line)(const char *line, gpointer data), gpointer data);
