/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. A mistake is told in one sentence on standard error; the help is for those who
 * ask for it, on standard output.
 */
#include "launcher/command/cli.h"
#include "launcher/profile/load.h"

#include <stdio.h>
#include <string.h>

#include "launcher/profile/table.h"
#include "launcher/report/error.h"

#define SECONDS_MAX 86400

const HvrCommand hvr_commands[] = {
	{ "run", "PROFILE", "start a VM with its cards; the default command", hvr_command_run },
	{ "unplug", "VM DEVICE", "take a card out of a running VM, back to the host",
	  hvr_command_unplug },
	{ "plug", "VM DEVICE", "put a card back into a running VM", hvr_command_plug },
	{ "stop", "VM", "power a VM down", hvr_command_stop },
	{ "exec", "VM -- CMD [ARG...]", "run a command in the guest; its status is ours",
	  hvr_command_exec },
	{ "test", "PROFILE -- CMD [ARG...]", "run a command in a disposable VM; its status is ours",
	  hvr_command_test },
	{ "verify", "VM", "has the guest its Hailo-8? exit 0 yes, 1 no, 2 cannot tell",
	  hvr_command_verify },
	{ "console", "VM", "the guest's serial port; Ctrl-] leaves", hvr_command_console },
	{ "log", "VM", "what the serial port, the supervisor and QEMU have said", hvr_command_log },
	{ "ssh", "VM [-- ARG...]", "ssh through the forwarded port", hvr_command_ssh },
	{ "qmp", "VM COMMAND", "one QMP command; prints what QEMU returns", hvr_command_qmp },
	{ "status", "[VM]", "running VMs and their devices", hvr_command_status },
	{ "list", "", "this host's accelerators", hvr_command_list },
	{ "check", "[PROFILE]", "is this host ready? exit 0 yes, 1 no, 2 cannot tell",
	  hvr_command_check },
	{ "prepare", "PROFILE", "the host's side alone: cards on vfio-pci", hvr_command_prepare },
	{ "release", "PROFILE|ADDRESS|--all", "give cards back to the host", hvr_command_release },
	{ "print", "PROFILE", "the profile for QEMU, libvirt or Docker", hvr_command_print },
	{ "setup", "[PART...]", "prepare this host for good, or take that back",
	  hvr_command_setup },
	{ NULL, NULL, NULL, NULL },
};

const HvrCliGlobal hvr_cli_globals[] = {
	{ "--root", "--root DIR", "look at the tree of a host captured in DIR" },
	{ "--version", "--version", "print the version" },
	{ "--help", "-h, --help", "this text; COMMAND --help for a command's" },
	{ NULL, NULL, NULL },
};

/* Who wants the option table of the command that is about to parse; see hvr_cli_read_options(). */
static struct {
	HvrCliReader reader;
	gpointer data;
} reading;

const HvrCommand *hvr_command_find(const char *name)
{
	for (const HvrCommand *command = hvr_commands; command->name; command++)
		if (g_str_equal(command->name, name))
			return command;
	return NULL;
}

void hvr_cli_help(void)
{
	printf("Usage: hailo-vm-run [--root DIR] [COMMAND] ...\n"
	       "Give a virtual machine a PCIe accelerator, and the host gets it back.\n\n"
	       "Commands:\n");
	for (const HvrCommand *command = hvr_commands; command->name; command++) {
		g_autofree char *left = g_strdup_printf("%s %s", command->name, command->arguments);
		printf("  %-30s %s\n", left, command->summary);
	}
	printf("\nOptions:\n");
	for (const HvrCliGlobal *global = hvr_cli_globals; global->name; global++)
		printf("  %-30s %s\n", global->form, global->summary);
	printf("\n"
	       "Exit status: 0 done, 64 usage, 69 the host or QEMU cannot, 70 bug, 71 the kernel\n"
	       "refused, 75 busy or timed out, 76 QEMU answered with an error, 77 no permission,\n"
	       "78 bad profile, 128+N ended by signal N after giving the cards back.\n");
}

static const HvrCommand *command_named(const char *name)
{
	const HvrCommand *command = hvr_command_find(name);
	return command ? command : hvr_commands;
}

#define OPTION_HELP(out_help)                                                                      \
	{                                                                                          \
		"help", 'h', 0, G_OPTION_ARG_NONE, out_help, "Show this text", NULL                \
	}

static GOptionContext *make_parser(const char *name, const GOptionEntry *entries, gpointer data,
				   gboolean *out_help)
{
	const HvrCommand *command = command_named(name);
	const GOptionEntry help[] = { OPTION_HELP(out_help), G_OPTION_ENTRY_NULL };
	GOptionGroup *group = g_option_group_new("main", "", "", data, NULL);
	GOptionContext *parser = g_option_context_new(command->arguments);

	g_option_group_add_entries(group, entries);
	g_option_group_add_entries(group, help);
	g_option_context_set_help_enabled(parser, FALSE);
	g_option_context_set_summary(parser, command->summary);
	g_option_context_set_main_group(parser, group);
	return parser;
}

static HvrCli usage(const char *command, const char *what, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "%s: %s", command, what);
	hvr_error_hint(error, "try 'hailo-vm-run %s --help'", command);
	return HVR_CLI_WRONG;
}

