/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* The small steps that cmdline.c and its neighbours add words to QEMU's argv with. */

/* Append two words, @option and a text made from @format. */
void hvr_cmdline_add(GPtrArray *argv, const char *option, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* Append two words, @option and @properties as JSON in one line. Takes ownership of @properties. */
void hvr_cmdline_add_json(GPtrArray *argv, const char *option, JsonObject *properties);

/* The same as key=value, each comma in a value doubled. @properties begin with "driver" and have
 * only strings, whole numbers and booleans. Takes ownership of @properties. */
void hvr_cmdline_add_keys(GPtrArray *argv, const char *option, JsonObject *properties);

/* Append a device that has nothing but an @id, and a place on @bus (nullable). */
void hvr_cmdline_add_plain(GPtrArray *argv, const char *driver, const char *id, const char *bus);

/**
 * hvr_cmdline_add_listener - append a character device @id: a socket that QEMU listens on.
 * @fd: that socket; -1: QEMU makes it itself
 * @path: (nullable): where, when @fd is -1
 * Returns: FALSE, with nothing appended, where there is neither
 */
gboolean hvr_cmdline_add_listener(GPtrArray *argv, const char *id, int fd, const char *path);

/* @value for a key=value option: each comma doubled. */
char *hvr_cmdline_escape(const char *value) G_GNUC_WARN_UNUSED_RESULT;
