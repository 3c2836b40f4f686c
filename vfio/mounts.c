/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio/mounts.h"

#include <stdio.h>
#include <string.h>

#include "vfio/tree.h"

/* In what the kernel lists with commas between. */
static gboolean has_option(const char *options, const char *wanted)
{
	g_auto(GStrv) words = g_strsplit(options, ",", -1);

	return g_strv_contains((const char *const *)words, wanted);
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS", spaces as \040. */
gboolean hvr_mount_parse(HvrMount *mount, const char *line)
{
	const char *dash = strstr(line, " - ");
	guint major, minor;

	*mount = (HvrMount){ 0 };
	if (!dash)
		return FALSE;
	g_auto(GStrv) place = g_strsplit(line, " ", 6);
	g_auto(GStrv) origin = g_strsplit(dash + strlen(" - "), " ", 3);
	if (g_strv_length(place) < 6 || g_strv_length(origin) < 2)
		return FALSE;
	if (sscanf(place[2], "%u:%u", &major, &minor) == 2) {
		mount->major = major;
		mount->minor = minor;
	}
	mount->place = g_strcompress(place[4]);
	mount->source = g_strdup(origin[1]);
	mount->readonly = origin[2] && has_option(origin[2], "ro");
	return TRUE;
}

void hvr_mount_clear(HvrMount *mount)
{
	g_clear_pointer(&mount->place, g_free);
	g_clear_pointer(&mount->source, g_free);
}

typedef struct {
	void (*on_mount)(const HvrMount *mount, gpointer data);
	void (*on_swap)(const char *path, gpointer data);
	gpointer data;
} Each;

static void on_mount_line(const char *line, gpointer data)
{
	const Each *each = data;
	g_auto(HvrMount) mount = { 0 };

	if (hvr_mount_parse(&mount, line))
		each->on_mount(&mount, each->data);
}

void hvr_mounts_each(const HvrHost *host, void (*on_mount)(const HvrMount *mount, gpointer data),
		     gpointer data)
{
	Each each = { .on_mount = on_mount, .data = data };

	hvr_tree_each_line(host->proc, "self/mountinfo", on_mount_line, &each);
}

/* A header, then "/dev/sda2   partition  8388604  0  -2". */
static void on_swap_line(const char *line, gpointer data)
{
	const Each *each = data;
	g_auto(GStrv) words = g_strsplit_set(line, " \t", 2);

	if (words[0] && *words[0] == '/')
		each->on_swap(words[0], each->data);
}

void hvr_swaps_each(const HvrHost *host, void (*on_swap)(const char *path, gpointer data),
		    gpointer data)
{
	Each each = { .on_swap = on_swap, .data = data };

	hvr_tree_each_line(host->proc, "swaps", on_swap_line, &each);
}
