/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"

/**
 * hvr_invocation_parse - the words behind a command, by its table.
 * @words: NULL-terminated; they and @command must outlive what is returned
 *
 * Options stand anywhere in front of the first "--", which is dropped: "--name=VALUE",
 * "--name VALUE", "-nVALUE", "-n VALUE", "-abc" for flags. A value that may be missing is only
 * looked for in the option's own word. In a tail (see HvrCommand) a "--" is dropped in front only,
 * and behind its first word nothing is an option: that is the other program's.
 *
 * Errors: HVR_LAUNCH_ERROR_USAGE: one sentence, and what was probably meant, or where the help is.
 */
HvrInvocation *hvr_invocation_parse(const HvrCommand *command, char **words,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* With the texts of its options. */
void hvr_invocation_free(const HvrCommand *command, HvrInvocation *invocation);
