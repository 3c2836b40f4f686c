/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script that starts QEMU.
 *
 * Words are those of the first command that starts it, with the variables of the script in their
 * place (shell.h). Whether an `if` around them is true nobody asks: they are taken, and a note says
 * so. A part of another program's, that starts none, is taken for what its variables hold.
 */
#include <string.h>

#include "launcher/import/formats.h"
#include "launcher/import/shell.h"
#include "launcher/report/error.h"

typedef struct {
	HvrImport *import;
	HvrImportShell *shell;
	GPtrArray *words; /* QEMU's, so far */
	gboolean found;
	gboolean starts; /* by a command of its own, not by one of another program's */
} Script;

static gboolean is_qemu(const char *word)
{
	g_autofree char *name = g_path_get_basename(word);

	return g_str_has_prefix(name, "qemu-system-") || g_str_equal(name, "qemu-kvm") ||
	       g_str_equal(name, "kvm");
}

/* "": there is none */
static const char *text_at(const GPtrArray *words, guint i)
{
	if (i >= words->len)
		return "";
	return ((const HvrImportWord *)g_ptr_array_index(words, i))->text;
}

/* The first word behind @i with something in it; "": there is none */
static const char *said_behind(const GPtrArray *words, guint i)
{
	for (i++; i < words->len; i++)
		if (*text_at(words, i))
			break;
	return text_at(words, i);
}

/* "$QEMU", which nobody has set, or "$(which qemu-system-x86_64)", with an option behind it */
static gboolean may_be_qemu(const GPtrArray *words, guint i)
{
	g_autofree char *low = g_ascii_strdown(text_at(words, i), -1);

	return *said_behind(words, i) == '-' && low[0] == HVR_IMPORT_UNKNOWN &&
	       strstr(low, "qemu") && !strstr(low, "img") && !strstr(low, "nbd");
}

/* Is QEMU only asked what it is? */
static gboolean is_question(const GPtrArray *words, guint qemu)
{
	static const char *const questions[] = { "--version", "-version", "-h", "--help", "-help",
						 "help",      "-v",	  "-V", NULL };

	for (guint i = 0; i < words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		gboolean behind = i > qemu || (i == 1 && i < qemu);
		if (behind && g_strv_contains(questions, word->text))
			return TRUE;
	}
	return FALSE;
}

/* What runs the command that stands behind its own words. */
static gboolean is_wrapper(const char *word)
{
	static const char *const wrappers[] = {
		"sudo",	       "pkexec",  "exec",   "env",	   "nice",    "ionice",
		"chrt",	       "nohup",	  "setsid", "systemd-run", "taskset", "eval",
		"numactl",     "timeout", "time",   "stdbuf",	   "prlimit", "schedtool",
		"su",	       "command", "cgexec", "gdb",	   "strace",  "unshare",
		"gamemoderun", "screen",  "sh",	    "bash",	   "doas",    NULL
	};
	g_autofree char *name = g_path_get_basename(word);

	return g_strv_contains(wrappers, name);
}

/* The index of QEMU's name; -1: no QEMU is started by it. In front of it are those that run it,
 * their options, numbers, and variables for it. */
static int find_qemu(const GPtrArray *words)
{
	const char *before = "";

	for (guint i = 0; i < words->len; i++) {
		const char *word = text_at(words, i);
		char next = *said_behind(words, i);
		gboolean takes = next == '-' || next == HVR_IMPORT_UNKNOWN;
		gboolean set = word[hvr_import_name_length(word)] == '=';

		if ((is_qemu(word) && (takes || !*before)) || may_be_qemu(words, i))
			return is_question(words, i) ? -1 : (int)i;
		if (!is_wrapper(word) && !set && *word != '-' && !g_ascii_isdigit(*word) &&
		    *before != '-')
			return -1;
		before = word;
	}
	return -1;
}

static void take_words(Script *script, const GPtrArray *words, guint from)
{
	for (guint i = from; i < words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		hvr_import_words_add(script->words, word->line, word->text)->condition =
			word->condition;
	}
}

