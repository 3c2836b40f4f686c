/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * hvr_neighbour - the name in @path's folder that was probably meant by @path's last component, as
 * of hvr_nearest(). The folder is read as @user, in a child where this process must become that
 * user: nobody learns more than they could list themselves. A folder with very many names is not
 * read to its end.
 *
 * Returns: (transfer full): the name alone, which may be any bytes; NULL: none is near
 */
char *hvr_neighbour(const HvrUser *user, const char *path) G_GNUC_WARN_UNUSED_RESULT;
