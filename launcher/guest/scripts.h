/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The scripts NAME.sh of this folder, for `sh -c`: what the guest's own shell does around a
 * command. The definitions are made by launcher/embed.sh when the program is built. */
extern const char hvr_guest_script_control[];
extern const char hvr_guest_script_inner[];
extern const char hvr_guest_script_prepare[];
extern const char hvr_guest_script_run[];
