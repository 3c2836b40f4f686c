/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The scripts NAME.sh of this folder, for a guest's shell. The definitions are made by
 * launcher/embed.sh when the program is built. */
extern const char hvr_session_script_wake[];
