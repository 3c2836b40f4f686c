/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"

/**
 * hvr_dispatch - "hailo-vm-run [COMMAND] WORD...": do what the words say, or show the help.
 * @words: NULL-terminated, without the program and what is in hvr_global_options; a first one that
 *   is no command is a PROFILE
 *
 * Returns: the exit status; or -1 with an error, of which hvr_exit_status() knows it.
 */
int hvr_dispatch(HvrContext *context, char **words, GError **error);

/* The status of whatever goes wrong in the command that @word (nullable) names: see HvrCommand. */
int hvr_dispatch_status_of_ours(const char *word);
