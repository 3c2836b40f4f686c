/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_debug_init - how the debug messages (g_debug) of this program are shown: on standard error,
 * those that G_MESSAGES_DEBUG names, as GLib has it. Called once, before the first message.
 * @all: --debug: all of ours, in our voice; children do not learn of it
 */
void hvr_debug_init(gboolean all);
