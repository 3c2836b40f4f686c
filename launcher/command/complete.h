/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/runtime/context.h"

/**
 * hvr_complete - "hailo-vm-run --complete WORD...", which the shells ask; neither in the help nor
 * in the manual, as it is for them alone.
 * @words: what stands on the command line up to the cursor, without the program and without what
 *   is in hvr_global_options; the last one, perhaps empty, is the one to complete
 *
 * Returns: (transfer full): a line each:
 *   CANDIDATE TAB DESCRIPTION   a whole word that begins with the last of @words
 *   :files [SUFFIX]             the shell's own files, and those with this ending
 *   :folders                    the shell's own folders
 * A candidate with '=' at its end wants more behind it. Files of "--option=" or "section.key="
 * stand behind the last '='. What cannot be found out is left out.
 */
char *hvr_complete(HvrContext *context, char **words) G_GNUC_WARN_UNUSED_RESULT;
