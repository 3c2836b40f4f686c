/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"

/**
 * hvr_outside_describe - adds a line to @notes, of char *, for each of [qemu] args and first-args
 * that has words which name a file, a drive or a device: of these nothing is known but that QEMU
 * gets them, so no other key of the profile reaches them. Pure.
 */
void hvr_outside_describe(const HvrProfile *profile, GPtrArray *notes);
