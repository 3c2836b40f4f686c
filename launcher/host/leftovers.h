/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/runtime/context.h"

/**
 * hvr_leftovers_remove - remove from the runtime folder what killed processes have left there and
 * what nobody needs: lock files, journal entries that were never finished. Folders of VMs are put
 * away with what these have said (launcher/runtime/ended.h).
 * Whatever somebody alive still has a lock on stays. The journal itself is not touched.
 */
void hvr_leftovers_remove(const HvrContext *context);
