/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's words as parts. What is known only where a script runs is named (hvr_import_add()).
 */
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/import/options.h"
#include "launcher/import/words.h"

/* Options of QEMU's that take no word behind them (qemu-options.hx, 4.2 to 11.1). */
static const char *const flags[] = {
	"nodefaults",  "no-user-config", "nographic",	"enable-kvm",
	"daemonize",   "snapshot",	 "S",		"s",
	"no-reboot",   "no-shutdown",	 "no-hpet",	"no-acpi",
	"usb",	       "full-screen",	 "singlestep",	"only-migratable",
	"no-quit",     "no-fd-bootchk",	 "win2k-hack",	"no-kvm",
	"nodefconfig", "enable-fips",	 "preconfig",	"h",
	"help",	       "version",	 "portrait",	"no-frame",
	"alt-grab",    "ctrl-grab",	 "xen-attach",	"no-kvm-irqchip",
	"no-kvm-pit",  "old-param",	 "semihosting", NULL
};

/* Options whose fields count one by one, and what their first is called. */
static const struct {
	const char *option, *implied;
} listed[] = {
	{ "m", "size" },      { "smp", "cpus" },     { "machine", "type" }, { "M", "type" },
	{ "accel", "accel" }, { "name", "guest" },   { "rtc", "base" },	    { "overcommit", NULL },
	{ "boot", "order" },  { "display", "type" }, { "spice", NULL },	    { "sandbox", "enable" },
	{ "run-with", NULL },
};

/* Options that are parts of their own, and what their first field is called. */
static const struct {
	const char *shown, *implied;
} parts[] = {
	{ "-device", "driver" },   { "-drive", "file" },      { "-blockdev", "driver" },
	{ "-netdev", "type" },	   { "-nic", "type" },	      { "-net", "type" },
	{ "-fsdev", "fsdriver" },  { "-virtfs", "fsdriver" }, { "-chardev", "backend" },
	{ "-object", "qom-type" }, { "-tpmdev", "type" },
};

/* -hda to -hdd, -cdrom, -fda, -pflash, -sd: a drive in short. */
static gboolean add_short_drive(HvrImport *import, const HvrImportWord *word, const char *option,
				const char *value)
{
	static const struct {
		const char *option, *name, *value;
	} drives[] = {
		{ "hda", "if", "ide" },	       { "hdb", "if", "ide" },
		{ "hdc", "if", "ide" },	       { "hdd", "if", "ide" },
		{ "cdrom", "media", "cdrom" }, { "fda", "if", "floppy" },
		{ "fdb", "if", "floppy" },     { "pflash", "if", "pflash" },
		{ "sd", "if", "sd" },	       { "mtdblock", "if", "mtd" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(drives); i++) {
		if (!g_str_equal(option, drives[i].option))
			continue;
		g_autofree char *shown = g_strconcat("-", option, NULL);
		HvrImportPart *part =
			hvr_import_add_part(import, HVR_IMPORT_QEMU, "-drive", word->line, shown);
		hvr_import_add(import, part, word->line, "file", value);
		hvr_import_add(import, part, word->line, drives[i].name, drives[i].value);
		return TRUE;
	}
	return FALSE;
}

static gboolean add_option_part(HvrImport *import, const HvrImportWord *word, const char *option,
				const char *value)
{
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (!g_str_equal(option, parts[i].shown + 1))
			continue;
		HvrImportPart *part = hvr_import_add_part(import, HVR_IMPORT_QEMU, parts[i].shown,
							  word->line, parts[i].shown);
		hvr_import_options(import, part,
				   &(HvrImportOptions){ .line = word->line,
							.prefix = "",
							.implied = parts[i].implied,
							.text = value });
		return TRUE;
	}
	return FALSE;
}

/* What -usbdevice was, before it was gone for what it named (QEMU 6.0): host:VENDOR:PRODUCT */
static gboolean add_usb_device(HvrImport *import, const HvrImportWord *word, const char *option,
			       const char *value)
{
	const char *ids = value + strlen("host:");

	if (!g_str_equal(option, "usbdevice") || !g_str_has_prefix(value, "host:") ||
	    !strchr(ids, ':'))
		return FALSE;
	HvrImportPart *part =
		hvr_import_add_part(import, HVR_IMPORT_QEMU, "usb", word->line, "-usbdevice");
	hvr_import_add(import, part, word->line, "match", ids);
	return TRUE;
}

