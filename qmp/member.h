/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Private to qmp/: not for inclusion from another folder. */

#include <json-glib/json-glib.h>

/*
 * What arrives may hold any type under any name, and json-glib's getters abort, warn or answer 0
 * for the wrong one. These are questions: NULL when the member is absent or something else.
 */

/* Borrowed from @object. */
const char *hvr_qmp_member_string(JsonObject *object, const char *name);

/* Borrowed from @object. */
JsonObject *hvr_qmp_member_object(JsonObject *object, const char *name);

/* Is the member a whole number and equal to @value? */
gboolean hvr_qmp_member_is_int(JsonObject *object, const char *name, gint64 value);
