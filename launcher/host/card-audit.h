/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/audit.h"
#include "vfio/inventory.h"

/**
 * hvr_card_audit - tell what became of @function (audit.h), and count it (counters.h) where this is
 * root. No failure of it is anybody's.
 * @vm: (nullable)
 * @result: (nullable): NULL: all well; of several lines the first
 */
void hvr_card_audit(const HvrContext *context, HvrAuditEvent event, const HvrPciFunction *function,
		    const char *vm, const char *result);
