/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* @root on one line, always UTF-8 and harmless for a terminal: what json-glib leaves as it is and
 * is not (C1, what reorders text) is \u0085. The same value for who reads it as JSON. [transfer
 * full] */
char *hvr_json_text(JsonNode *root) G_GNUC_WARN_UNUSED_RESULT;

/* Prints one object on standard output, on one line. @object: (transfer full) */
void hvr_json_print(JsonObject *object);

/* The text of that name, borrowed from @object; NULL where there is none, or something else. */
const char *hvr_json_get_string(JsonObject *object, const char *name);

/* The number of that name. FALSE where there is none, or something else. */
gboolean hvr_json_get_int(JsonObject *object, const char *name, gint64 *out_value);

/* Is it there, and true? */
gboolean hvr_json_is_true(JsonObject *object, const char *name);

/* @value or null. */
void hvr_json_set_string(JsonObject *object, const char *name, const char *value);
