/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does looking at a host take time in proportion to its functions? 4,096 of them are compared with
 * half as many: twice the time, not four times. What it takes beside other programs is list.c's.
 */
#include "tests/bench/functions.h"
#include "tests/bench/pairs.h"
#include "vfio/inventory.h"

#define PAIRS 21
/* Linear is 2, quadratic 4. */
#define RATIO_MAX 3.0

static double read_once(gpointer data)
{
	const HvrHost *host = data;
	g_autoptr(GError) error = NULL;
	double start_ms = pairs_now_ms();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(host, &error);

	if (!inventory)
		g_error("%s", error->message);
	return pairs_now_ms() - start_ms;
}

int main(void)
{
	g_autoptr(FakeSysfs) all = functions_new(MANY_BUSES);
	g_autoptr(FakeSysfs) half = functions_new(MANY_BUSES / 2);
	const PairsSide left = { "4,096 functions", read_once, &all->host };
	const PairsSide right = { "2,048 functions", read_once, &half->host };

	return pairs_compare(&left, &right, PAIRS) < RATIO_MAX ? 0 : 1;
}
