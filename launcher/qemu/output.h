/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/qemu/diagnose.h"

/**
 * HvrQemuOutput - what QEMU or a server of its shares prints: passed on line by line as it comes,
 * harmless for a terminal, and QEMU's standard error understood. However much is said, all else
 * that the main context has to do comes first.
 */
typedef struct HvrQemuOutput HvrQemuOutput;

/**
 * hvr_qemu_output_new - attached to the default main context.
 * @fd: (transfer full): the reading end of a pipe
 * @program: QEMU's argv[0], where nothing but its standard error comes through @fd; copied. NULL:
 * it is passed on, and has no meaning, as a guest may have written it
 */
HvrQemuOutput *hvr_qemu_output_new(int fd, const char *program);
/* Passes on what is still in the pipe, and no more than a pipe holds: somebody else may have it,
 * too. NULL is accepted. */
void hvr_qemu_output_drain(HvrQemuOutput *output);
void hvr_qemu_output_free(HvrQemuOutput *output);

/* (transfer none): what the first line with a known meaning means, and of mild ones only where
 * there is no other; NULL: none had one. */
const HvrDiagnosis *hvr_qemu_output_meaning(const HvrQemuOutput *output);
