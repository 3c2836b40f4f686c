/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/**
 * hvr_plug_port - the root port for a device that comes back or joins.
 *
 * Its own, if @id was in the VM before: a guest knows a card by the slot that it is in, which is
 * HailoRT's name for it. Else a spare one that is nobody's, or one whose card has left.
 * Returns: (transfer full): NULL: none is free
 */
char *hvr_plug_port(const HvrSession *session, const char *id) G_GNUC_WARN_UNUSED_RESULT;
