/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/**
 * hvr_diagnose - what a line of QEMU's standard error means for a VM with a passed-through card.
 * Returns: (transfer none): one sentence with cause and remedy, or NULL for a line without a known
 * meaning. Pure; @line may be anything.
 */
const char *hvr_diagnose(const char *line);
