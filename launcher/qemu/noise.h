/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_noise - is @line of QEMU's standard error one that it says when all is well, and that reads
 * like a failure? Whoever reads it would look for one.
 * Returns: why it means nothing (transfer none); NULL: it is to be shown. Pure.
 */
const char *hvr_noise(const char *line);

/* The same of a line of QEMU's servers, which a guest may have made as well: each is known whole.
 */
const char *hvr_noise_of_server(const char *line);