/* The CPUs of "taskset -c 0-3"; NULL: it is none. */
static const HvrImportWord *pinned(const GPtrArray *words, guint i, guint qemu)
{
	const HvrImportWord *word = g_ptr_array_index(words, i);

	if (!g_str_equal(word->text, "taskset") || i + 2 >= qemu)
		return NULL;
	const HvrImportWord *option = g_ptr_array_index(words, i + 1);
	const HvrImportWord *list = g_ptr_array_index(words, i + 2);
	gboolean is_list = g_str_equal(option->text, "-c") ||
			   g_str_equal(option->text, "--cpu-list") ||
			   g_str_equal(option->text, "-ac");
	return is_list ? list : NULL;
}

/* In front of QEMU's name: sudo, taskset -c 0-3, numactl, VARIABLE=value */
static void tell_prefix(Script *script, HvrImportPart *machine, const GPtrArray *words, guint qemu)
{
	g_autoptr(GString) what = g_string_new(NULL);

	for (guint i = 0; i < qemu; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		const HvrImportWord *cpus = pinned(words, i, qemu);
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

static void tell_redirected(Script *script, const HvrImportCommand *command)
{
	if (command->redirected)
		hvr_import_note(script->import, command->redirected, "> ...",
				"where a shell sends the output, and what it runs next, is no part "
				"of a VM",
				FALSE);
}

/* The words of what `eval` and `sh -c` are given as one, as they would read it.
 * [transfer full] */
static GPtrArray *unfold(const GPtrArray *words)
{
	GPtrArray *all = hvr_import_words_new();

	for (guint i = 0; i < words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		const HvrImportWord *before = i ? words->pdata[i - 1] : NULL;
		gboolean read = before && (g_str_equal(before->text, "eval") ||
					   g_str_equal(before->text, "-c"));

		if (!read || !strchr(word->text, ' ') ||
		    !hvr_import_words_split(all, word->line, word->text))
			hvr_import_words_add(all, word->line, word->text)->condition =
				word->condition;
	}
	return all;
}

/* FALSE: no QEMU is started by it. */
static gboolean take_command(Script *script, const HvrImportCommand *command)
{
	g_autoptr(GPtrArray) words = unfold(command->words);
	int qemu = find_qemu(words);

	if (qemu < 0)
		return FALSE;
	const HvrImportWord *word = g_ptr_array_index(words, (guint)qemu);
	HvrImportPart *machine =
		hvr_import_add_part(script->import, HVR_IMPORT_QEMU, NULL, word->line, "");
	tell_prefix(script, machine, words, (guint)qemu);
	hvr_import_add(script->import, machine, word->line, "argv0", word->text);
	take_words(script, words, (guint)qemu + 1);
	tell_redirected(script, command);
	if (command->condition) {
		g_autofree char *why =
			g_strdup_printf("line %u says when it is started, which nobody asks here: "
					"it is taken",
					command->condition);
		hvr_import_note(script->import, word->line, word->text, why, FALSE);
	}
	script->found = TRUE;
	script->starts = TRUE;
	return TRUE;
}

/* Words of the shell's own that change nothing. */
static gboolean is_quiet(const HvrImportCommand *command)
{
	static const char *const quiet[] = { "set",	 "shift", "exit",  "return", "break",
					     "continue", "[",	  "[[",	   "test",   ":",
					     "true",	 "false", "case",  "for",    "select",
					     "function", "read",  "local", "echo",   "printf",
					     "trap",	 "unset", "wait",  "shopt",  NULL };
	const HvrImportWord *first = g_ptr_array_index(command->words, 0);

	return g_strv_contains(quiet, first->text) && !command->redirected;
}

static void tell_other(Script *script, const HvrImportCommand *command)
{
	g_autoptr(GString) what = g_string_new(NULL);
	const char *why = "a command of the script is not run";

	if (!command->words->len || is_quiet(command))
		return;
	for (guint i = 0; i < MIN(command->words->len, 6); i++) {
		const HvrImportWord *word = g_ptr_array_index(command->words, i);
		g_string_append_printf(what, "%s%s", i ? " " : "", word->text);
	}
	if (*what->str == '-')
		why = "the shell takes this line for a command of its own: none in front of it "
		      "goes on here";
	else if (find_qemu(command->words) >= 0)
		why = "a profile is one VM: the first that is started is taken";
	hvr_import_note(script->import, command->line, what->str, why, FALSE);
}

/* A part of a program such as vmctl, which starts QEMU itself: variables hold QEMU's words. */
static void take_variables(Script *script, const GPtrArray *commands)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < commands->len; i++) {
		const HvrImportCommand *command = g_ptr_array_index(commands, i);
		if (!command->name || !g_hash_table_add(seen, command->name))
			continue;
		g_autoptr(GPtrArray) words =
			hvr_import_shell_value(script->shell, command->name, command->array);
		const HvrImportWord *first = words->len ? words->pdata[0] : NULL;
		if (!first || *first->text != '-')
			continue;
		take_words(script, words, 0);
		script->found = TRUE;
	}
}

