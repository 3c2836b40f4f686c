/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* {"devices": [...]} of the chosen items. [transfer full] */
JsonObject *hvr_list_to_json(const GPtrArray *items) G_GNUC_WARN_UNUSED_RESULT;

/* The same on standard output. */
void hvr_list_print_json(const GPtrArray *items);
