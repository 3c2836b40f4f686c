/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_bridge_conf_allows - does the host's administrator let users put VMs on @bridge?
 * @path: /etc/qemu/bridge.conf, root's word for QEMU's own setuid helper: lines "allow NAME",
 * "deny NAME" and "include FILE", with "all" for a name, and comments behind '#'. A deny anywhere
 * wins over every allow; whom no line allows is denied (qemu-bridge-helper.c). Changes nothing.
 *
 * Unlike the helper this refuses where a file is not understood, and passes over an included one
 * only where it is missing: it might have held the deny. An included file needs a whole path, since
 * the current folder is the caller's.
 * Errors: HVR_LAUNCH_ERROR_PERMISSION: it does not, with the line to add; _UNAVAILABLE: a file
 * cannot be read or understood. What is in a file is not quoted.
 */
gboolean hvr_bridge_conf_allows(const char *path, const char *bridge,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
