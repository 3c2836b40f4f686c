/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"

/* "hailo-vm-run --help", on standard output. */
void hvr_help_program(void);

/* "hailo-vm-run COMMAND --help", on standard output. */
void hvr_help_command(const HvrCommand *command);

/* For `describe` of whoever has the exit status of a command in a guest, on standard output. */
void hvr_help_command_status(void);

/* For `describe` of whoever takes --set: the keys of a profile, on standard output. */
void hvr_help_profile_keys(void);
