/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: their table, their help, and which of them a command line means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/command/help.h"
#include "launcher/command/table.h"
#include "launcher/report/error.h"

/* Runs @show with standard output in a file, and returns what it printed. [transfer full] */
static char *printed(void (*show)(void))
{
	char name[] = "/tmp/hvr-cli-XXXXXX", text[65536] = "";
	int fd = mkstemp(name), own = dup(STDOUT_FILENO);

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	show();
	fflush(stdout);
	dup2(own, STDOUT_FILENO);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	close(fd);
	close(own);
	unlink(name);
	return g_strdup(text);
}

/* What is wrong behind --help no longer matters: whoever asks for help gets it. */
static void ask_for_help(void)
{
	char *words[] = { (char *)"unplug", (char *)"--keep", (char *)"-h", (char *)"--nothing",
			  NULL };

	assert_int_equal(hvr_dispatch(NULL, words, NULL), 0);
}

static void ask_for_help_of_unplug(void)
{
	char *words[] = { (char *)"help", (char *)"unplug", NULL };

	assert_int_equal(hvr_dispatch(NULL, words, NULL), 0);
}

static void ask_for_help_of_all(void)
{
	char *words[] = { (char *)"help", NULL };

	assert_int_equal(hvr_dispatch(NULL, words, NULL), 0);
}

static void show_run(void)
{
	hvr_help_command(hvr_command_find("run"));
}

/* Help is for who asks: usage, what it does, and each option. */
/* Its words, one blank between them, wherever its lines end. */
static char *words_of(const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
	GString *all = g_string_new(NULL);

	for (guint i = 0; words[i]; i++)
		if (*words[i])
			g_string_append_printf(all, "%s%s", all->len > 0 ? " " : "", words[i]);
	return g_string_free(all, FALSE);
}

static void test_help(void **state)
{
	g_autofree char *command = printed(ask_for_help);
	g_autofree char *run = printed(show_run);
	g_autofree char *all = printed(hvr_help_program);
	g_autofree char *of_unplug = printed(ask_for_help_of_unplug);
	g_autofree char *of_all = printed(ask_for_help_of_all);

	assert_string_equal(of_unplug, command);
	assert_string_equal(of_all, all);
	assert_non_null(strstr(command, "\n  hailo-vm-run unplug [OPTION...] VM DEVICE\n"));
	assert_non_null(strstr(command, "\n  -t, --timeout=S  How long"));
	assert_non_null(strstr(command, "\n  --keep           Leave"));
	assert_non_null(strstr(command, "\n  -h, --help       Show this text\n"));
	assert_non_null(strstr(run, "\n  -w, --wait[=S] "));
	g_autofree char *words = words_of(all);
	for (guint i = 0; hvr_commands[i]; i++) {
		const HvrCommand *each = hvr_commands[i];
		g_autofree char *line = g_strdup_printf("  %s %s", each->name, each->words);
		if (!strstr(all, line) || !strstr(words, each->summary))
			fail_msg("help does not have '%s'", line);
	}
}

static const HvrCommand *shown;

static void show_command(void)
{
	hvr_help_command(shown);
}

/* What a terminal of 80 columns breaks is hard to read. */
static void assert_narrow(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (strlen(lines[i]) > 80)
			fail_msg("a line of %zu characters: %s", strlen(lines[i]), lines[i]);
}

static void test_help_width(void **state)
{
	g_autofree char *all = printed(hvr_help_program);

	assert_narrow(all);
	for (guint i = 0; hvr_commands[i]; i++) {
		shown = hvr_commands[i];
		g_autofree char *text = printed(show_command);
		assert_narrow(text);
	}
}

static void check_option(const HvrCommand *command, const HvrOption *option)
{
	const HvrOptionField *field = &option->field;
	gboolean takes_none = field->kind == HVR_OPTION_FLAG || field->kind == HVR_OPTION_HELP;

	if (takes_none != (option->value == NULL))
		fail_msg("%s --%s: a flag, or else a value", command->name, option->name);
	if (field->kind != HVR_OPTION_HELP && field->offset >= command->size)
		fail_msg("%s --%s: outside of its struct", command->name, option->name);
	if (field->kind == HVR_OPTION_SECONDS && field->least >= field->most)
		fail_msg("%s --%s: no range", command->name, option->name);
	if (hvr_command_option_named(command, option->name, strlen(option->name)) != option)
		fail_msg("%s --%s: twice", command->name, option->name);
	if (option->letter && hvr_command_option_lettered(command, option->letter) != option)
		fail_msg("%s -%c: twice", command->name, option->letter);
}

