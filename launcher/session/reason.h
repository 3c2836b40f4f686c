/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/**
 * HvrReason - why a VM ends, in a few words, for those who ask afterwards. QEMU says with its event
 * SHUTDOWN who wanted it (ShutdownCause in qapi/run-state.json, since QEMU 4.0); a QEMU that ends
 * without it has died.
 */
typedef struct HvrReason HvrReason;

HvrReason *hvr_reason_new(HvrSession *session) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_reason_text - "guest powered off".
 * @end: (nullable): what the end is told as, where that is an error: see hvr_verdict()
 * Returns: (transfer full): the words of whoever asked for the end, else of @end, else of QEMU
 */
char *hvr_reason_text(const HvrReason *reason, const GError *end) G_GNUC_WARN_UNUSED_RESULT;

/* Before the session's end. NULL is accepted. */
void hvr_reason_free(HvrReason *reason);
