/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio/error.h"

/* One error domain for the whole folder: callers tell by the code what a user can do about it. */
G_DEFINE_QUARK(hvr_vfio_error, hvr_vfio_error)
