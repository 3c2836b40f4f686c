/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * The JSON files in which packages tell what they have for QEMU: firmware
 * (docs/interop/firmware.json) and vhost-user back ends (docs/interop/vhost-user.json).
 */

/**
 * hvr_descriptors_read - all descriptors, in the order of preference: that of their names.
 * @folders: NULL-terminated, or NULL: the first one counts most: a file hides those of its name in
 *	     later folders, and an empty one hides all of them
 *
 * A file that cannot be read, is too large, or is no JSON object is passed over.
 * Returns: (transfer full): array of JsonObject, which it owns
 */
GPtrArray *hvr_descriptors_read(const char *const *folders) G_GNUC_WARN_UNUSED_RESULT;

/* A member of that type, or NULL; so for a NULL @object. (transfer none) */
JsonObject *hvr_descriptor_object(JsonObject *object, const char *name);
JsonArray *hvr_descriptor_array(JsonObject *object, const char *name);
const char *hvr_descriptor_string(JsonObject *object, const char *name);

/* @node's text, or NULL where it is not one. (transfer none) */
const char *hvr_descriptor_text(JsonNode *node);
