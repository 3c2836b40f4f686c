/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/qemu/words.h"

/**
 * hvr_diagnose - what a line of QEMU's standard error means for a VM with a passed-through card.
 * Only lines of QEMU itself have a meaning: those that begin with its name, as error_report() has
 * them, and the few that it prints without. A warning has none: QEMU goes on after it.
 * @program: QEMU's argv[0]; a path will do
 * @line: may be anything
 * Returns: (transfer none): NULL for a line without a known meaning. Pure.
 */
const HvrDiagnosis *hvr_diagnose(const char *program, const char *line);

/* The same of an answer of QEMU's monitor, which is its own words. */
const HvrDiagnosis *hvr_diagnose_answer(const char *answer);

/* The same of a line of the kernel's log, without its time. */
const HvrDiagnosis *hvr_diagnose_kernel(const char *line);

/**
 * hvr_diagnose_signal - what it means that a signal ended QEMU.
 * @signal: of waitid(2)
 * @sandbox: QEMU was started with its sandbox
 * Returns: (transfer none): NULL for one that somebody must have sent
 */
const HvrDiagnosis *hvr_diagnose_signal(int signal, gboolean sandbox);

/* QEMU's rows, for tests. */
extern const HvrWordsTable hvr_words_qemu;