static gboolean read_script(Script *script, GError **error)
{
	const GPtrArray *commands = hvr_import_shell_commands(script->shell);
	gboolean bare = FALSE;

	for (guint i = 0; i < commands->len && !hvr_import_is_full(script->import); i++) {
		const HvrImportCommand *command = g_ptr_array_index(commands, i);
		const HvrImportWord *first = command->words->len ? command->words->pdata[0] : NULL;
		if (command->name)
			continue;
		bare = bare || (i == 0 && first && *first->text == '-');
		if (bare && first && *first->text == '-') {
			take_words(script, command->words, 0); /* nothing but QEMU's words */
			script->found = TRUE;
		} else if (script->found || !take_command(script, command)) {
			tell_other(script, command);
		}
	}
	if (!script->found)
		take_variables(script, commands);
	if (script->found || hvr_import_is_full(script->import))
		return TRUE; /* of what is too much the caller tells */
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "no command of it starts a qemu-system-x86_64");
	return FALSE;
}

/* Is anything said by one of these names, or as a section of that kind? */
static gboolean is_said(const HvrImport *import, const char *const *names, const char *section)
{
	for (guint i = 0; i < import->parts->len; i++) {
		const HvrImportPart *part = g_ptr_array_index(import->parts, i);
		if (section && g_strcmp0(part->section, section) == 0)
			return TRUE;
		for (guint k = 0; !part->section && k < part->fields->len; k++) {
			const HvrImportField *field = g_ptr_array_index(part->fields, k);
			if (g_strv_contains(names, field->name))
				return TRUE;
		}
	}
	return FALSE;
}

/* What QEMU has without a word (qemu_create_default_devices() and qemu_disable_default_devices() in
 * its system/vl.c; pc_machine_class_init(), smp_parse()), and a profile has otherwise. */
static void tell_defaults(Script *script)
{
	static const struct {
		const char *option;
		const char *said[6];
		const char *section; /* (nullable): that says it, too */
		const char *why;
	} defaults[] = {
		{ "-machine",
		  { "machine.type" },
		  NULL,
		  "QEMU's is an i440fx where none is said, a profile's a q35: the guest finds its "
		  "devices elsewhere" },
		{ "-smp",
		  { "smp.cpus", "smp.sockets", "smp.cores", "smp.threads", "smp.maxcpus" },
		  NULL,
		  "QEMU's is one CPU where none is said, a profile's two: [vm] cpus = 1" },
		{ "-cpu",
		  { "cpu" },
		  NULL,
		  "QEMU's is qemu64 where none is said, a profile's has all that the host's has: "
		  "[vm] cpu = qemu64" },
		{ "-nic",
		  { "nodefaults" },
		  "net",
		  "QEMU adds a network card with NAT where none is said, a profile does not: "
		  "[net NAME] mode = user" },
		{ "-display",
		  { "nodefaults", "nographic", "display.type", "vga", "graphics.mode" },
		  NULL,
		  "QEMU adds a screen where none is said, a profile does not: [graphics] mode" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(defaults); i++)
		if (!is_said(script->import, defaults[i].said, defaults[i].section))
			hvr_import_note(script->import, 0, defaults[i].option, defaults[i].why,
					FALSE);
}

gboolean hvr_import_script(HvrImport *import, const char *text, GError **error)
{
	g_autoptr(HvrImportShell) shell = hvr_import_shell_read(import, text);
	g_autoptr(GPtrArray) words = hvr_import_words_new();
	Script script = { .import = import, .shell = shell, .words = words };

	if (!read_script(&script, error))
		return FALSE;
	hvr_import_qemu_words(import, words);
	if (script.starts)
		tell_defaults(&script);
	return TRUE;
}
