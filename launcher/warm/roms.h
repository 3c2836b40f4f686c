/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * hvr_warm_roms_add - a line "ROM NAME: VERSION" for each file that a machine may load unasked: the
 * BIOS, that of its screen, those of its network cards, kvmvapic. A guest that was saved has their
 * sizes and their contents in its RAM; a package may bring others under the same QEMU. Which of
 * them this machine loads only QEMU knows, and which package they are of nobody: so all count, also
 * those of other machines.
 * @user: as whom all is looked at: the folders are what a program of the profile's has told
 * @folders: of char *: hvr_qemu_data_folders(). What is missing there is none
 */
void hvr_warm_roms_add(GString *about, const HvrUser *user, const GPtrArray *folders);