static void add_machine_option(HvrImport *import, HvrImportPart *machine, const HvrImportWord *word,
			       const char *option, const char *value)
{
	for (guint i = 0; i < G_N_ELEMENTS(listed); i++) {
		if (!g_str_equal(option, listed[i].option))
			continue;
		const char *name = g_str_equal(option, "M") ? "machine" : option;
		g_autofree char *prefix = g_strconcat(name, ".", NULL);
		hvr_import_options(import, machine,
				   &(HvrImportOptions){ .line = word->line,
							.prefix = prefix,
							.implied = listed[i].implied,
							.text = value });
		return;
	}
	hvr_import_add(import, machine, word->line, option, value);
}

static void add_option(HvrImport *import, HvrImportPart *machine, const HvrImportWord *word,
		       const char *option, const char *value)
{
	if (!add_option_part(import, word, option, value) &&
	    !add_short_drive(import, word, option, value) &&
	    !add_usb_device(import, word, option, value))
		add_machine_option(import, machine, word, option, value);
}

/* No value begins so that QEMU would be given: what stands in front of it has none. */
static gboolean is_option(const GPtrArray *words, guint i)
{
	const char *text = ((HvrImportWord *)g_ptr_array_index(words, i))->text;

	return *text == '-' && text[1];
}

/* What is there for a condition that nobody asks. @value: (nullable): the word behind it */
static void tell_condition(HvrImport *import, const HvrImportWord *word, const HvrImportWord *value)
{
	guint line = word->condition;
	g_autofree char *what = g_strjoin(" ", word->text, value ? value->text : NULL, NULL);

	if (!line && value)
		line = value->condition;
	if (!line)
		return;
	g_autofree char *why = g_strdup_printf(
		"line %u says when it is so, which nobody asks here: it is taken", line);
	hvr_import_note(import, word->line, what, why, FALSE);
}

/* Of an option that is given again QEMU takes the last, field by field; only accelerators are a
 * list (qemu_opts_parse() of a merged list, and qemu_init() in QEMU's system/vl.c). */
static void settle_again(HvrImport *import, HvrImportPart *machine)
{
	static const char *const once[] = { "m.",     "smp.",	"cpu",	  "machine.",
					    "name.",  "rtc.",	"boot",	  "kernel",
					    "initrd", "append", "display" };
	g_autoptr(GHashTable) later = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = machine->fields->len; i > 0; i--) {
		HvrImportField *field = g_ptr_array_index(machine->fields, i - 1);
		gboolean is_once = FALSE;
		for (guint k = 0; k < G_N_ELEMENTS(once); k++)
			is_once = is_once || g_str_has_prefix(field->name, once[k]);
		if (field->told || !is_once)
			continue;
		if (g_hash_table_contains(later, field->name))
			hvr_import_note_field(import, machine, field,
					      "it is said again further down, and the last counts",
					      TRUE);
		else
			g_hash_table_add(later, field->name);
	}
}

void hvr_import_qemu_words(HvrImport *import, const GPtrArray *words)
{
	guint first = import->parts->len;
	HvrImportPart *machine = hvr_import_add_part(import, HVR_IMPORT_QEMU, NULL, 0, "");

	for (guint i = 0; i < words->len && !hvr_import_is_full(import); i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		const char *option = word->text + strspn(word->text, "-");
		const HvrImportWord *value = NULL;

		if (*word->text == '-' && !g_strv_contains(flags, option) && i + 1 < words->len &&
		    !is_option(words, i + 1))
			value = g_ptr_array_index(words, ++i);
		tell_condition(import, word, value);
		if (strchr(word->text, HVR_IMPORT_UNKNOWN))
			hvr_import_note(import, word->line, word->text, HVR_IMPORT_UNKNOWN_WHY,
					FALSE);
		else if (*word->text != '-')
			add_short_drive(import, word, "hda", word->text);
		else if (value)
			add_option(import, machine, word, option, value->text);
		else
			hvr_import_add(import, machine, word->line, option, "on");
	}
	settle_again(import, machine);
	hvr_import_qemu_devices(import, first, machine);
	hvr_import_qemu_machine(import, machine);
}
