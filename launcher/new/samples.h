/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The samples NAME.ini of configs/, as they are. The definitions are made by launcher/embed.sh when
 * the program is built. */
extern const char hvr_new_sample_kernel[];
extern const char hvr_new_sample_rig[];
extern const char hvr_new_sample_ubuntu[];
extern const char hvr_new_sample_windows[];
