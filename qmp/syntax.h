/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Private to qmp/: not for inclusion from another folder. */

#include <glib.h>

/* Deepest nesting that is handed to json-glib. QEMU's own answers stay below 10. */
#define HVR_QMP_DEPTH_MAX 64

/*
 * Most values in one message, and most members in one object. A peer may be hostile: the guest
 * may have taken over QEMU. Within 1 MiB, "{},{},..." costs json-glib 130 MiB, and repeating the
 * last of many keys 8 s, since it walks a list. query-qmp-schema of QEMU 7.2, the longest answer
 * there is, has 15742 values and 5 members an object; a CPU model's properties are about 500.
 */
#define HVR_QMP_VALUES_MAX  65536
#define HVR_QMP_MEMBERS_MAX 4096

/**
 * hvr_qmp_syntax_check - is this text exactly one JSON object, as RFC 8259 writes it?
 * @text: not necessarily NUL-terminated
 * @len: in bytes
 *
 * Refuses what json-glib lets pass or dies of: more levels, values or members than above, anything
 * behind the object, comments, single quotes, leading zeros, NUL (also as \u0000), half a
 * surrogate pair, invalid UTF-8.
 *
 * Errors: HVR_QMP_ERROR_PROTOCOL, with the offset in bytes.
 */
gboolean hvr_qmp_syntax_check(const char *text, gsize len,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