#define LINE_MAX_CHARS 80

/* "  [device NAME]  match address path...", in as many lines as it takes */
static void append_keys(GString *text, const HvrProfileSection *section)
{
	g_autofree char *head =
		g_strdup_printf("[%s%s]", section->name, section->named ? " NAME" : "");
	gsize line = text->len;

	g_string_append_printf(text, "  %-15s", head);
	for (gsize i = 0; i < section->n_keys; i++) {
		const char *key = section->keys[i].name;
		if (text->len - line + 1 + strlen(key) > LINE_MAX_CHARS) {
			g_string_append_c(text, '\n');
			line = text->len;
			g_string_append_printf(text, "  %-15s", "");
		}
		g_string_append_printf(text, " %s", key);
	}
	g_string_append_c(text, '\n');
}

/* For whoever may give --set. */
static void describe_keys(GOptionContext *parser, const GOptionEntry *entries)
{
	g_autoptr(GString) text = g_string_new("Keys of a profile; more in hailo-vm-run.ini(5):\n");

	while (entries->long_name && !g_str_equal(entries->long_name, "set"))
		entries++;
	if (!entries->long_name)
		return;
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++)
		append_keys(text, s);
	g_option_context_set_description(parser, text->str);
}

static void show_help(const char *command, GOptionContext *parser, const GOptionEntry *entries)
{
	describe_keys(parser, entries);
	g_autofree char *program = g_strdup_printf("hailo-vm-run %s", command);
	g_set_prgname(program);
	g_autofree char *text = g_option_context_get_help(parser, TRUE, NULL);
	printf("%s", text);
}

/* GLib takes the first word for the program's name, so there must be one while it parses. */
static char **with_name(const char *name, char **words)
{
	GStrvBuilder *builder = g_strv_builder_new();

	g_strv_builder_add(builder, name);
	g_strv_builder_addv(builder, (const char **)words);
	char **result = g_strv_builder_end(builder);
	g_strv_builder_unref(builder);
	return result;
}

/* The words without the first @n. */
static char **without_first(char **words, guint n)
{
	char **rest = g_strdupv(words + MIN(n, g_strv_length(words)));
	g_strfreev(words);
	return rest;
}

static HvrCli check_arguments(const char *command, char **words, guint min, guint max,
			      GError **error)
{
	guint n = g_strv_length(words);
	g_autofree char *what = NULL;

	if (n >= min && n <= max)
		return HVR_CLI_GO;
	if (n < min)
		what = g_strdup_printf("%s expected", command_named(command)->arguments);
	else
		what = g_strdup_printf("'%s' is one argument too many", words[max]);
	return usage(command, what, error);
}

/* A command's table is in its function: it is run up to where it would parse, and no further. */
void hvr_cli_read_options(HvrContext *context, const HvrCommand *command, HvrCliReader reader,
			  gpointer data)
{
	const GOptionEntry help = OPTION_HELP(NULL);
	char *nothing[] = { NULL };

	reading.reader = reader;
	reading.data = data;
	command->run(context, nothing, NULL);
	reading.reader = NULL;
	reader(&help, data);
}

static HvrCli read_entries(const GOptionEntry *entries)
{
	for (const GOptionEntry *entry = entries; entry->long_name; entry++)
		reading.reader(entry, reading.data);
	return HVR_CLI_WRONG;
}

HvrCli hvr_cli_parse(const char *command, const GOptionEntry *entries, gpointer data, char ***words,
		     guint min, guint max, GError **error)
{
	if (reading.reader)
		return read_entries(entries);

	gboolean help = FALSE;
	g_autoptr(GOptionContext) parser = make_parser(command, entries, data, &help);
	g_autoptr(GError) cause = NULL;
	char **parsed = with_name(command, *words);
	gboolean well = g_option_context_parse_strv(parser, &parsed, &cause);

	g_strfreev(*words);
	*words = without_first(parsed, 1);
	if (!well)
		return usage(command, cause->message, error);
	if (help)
		return show_help(command, parser, entries), HVR_CLI_HELP;
	if (g_strcmp0((*words)[0], "--") == 0)
		*words = without_first(*words, 1);
	return check_arguments(command, *words, min, max, error);
}

HvrProfile *hvr_cli_profile(const HvrContext *context, const char *word, char **sets,
			    GError **error)
{
	g_autofree char *file =
		hvr_profile_find(word, context->config_home, context->system_config, error);

	return file ? hvr_profile_load(file, (const char *const *)sets, error) : NULL;
}

HvrVm *hvr_cli_vm(HvrContext *context, const char *word, GError **error)
{
	if (!hvr_profile_name_valid(word)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "'%s' is no VM name",
			    word);
		hvr_error_hint(error, "running VMs: hailo-vm-run status");
		return NULL;
	}
	hvr_context_open_runtime(context, FALSE, NULL);
	return hvr_vm_read(context, word, error);
}

gboolean hvr_cli_seconds(const char *command, const char *option, int seconds, GError **error)
{
	if (seconds >= 1 && seconds <= SECONDS_MAX)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "%s: %s takes 1 to %d seconds",
		    command, option, SECONDS_MAX);
	return FALSE;
}
