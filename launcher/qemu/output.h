/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrQemuOutput - QEMU's standard error: passed on line by line as it comes, harmless for a
 * terminal, and understood. However much QEMU says, all else that the main context has to do comes
 * first.
 */
typedef struct HvrQemuOutput HvrQemuOutput;

/* @fd: (transfer full): the reading end of a pipe. Attached to the default main context. */
HvrQemuOutput *hvr_qemu_output_new(int fd);
/* Passes on what is still in the pipe, and no more than a pipe holds: somebody else may have it,
 * too. NULL is accepted. */
void hvr_qemu_output_drain(HvrQemuOutput *output);
void hvr_qemu_output_free(HvrQemuOutput *output);

/* (transfer none): what the first line with a known meaning means, or NULL. */
const char *hvr_qemu_output_meaning(const HvrQemuOutput *output);
