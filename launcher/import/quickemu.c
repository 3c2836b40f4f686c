/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration of quickemu's, which bash sources: KEY="value" lines, and arrays. Here they are
 * only read. What quickemu does without being told, such as UEFI, counts as said.
 */
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/import/shell.h"

typedef struct {
	HvrImport *import;
	HvrImportPart *machine;
	HvrImportPart *net;
	GString *forwards;
	guint forwards_line;
} Reader;

static void add_forward(Reader *reader, guint line, const char *host, const char *guest)
{
	g_string_append_printf(reader->forwards, "%stcp::%s-%s", reader->forwards->len ? " " : "",
			       host, guest);
	if (!reader->forwards_line)
		reader->forwards_line = line;
}

/* "HOST:GUEST" */
static void add_pair(Reader *reader, const HvrImportWord *word)
{
	g_auto(GStrv) ports = g_strsplit(word->text, ":", 2);

	if (g_strv_length(ports) == 2)
		add_forward(reader, word->line, ports[0], ports[1]);
	else if (*word->text)
		hvr_import_note(reader->import, word->line, word->text, "it is no HOST:GUEST",
				FALSE);
}

static void add_disk(Reader *reader, const HvrImportWord *word, const char *file, gboolean cdrom)
{
	HvrImportPart *disk = hvr_import_add_part(reader->import, HVR_IMPORT_QUICKEMU, "disk",
						  word->line, cdrom ? "iso" : "disk_img");

	hvr_import_add(reader->import, disk, word->line, "file", file);
	if (cdrom)
		hvr_import_add(reader->import, disk, word->line, "media", "cdrom");
	else
		disk->rank = 0;
}

/* What a macOS is installed from: an image as it is */
static void add_image(Reader *reader, const HvrImportWord *word, const char *file)
{
	HvrImportPart *disk =
		hvr_import_add_part(reader->import, HVR_IMPORT_QUICKEMU, "disk", word->line, "img");

	hvr_import_add(reader->import, disk, word->line, "file", file);
	hvr_import_add(reader->import, disk, word->line, "disk_format", "raw");
}

/* QEMU's own words. */
static void add_words(Reader *reader, const HvrImportWord *word, const char *text)
{
	g_autoptr(GPtrArray) words = hvr_import_words_new();

	if (hvr_import_words_split(words, word->line, text))
		hvr_import_qemu_words(reader->import, words);
	else
		hvr_import_note(reader->import, word->line, "extra_args",
				"it cannot be split into words", FALSE);
}

/* What is no word of quickemu's is a bridge. */
static void add_network(Reader *reader, guint line, const char *value)
{
	gboolean bridge =
		!g_strv_contains((const char *const[]){ "none", "user", "restrict", NULL }, value);

	hvr_import_add(reader->import, reader->net, line, "network", bridge ? "bridge" : value);
	if (bridge)
		hvr_import_add(reader->import, reader->net, line, "bridge", value);
}

static void add_share(Reader *reader, guint line, const char *path)
{
	HvrImportPart *share = hvr_import_add_part(reader->import, HVR_IMPORT_QUICKEMU, "share",
						   line, "public_dir");

	hvr_import_add(reader->import, share, line, "path", path);
	share->id = g_strdup("public");
}

static void add_usb(Reader *reader, const HvrImportWord *word)
{
	HvrImportPart *usb = hvr_import_add_part(reader->import, HVR_IMPORT_QUICKEMU, "usb",
						 word->line, "usb_devices");

	hvr_import_add(reader->import, usb, word->line, "match", word->text);
}

static void add_array(Reader *reader, const char *name, const GPtrArray *words)
{
	g_autoptr(GPtrArray) extra = hvr_import_words_new();

	for (guint i = 0; i < words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		if (g_str_equal(name, "port_forwards"))
			add_pair(reader, word);
		else if (g_str_equal(name, "usb_devices"))
			add_usb(reader, word);
		else if (g_str_equal(name, "extra_args"))
			hvr_import_words_add(extra, word->line, word->text);
		else
			hvr_import_add(reader->import, reader->machine, word->line, name,
				       word->text);
	}
	if (extra->len)
		hvr_import_qemu_words(reader->import, extra);
}

