/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script that starts QEMU, and QEMU's words as parts.
 *
 * Words are taken from the command itself, and from variables of the script that hold such words:
 * ARGS=( -m 4G ), ARGS+=( ... ), ARGS="$ARGS -m 4G". Whether an `if` around them is true nobody
 * asks: they are taken, and a note says so. A word that holds a variable is not understood, and
 * named.
 */
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/import/options.h"
#include "launcher/import/shell.h"
#include "launcher/report/error.h"

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
	g_autofree char *what = g_strconcat("-", option, " ", value, NULL);

	if (!hvr_import_note_variable(import, word->line, value, what) &&
	    !add_option_part(import, word, option, value) &&
	    !add_short_drive(import, word, option, value))
		add_machine_option(import, machine, word, option, value);
}

/* No value begins so that QEMU would be given: what stands in front of it has none. */
static gboolean is_option(const GPtrArray *words, guint i)
{
	const char *text = ((HvrImportWord *)g_ptr_array_index(words, i))->text;

	return *text == '-' && text[1];
}

void hvr_import_qemu_words(HvrImport *import, const GPtrArray *words)
{
	guint first = import->parts->len;
	HvrImportPart *machine = hvr_import_add_part(import, HVR_IMPORT_QEMU, NULL, 0, "");

	for (guint i = 0; i < words->len && !hvr_import_is_full(import); i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		const char *option = word->text + strspn(word->text, "-");
		if (hvr_import_note_variable(import, word->line, word->text, word->text))
			continue;
		if (*word->text != '-')
			add_short_drive(import, word, "hda", word->text);
		else if (g_strv_contains(flags, option) || i + 1 == words->len ||
			 is_option(words, i + 1))
			hvr_import_add(import, machine, word->line, option, "on");
		else
			add_option(import, machine, word, option,
				   ((HvrImportWord *)g_ptr_array_index(words, ++i))->text);
	}
	hvr_import_qemu_devices(import, first, machine);
}

/* ------------------------------------------------------------------ the script around it */

typedef struct {
	HvrImport *import;
	GPtrArray *words;      /* QEMU's, so far */
	GHashTable *variables; /* names of those that hold QEMU's words */
	gboolean found;
	guint condition; /* the line of an `if` that nobody asks; 0: none */
} Script;

static gboolean is_qemu(const char *word)
{
	g_autofree char *name = g_path_get_basename(word);

	return g_str_has_prefix(name, "qemu-system-") || g_str_equal(name, "qemu-kvm") ||
	       g_str_equal(name, "kvm");
}

/* Where a command ends that another follows, or that goes elsewhere. */
static gboolean is_operator(const char *word)
{
	static const char *const operators[] = { "&",  "&&", "|",    "||", ";",		 ">", ">>",
						 "2>", "<",  "2>&1", "&>", ">/dev/null", NULL };

	return g_strv_contains(operators, word) || g_str_has_prefix(word, "2>") ||
	       g_str_has_prefix(word, ">");
}

/* "$ARGS", "${ARGS[@]}" of which the words are taken where they are set */
static gboolean is_known_variable(const Script *script, const char *word)
{
	const char *name = word + strspn(word, "${");
	gsize length = hvr_import_name_length(name);
	g_autofree char *key = g_strndup(name, length);
	const char *rest = name + length;

	return *word == '$' && g_hash_table_contains(script->variables, key) &&
	       (!*rest || g_str_equal(rest, "}") || g_str_equal(rest, "[@]}") ||
		g_str_equal(rest, "[*]}"));
}

static void take_words(Script *script, const GPtrArray *command, guint from)
{
	for (guint i = from; i < command->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(command, i);
		if (is_operator(word->text)) {
			g_autofree char *what = g_strconcat(word->text, " ...", NULL);
			hvr_import_note(script->import, word->line, what,
					"where a shell sends the output, and what it runs next, is "
					"no part of a VM",
					FALSE);
			return;
		}
		if (!is_known_variable(script, word->text))
			hvr_import_words_add(script->words, word->line, word->text);
	}
}

/* The CPUs of "taskset -c 0-3"; NULL: it is none. */
static const HvrImportWord *pinned(const GPtrArray *command, guint i, guint qemu)
{
	const HvrImportWord *word = g_ptr_array_index(command, i);

	if (!g_str_equal(word->text, "taskset") || i + 2 >= qemu)
		return NULL;
	const HvrImportWord *option = g_ptr_array_index(command, i + 1);
	const HvrImportWord *list = g_ptr_array_index(command, i + 2);
	gboolean is_list = g_str_equal(option->text, "-c") ||
			   g_str_equal(option->text, "--cpu-list") ||
			   g_str_equal(option->text, "-ac");
	return is_list ? list : NULL;
}

