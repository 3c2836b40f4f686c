/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrConfined - a program of a system that somebody else may have made.
 */
typedef struct {
	int target;		 /* the root folder of that system */
	const char *const *argv; /* [0]: its path in that system, absolute */
	const char *const *environment;
	guint timeout_ms;
} HvrConfined;

/**
 * hvr_confine_run - run it to its end as root of that system, and of nothing else. For root.
 *
 * It sees the target with its mounts, on which no device node works and no setuid bit counts; a
 * /dev of null, zero, full, random, urandom and tty; an empty /run; /proc and /sys read-only, of
 * namespaces of its own (mounts, processes, network, IPC, host name, cgroups). It has no
 * descriptor, terminal or network of the host, only those capabilities that are about files, ids
 * and its own processes, and NO_NEW_PRIVS. What it says comes out on our standard error, without
 * control characters, and no more than a megabyte of it. When it ends, is out of time, or this
 * process ends, all that it has started is killed.
 *
 * Needs of the kernel: open_tree(2), clone3(2), mount_setattr(2): Linux 5.12.
 * Errors: HVR_LAUNCH_ERROR_PERMISSION: it cannot be confined here, and was not started;
 * _UNAVAILABLE: it cannot be executed, or failed; _BUSY: out of time, or interrupted
 */
gboolean hvr_confine_run(const HvrConfined *confined, GError **error) G_GNUC_WARN_UNUSED_RESULT;