static void add_value(Reader *reader, const char *name, const HvrImportWord *word,
		      const char *value)
{
	if (g_str_equal(name, "disk_img"))
		add_disk(reader, word, value, FALSE);
	else if (g_str_equal(name, "iso") || g_str_equal(name, "fixed_iso"))
		add_disk(reader, word, value, TRUE);
	else if (g_str_equal(name, "img"))
		add_image(reader, word, value);
	else if (g_str_equal(name, "extra_args"))
		add_words(reader, word, value);
	else if (g_str_equal(name, "disk")) /* as it was called of old */
		hvr_import_add(reader->import, reader->machine, word->line, "disk_size", value);
	else if (g_str_equal(name, "ssh_port"))
		add_forward(reader, word->line, value, "22");
	else if (g_str_equal(name, "macaddr"))
		hvr_import_add(reader->import, reader->net, word->line, name, value);
	else if (g_str_equal(name, "network"))
		add_network(reader, word->line, value);
	else if (g_str_equal(name, "public_dir") && !g_str_equal(value, "none"))
		add_share(reader, word->line, value);
	else
		hvr_import_add(reader->import, reader->machine, word->line, name, value);
}

/* quickemu has its own commands in the file, as bash would run them. */
static void read_command(Reader *reader, const HvrImportCommand *command)
{
	const HvrImportWord *first = command->words->len ? command->words->pdata[0] : NULL;

	if (!command->name)
		hvr_import_note(reader->import, command->line, first ? first->text : ">",
				"it is no KEY=\"value\", and nothing is run", FALSE);
	else if (command->array)
		add_array(reader, command->name, command->words);
	else if (first && *first->text)
		add_value(reader, command->name, first, first->text);
}

/* What is said of the machine, and is the disk's. */
static void settle_disks(Reader *reader)
{
	for (guint i = 0; i < reader->import->parts->len; i++) {
		HvrImportPart *part = g_ptr_array_index(reader->import->parts, i);
		if (g_strcmp0(part->section, "disk") != 0 || !g_str_equal(part->shown, "disk_img"))
			continue;
		for (const char *const *name =
			     (const char *const[]){ "disk_size", "disk_format", NULL };
		     *name; name++) {
			const HvrImportField *field = hvr_import_find(reader->machine, *name);
			if (field)
				hvr_import_add(reader->import, part, field->line, *name,
					       hvr_import_take(reader->machine, *name));
		}
	}
}

/* quickemu's own defaults that a guest would miss. */
static void settle_defaults(Reader *reader)
{
	HvrImportPart *machine = reader->machine;
	const HvrImportField *guest = hvr_import_find(machine, "guest_os");
	guint line = guest ? guest->line : 1;
	gboolean windows = guest && g_str_has_prefix(guest->value, "windows");

	if (!hvr_import_find(machine, "boot"))
		hvr_import_add(reader->import, machine, line, "boot", "efi");
	if (!hvr_import_find(machine, "display"))
		hvr_import_add(reader->import, machine, line, "display", "sdl");
	if (windows) {
		hvr_import_add(reader->import, machine, line, "rtc", "localtime");
		hvr_import_add(reader->import, machine, line, "hyperv", "yes");
	}
	if (reader->forwards->len)
		hvr_import_add(reader->import, reader->net, reader->forwards_line, "forward",
			       reader->forwards->str);
	if (!hvr_import_find(reader->net, "network"))
		hvr_import_add(reader->import, reader->net, line, "network", "user");
}

void hvr_import_quickemu(HvrImport *import, const char *text)
{
	g_autoptr(HvrImportShell) shell = hvr_import_shell_read(import, text);
	const GPtrArray *commands = hvr_import_shell_commands(shell);
	g_autoptr(GString) forwards = g_string_new(NULL);
	Reader reader = { .import = import, .forwards = forwards };

	reader.machine = hvr_import_add_part(import, HVR_IMPORT_QUICKEMU, NULL, 0, "");
	reader.net = hvr_import_add_part(import, HVR_IMPORT_QUICKEMU, "net", 1, "network");
	for (guint i = 0; i < commands->len && !hvr_import_is_full(import); i++)
		read_command(&reader, g_ptr_array_index(commands, i));
	settle_disks(&reader);
	settle_defaults(&reader);
}