/* In front of QEMU's name: sudo, taskset -c 0-3, numactl, VARIABLE=value */
static void tell_prefix(Script *script, HvrImportPart *machine, const GPtrArray *command,
			guint qemu)
{
	g_autoptr(GString) what = g_string_new(NULL);

	for (guint i = 0; i < qemu; i++) {
		const HvrImportWord *word = g_ptr_array_index(command, i);
		const HvrImportWord *cpus = pinned(command, i, qemu);
		if (cpus) {
			hvr_import_add(script->import, machine, word->line, "pin", cpus->text);
			i += 2;
		} else if (!g_str_equal(word->text, "sudo") && !g_str_equal(word->text, "exec")) {
			g_string_append_printf(what, "%s%s", what->len ? " " : "", word->text);
		}
	}
	if (what->len)
		hvr_import_note(script->import, machine->line, what->str,
				"what runs QEMU is not run", FALSE);
}

/* FALSE: no QEMU is started by it. */
static gboolean take_command(Script *script, const GPtrArray *command)
{
	for (guint i = 0; i < command->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(command, i);
		if (!is_qemu(word->text))
			continue;
		HvrImportPart *machine =
			hvr_import_add_part(script->import, HVR_IMPORT_QEMU, NULL, word->line, "");
		tell_prefix(script, machine, command, i);
		hvr_import_add(script->import, machine, word->line, "argv0", word->text);
		take_words(script, command, i + 1);
		script->found = TRUE;
		return TRUE;
	}
	return FALSE;
}

/* The words of a variable's value: they are QEMU's where the first that is no variable begins with
 * a dash. */
static void take_value(Script *script, const char *name, const GPtrArray *words)
{
	guint from = 0;

	while (from < words->len && *((HvrImportWord *)g_ptr_array_index(words, from))->text == '$')
		from++;
	if (from == words->len || *((HvrImportWord *)g_ptr_array_index(words, from))->text != '-')
		return;
	g_hash_table_add(script->variables, g_strdup(name));
	if (script->condition)
		hvr_import_note(script->import, script->condition, name,
				"whether these words are wanted is not asked: they are taken",
				FALSE);
	take_words(script, words, from);
}

/* FALSE: it is no assignment, or one for a command alone. */
static gboolean take_assignment(Script *script, const GPtrArray *command)
{
	const HvrImportWord *first = g_ptr_array_index(command, 0);
	g_auto(HvrImportAssignment) it = { .name = NULL };

	if (!hvr_import_assignment(command, &it))
		return FALSE;
	if (!it.words) {
		it.words = hvr_import_words_new();
		if (!hvr_import_words_split(it.words, first->line, it.value) && *it.value)
			hvr_import_words_add(it.words, first->line, it.value);
	}
	take_value(script, it.name, it.words);
	return TRUE;
}

/* `if` and its like: where they begin and end, as far as that can be seen. */
static void follow_condition(Script *script, const HvrImportWord *word)
{
	static const char *const begins[] = { "if", "case", "for", "while", NULL };
	static const char *const ends[] = { "fi", "esac", "done", NULL };

	if (g_strv_contains(begins, word->text))
		script->condition = word->line;
	else if (g_strv_contains(ends, word->text))
		script->condition = 0;
}

static void tell_other(Script *script, const GPtrArray *command)
{
	static const char *const quiet[] = { "fi", "esac", "done", "then", "else", "{",
					     "}",  "set",  "do",   ";;",   NULL };
	const HvrImportWord *first = g_ptr_array_index(command, 0);
	g_autoptr(GString) what = g_string_new(NULL);

	if (g_strv_contains(quiet, first->text))
		return;
	for (guint i = 0; i < MIN(command->len, 6); i++) {
		const HvrImportWord *word = g_ptr_array_index(command, i);
		g_string_append_printf(what, "%s%s", i ? " " : "", word->text);
	}
	hvr_import_note(script->import, first->line, what->str,
			"a command of the script is not run", FALSE);
}

gboolean hvr_import_script(HvrImport *import, const char *text, GError **error)
{
	g_autoptr(GPtrArray) commands = hvr_import_shell_lines(import, text);
	g_autoptr(GPtrArray) words = hvr_import_words_new();
	g_autoptr(GHashTable) variables =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Script script = { .import = import, .words = words, .variables = variables };

	for (guint i = 0; i < commands->len; i++) {
		const GPtrArray *command = g_ptr_array_index(commands, i);
		const HvrImportWord *first = g_ptr_array_index(command, 0);
		follow_condition(&script, first);
		if (i == 0 && *first->text == '-') {
			take_words(&script, command, 0); /* nothing but QEMU's words */
			script.found = TRUE;
		} else if (!take_assignment(&script, command) &&
			   (script.found || !take_command(&script, command))) {
			tell_other(&script, command);
		}
	}
	if (!script.found) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "no command of it starts a qemu-system-x86_64");
		return FALSE;
	}
	hvr_import_qemu_words(import, words);
	return TRUE;
}
