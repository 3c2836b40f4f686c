/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio/bars.h"

#include <stdio.h>

#include "vfio/tree.h"

/* include/linux/ioport.h */
#define RESOURCE_IO	  0x00000100
#define RESOURCE_MEM	  0x00000200
#define RESOURCE_PREFETCH 0x00002000
#define RESOURCE_MEM_64	  0x00100000

#define ROM_LINE HVR_BARS

/* vfio-pci shows no BAR that is smaller as memory of its own. */
#define PAGE 4096

#define MOST_32 (G_GUINT64_CONSTANT(1) << 30)

/* Of the next one too, of which it may have the address' upper half. */
static void note_kind(HvrBars *bars, guint index, guint64 size, guint64 flags)
{
	if (index >= HVR_BARS)
		return;
	if (flags & RESOURCE_IO)
		bars->kinds[index] = HVR_BAR_IO;
	else if (!(flags & RESOURCE_MEM_64))
		bars->kinds[index] = size > MOST_32 ? HVR_BAR_FULL : HVR_BAR_GROWS;
	else if (index + 1 < HVR_BARS)
		bars->kinds[index + 1] = HVR_BAR_UPPER;
}

/* "START END FLAGS", of which an empty one is all 0 */
static void add_line(HvrBars *bars, guint index, const char *line)
{
	const guint64 high = RESOURCE_PREFETCH | RESOURCE_MEM_64;
	unsigned long long start, end, flags;

	if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) != 3 || end <= start)
		return;
	note_kind(bars, index, end - start + 1, flags);
	if (!(flags & RESOURCE_MEM))
		return;
	guint64 size = MAX(end - start + 1, PAGE);
	if (index == ROM_LINE)
		bars->rom += size;
	else if ((flags & high) == high)
		bars->prefetchable += size;
	else
		bars->memory += size;
}

void hvr_bars_read(const HvrHost *host, const char *name, HvrBars *out_bars)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/resource", name);
	g_autofree char *text = hvr_tree_read(host->sys, path, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", ROM_LINE + 2);

	*out_bars = (HvrBars){ 0 };
	for (guint i = 0; i <= ROM_LINE && lines[i]; i++)
		add_line(out_bars, i, lines[i]);
}

void hvr_bars_add(HvrBars *sum, const HvrBars *more)
{
	sum->prefetchable += more->prefetchable;
	sum->memory += more->memory;
	sum->rom += more->rom;
}

guint64 hvr_bars_window(guint64 bytes)
{
	guint64 window = 1;

	while (window < bytes && window < G_GUINT64_CONSTANT(1) << 62)
		window <<= 1;
	return window;
}
