/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * Two things measured side by side. A machine's speed drifts, and others work on it: what a time is
 * by itself says little, what it is beside that of the other in the same moment says much. So they
 * take turns, and each pair counts by its ratio.
 */

/* Does it once. Returns: how long it took, in milliseconds. */
typedef double (*PairsOnce)(gpointer data);

typedef struct {
	const char *name; /* "lspci -nnk" */
	PairsOnce once;
	gpointer data;
} PairsSide;

/**
 * pairs_compare - measure @left and @right @pairs times each, after a first time that is not
 * counted, and print the medians of both times and of the ratio.
 * Returns: the median of left / right over the pairs
 */
double pairs_compare(const PairsSide *left, const PairsSide *right, guint pairs);

/* For a PairsOnce: now, in milliseconds. */
double pairs_now_ms(void);
