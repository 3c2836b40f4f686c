/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * Files of a fake machine. @root is its folder, paths are relative to it. Whatever goes wrong here
 * is a fault of the test itself and ends it.
 */

void fake_files_make_folder(const char *root, const char *path);
/* Makes the folders above too. */
void fake_files_write(const char *root, const char *path, const char *text, mode_t mode);
void fake_files_write_bytes(const char *root, const char *path, const void *bytes, gsize length,
			    mode_t mode);
/* Replaces the content of a file that is there; its mode and owner stay. */
void fake_files_rewrite(const char *root, const char *path, const char *text);
/* A link at @path that leads to @target by way of "..", as sysfs has them. */
void fake_files_link(const char *root, const char *path, const char *target);
void fake_files_link_text(const char *root, const char *path, const char *text);
/* Where the link at @path leads, relative to @root, or NULL. (transfer full) */
char *fake_files_target(const char *root, const char *path);
/* Without its trailing newline, or NULL. (transfer full) */
char *fake_files_read(const char *root, const char *path);
gboolean fake_files_exist(const char *root, const char *path);
/* Files, links, folders with all in them; nothing when it is not there. */
void fake_files_remove(const char *root, const char *path);
/* The whole folder, unless HVR_KEEP_TMP is set. */
void fake_files_end(const char *root);
void fake_files_move(const char *root, const char *from, const char *to);
/* Names in a folder, sorted; empty when it is not there. (transfer full) */
GPtrArray *fake_files_list(const char *root, const char *path);
/* A folder as text, see fake_sysfs_snapshot(). */
void fake_files_snapshot(const char *root, const char *path, GString *text);
