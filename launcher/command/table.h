/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"

/* All commands, in the order of --help; NULL behind the last. The first is the default. */
extern const HvrCommand *const hvr_commands[];

/* The one of this whole name, or NULL. */
const HvrCommand *hvr_command_find(const char *name);

/* Their names, NULL behind the last. [transfer container] */
GPtrArray *hvr_command_names(void) G_GNUC_WARN_UNUSED_RESULT;

/* What may stand in front of the command. */
typedef struct {
	const char *name; /* "--root" */
	const char *form; /* "--root DIR", for --help */
	const char *summary;
} HvrGlobalOption;

/* Behind the last stands one without a name. */
extern const HvrGlobalOption hvr_global_options[];
