/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Private to qmp/: not for inclusion from another folder. */

#include <glib.h>

/* Deepest nesting that is handed to json-glib. QEMU's own answers stay below 10. */
#define HVR_QMP_DEPTH_MAX 64

/**
 * hvr_qmp_syntax_check - is this text exactly one JSON object, as RFC 8259 writes it?
 * @text: not necessarily NUL-terminated
 * @len: in bytes
 *
 * Refuses what json-glib lets pass or dies of: more than HVR_QMP_DEPTH_MAX levels, anything
 * behind the object, comments, single quotes, leading zeros, NUL (also as \u0000), half a
 * surrogate pair, invalid UTF-8.
 *
 * Errors: HVR_QMP_ERROR_PROTOCOL, with the offset in bytes.
 */
gboolean hvr_qmp_syntax_check(const char *text, gsize len,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
