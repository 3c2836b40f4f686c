/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/serial-hub.h"

/**
 * HvrBootLine - beside the progress of a boot (hvr_progress_detail()) stands the last whole line
 * that the guest has said on its serial port, however it is told that the guest is ready. What a
 * guest says to its terminal (colours, the cursor's place) is left out; empty lines are none.
 */
typedef struct HvrBootLine HvrBootLine;

/* From now on. @serial: (nullable): borrowed, and outlives the result. NULL for NULL */
HvrBootLine *hvr_boot_line_new(HvrSerialHub *serial) G_GNUC_WARN_UNUSED_RESULT;

/* No more from now on; what is shown stays. Not from inside a HvrSerialHeard. NULL is accepted. */
void hvr_boot_line_free(HvrBootLine *line);
