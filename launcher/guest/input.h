/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_guest_input_read - all of this process's standard input, for a command in a guest. A terminal
 * is none: the command could not be talked to. The agent takes it before the command starts, so it
 * is bounded: HVR_AGENT_INPUT_MAX_BYTES.
 * Returns: (transfer full)
 * Errors: HVR_LAUNCH_ERROR_USAGE: there is more; _KERNEL: it cannot be read; _BUSY: interrupted
 */
GByteArray *hvr_guest_input_read(GError **error) G_GNUC_WARN_UNUSED_RESULT;
