/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* {"devices": [...], "held_missing": [...]} of the chosen items.
 * @missing: (nullable): array of HvrHold, of hvr_list_missing()
 * [transfer full] */
JsonObject *hvr_list_to_json(const GPtrArray *items,
			     const GPtrArray *missing) G_GNUC_WARN_UNUSED_RESULT;

/* The same on standard output. */
void hvr_list_print_json(const GPtrArray *items, const GPtrArray *missing);
