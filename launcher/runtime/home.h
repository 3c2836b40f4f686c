/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Below /run: the folder in which each member of the group hailo-vm may make one of their own. It
 * is tmpfiles.d's, by `setup permissions` (configs/setup/tmpfiles.conf). */
#define HVR_HOME_USERS "hailo-vm-run-users"

/* Where a plain user's runtime folder is, whether it is there yet or not. */
typedef struct {
	int parent;	  /* in this folder, with this name; the caller closes it */
	const char *name; /* interned */
	const char *path; /* interned: both as one, to show to people */
} HvrHome;

/**
 * hvr_home_find - a plain user's runtime folder, with a login session or without one (su, cron, a
 * CI service, a job of Slurm's). Makes nothing. The first of these that can be written to:
 *
 *   @own/hailo-vm-run            as the login, or whoever plays it, has put it
 *   @run/user/UID/hailo-vm-run   the login's, where nobody has told us: logind, or lingering, keeps
 *                                it. Only if it is the user's and nobody else's
 *   @run/hailo-vm-run-users/UID  on the machine that `setup` has prepared
 *
 * The same user gets the same one from any process of the host, as far as @own is the same. What is
 * made there is checked by hvr_runtime_open(), whoever made the folder around it.
 * @own: (nullable): $XDG_RUNTIME_DIR
 * @run: /run, to look into; @run_path: its name
 * Returns: FALSE when there is none
 */
gboolean hvr_home_find(const char *own, int run, const char *run_path, HvrHome *out_home);
