/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/disk-ways.h"

#include <string.h>

static gboolean is_word(const HvrImportPart *part, const char *name, const char *a, const char *b)
{
	const char *value = hvr_import_get(part, name);

	return g_str_equal(value, a) || g_str_equal(value, b);
}

static gboolean is_on(const HvrImportPart *part, const char *name)
{
	return is_word(part, name, "on", "true");
}

static gboolean is_off(const HvrImportPart *part, const char *name)
{
	return is_word(part, name, "off", "false");
}

/* That of bdrv_parse_cache_mode() in QEMU's block.c. NULL: writeback, which is the default */
static const char *cache_mode(gboolean direct, gboolean unsafe, gboolean through)
{
	if (direct)
		return through ? "directsync" : "none";
	if (unsafe)
		return "unsafe";
	return through ? "writethrough" : NULL;
}

void hvr_import_settle_cache(HvrImport *import, HvrImportPart *disk)
{
	static const char *const names[] = {
		"cache.direct",	       "cache.no-flush",  "file.cache.direct",
		"file.cache.no-flush", "cache.writeback", "write-cache",
	};
	const char *mode =
		cache_mode(is_on(disk, "cache.direct") || is_on(disk, "file.cache.direct"),
			   is_on(disk, "cache.no-flush"),
			   is_off(disk, "write-cache") || is_off(disk, "cache.writeback"));

	if (mode && !hvr_import_find(disk, "cache"))
		hvr_import_add(import, disk, disk->line, "cache", mode);
	/* each node of an image has them */
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		while (hvr_import_find(disk, names[i]))
			hvr_import_take(disk, names[i]);
}

gboolean hvr_import_boot_order(HvrImport *import, const char *letters)
{
	gboolean found = FALSE;

	for (guint i = 0; i < import->parts->len; i++) {
		HvrImportPart *part = g_ptr_array_index(import->parts, i);
		gboolean cdrom = is_word(part, "media", "cdrom", "cdrom") ||
				 is_word(part, "device", "cdrom", "cdrom");
		const char *letter = strchr(letters, cdrom ? 'd' : 'c');

		if (g_strcmp0(part->section, "disk") != 0 || !letter)
			continue;
		if (part->rank == G_MAXINT)
			part->rank = (int)(letter - letters) + 1;
		found = TRUE;
	}
	return found && !letters[strspn(letters, "cd")];
}

void hvr_import_share_thread(HvrImport *import, HvrImportPart *controller)
{
	HvrImportField *thread = hvr_import_find(controller, "driver.iothread");

	if (!thread || !g_str_equal(hvr_import_get(controller, "type"), "scsi"))
		return;
	for (guint i = 0; i < import->parts->len; i++) {
		HvrImportPart *disk = g_ptr_array_index(import->parts, i);

		if (g_strcmp0(disk->section, "disk") == 0 &&
		    g_str_equal(hvr_import_get(disk, "target.bus"), "scsi"))
			hvr_import_add(import, disk, thread->line, "driver.iothread",
				       thread->value);
	}
	thread->told = TRUE;
}
