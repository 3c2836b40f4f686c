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

static void show_run(void)
{
	hvr_help_command(hvr_command_find("run"));
}

/* Help is for who asks: usage, what it does, and each option. */
static void test_help(void **state)
{
	g_autofree char *command = printed(ask_for_help);
	g_autofree char *run = printed(show_run);
	g_autofree char *all = printed(hvr_help_program);

	assert_non_null(strstr(command, "\n  hailo-vm-run unplug [OPTION...] VM DEVICE\n"));
	assert_non_null(strstr(command, "\n  -t, --timeout=S  How long"));
	assert_non_null(strstr(command, "\n  --keep           Leave"));
	assert_non_null(strstr(command, "\n  -h, --help       Show this text\n"));
	assert_non_null(strstr(run, "\n  -w, --wait[=S] "));
	for (guint i = 0; hvr_commands[i]; i++) {
		const HvrCommand *each = hvr_commands[i];
		g_autofree char *line = g_strdup_printf("  %s %s", each->name, each->words);
		if (!strstr(all, line) || !strstr(all, each->summary))
			fail_msg("help does not have '%s'", line);
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
		{ "lab two", "run: 'two' is one argument too many\n", 64 },
		{ "no-such-vm", "no-such-vm: no such profile; looked for ", 78 },
		{ "statsu", "statsu: no such profile; looked for ", 78 },
		{ "list --json --dot", "list: --json, --tree and --dot exclude each other", 64 },
	};
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
		assert_int_equal(
			g_str_has_suffix(error->message, "\ndid you mean the command 'status'?"),
			g_str_equal(cases[i].line, "statsu"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_dispatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