/* Each command is found by its whole name only, and its table is in order. */
static void test_table(void **state)
{
	for (guint i = 0; hvr_commands[i]; i++) {
		const HvrCommand *each = hvr_commands[i];
		const HvrOption *option;
		assert_ptr_equal(hvr_command_find(each->name), each);
		assert_non_null(each->run);
		assert_true(each->least <= each->most);
		for (guint k = 0; (option = hvr_command_option(each, k)); k++)
			check_option(each, option);
	}
	assert_string_equal(hvr_commands[0]->name, "run");
	assert_null(hvr_command_find("unplu"));
	assert_null(hvr_command_find(""));
}

/* A first word that is no command is a profile; what is nearly a command may be meant as one. */
static void test_dispatch(void **state)
{
	static const struct {
		const char *line, *message;
		int status;
	} cases[] = {
		{ "reboot", "reboot: VM expected\n", 64 },
		{ "stop", "stop: VM or --all expected\n", 64 },
		{ "stop --all lab", "stop: --all and the names of VMs exclude each other\n", 64 },
		{ "stop --fore lab", "stop: unknown option --fore\ndid you mean '--force'?", 64 },
		{ "--detatch lab", "run: unknown option --detatch\ndid you mean '--detach'?", 64 },
		{ "./lab two", "run: 'two' is one argument too many\n", 64 },
		{ "no-such-vm", "no-such-vm: no such command or profile; looked for ", 78 },
		{ "statsu", "statsu: no such command or profile; looked for ", 78 },
		{ "statsu --json", "statsu: no such command or profile; looked for ", 64 },
		{ "stat --help", "stat: no such command or profile; looked for ", 64 },
		{ "version", "version: no such command or profile; looked for ", 78 },
		{ "run statsu", "statsu: no such profile; looked for ", 78 },
		{ "list --json --dot", "list: --json, --tree and --dot exclude each other", 64 },
		{ "lab stop",
		  "'lab' is no command, and the command stands first\n"
		  "did you mean 'hailo-vm-run stop lab'?",
		  64 },
		{ "setup -n permission",
		  "setup: there is no part 'permission'\n"
		  "did you mean 'permissions'?",
		  64 },
		{ "setup -n undo", "setup: there is no part 'undo'\ndid you mean '--undo'?", 64 },
		{ "setup -n --target /nowhere", "--target: '/nowhere' does not exist\n", 64 },
		{ "setup -n card", "setup: there is no part 'card'\nparts are kernel-args, ", 64 },
		{ "help rnu", "help: there is no command 'rnu'\ndid you mean 'run'?", 64 },
		{ "help nothing", "help: there is no command 'nothing'\ntry 'hailo-vm-run help'",
		  64 },
		{ "help run test", "help: 'test' is one argument too many\n", 64 },
	};
	static const char meant[] = "\ndid you mean 'status'?";
	HvrContext context = { .host = { .sys = -1, .dev = -1, .proc = -1, .run = -1 },
			       .runtime = -1,
			       .runtime_parent = -1,
			       .system_config = "/nonexistent" };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = g_strsplit(cases[i].line, " ", -1);
		g_autoptr(GError) error = NULL;
		assert_int_equal(hvr_dispatch(&context, words, &error), -1);
		if (!g_str_has_prefix(error->message, cases[i].message))
			fail_msg("'%s': %s", cases[i].line, error->message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		assert_int_equal(g_str_has_suffix(error->message, meant),
				 g_str_has_prefix(cases[i].line, "stat"));
		assert_int_equal(g_str_has_suffix(error->message, "\ndid you mean '--version'?"),
				 g_str_equal(cases[i].line, "version"));
	}
}

/* Where the status is an answer, or the guest's command's, what is ours has one of its own. */
static void test_statuses(void **state)
{
	static const struct {
		const char *command;
		int ours;
	} cases[] = { { "check", 2 },  { "verify", 2 }, { "exec", 125 },
		      { "test", 125 }, { "run", 0 },	{ "lab", 0 } };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(hvr_dispatch_status_of_ours(cases[i].command), cases[i].ours);
	assert_int_equal(hvr_dispatch_status_of_ours(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),	 cmocka_unit_test(test_help_width),
		cmocka_unit_test(test_table),	 cmocka_unit_test(test_dispatch),
		cmocka_unit_test(test_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
