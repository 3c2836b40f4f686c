/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/pairs.h"

#include <stdio.h>
#include <stdlib.h>

double pairs_now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000.0;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(double *values, guint n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

double pairs_compare(const PairsSide *left, const PairsSide *right, guint pairs)
{
	g_autofree double *lefts = g_new(double, pairs);
	g_autofree double *rights = g_new(double, pairs);
	g_autofree double *ratios = g_new(double, pairs);

	left->once(left->data);
	right->once(right->data);
	for (guint i = 0; i < pairs; i++) {
		/* Neither is always the one that comes first. */
		if (i % 2 == 0)
			lefts[i] = left->once(left->data);
		rights[i] = right->once(right->data);
		if (i % 2 != 0)
			lefts[i] = left->once(left->data);
		ratios[i] = lefts[i] / rights[i];
	}
	double ratio = median(ratios, pairs);
	printf("median of %u pairs: %s %.1f ms, %s %.1f ms; ratio %.3f\n", pairs, left->name,
	       median(lefts, pairs), right->name, median(rights, pairs), ratio);
	return ratio;
}
