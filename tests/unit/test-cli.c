/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the command line: what is an option, what an argument, and how a mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/cli.h"
#include "launcher/report/error.h"

typedef struct {
	gboolean force;
	int timeout;
} Options;

/* The words as they are parsed for "unplug VM DEVICE". */
static HvrCli parse(const char *line, Options *options, char ***out_words, GError **error)
{
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &options->force, "", NULL },
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &options->timeout, "", "S" },
		G_OPTION_ENTRY_NULL,
	};

	*out_words = g_strsplit(line, " ", -1);
	if (*line == '\0')
		(*out_words)[0] = NULL;
	return hvr_cli_parse("unplug", entries, NULL, out_words, 1, 2, error);
}

/* Options stand anywhere in front of "--"; what is behind it is an argument, whatever it looks
 * like. */
static void test_well(void **state)
{
	static const struct {
		const char *line, *arguments;
		gboolean force;
		int timeout;
	} cases[] = {
		{ "lab npu", "lab,npu", FALSE, 0 },
		{ "lab", "lab", FALSE, 0 },
		{ "--force lab npu", "lab,npu", TRUE, 0 },
		{ "lab -f npu --timeout 7", "lab,npu", TRUE, 7 },
		{ "lab --timeout=7", "lab", FALSE, 7 },
		{ "-- --force", "--force", FALSE, 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Options options = { 0 };
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		HvrCli result = parse(cases[i].line, &options, &words, &error);
		g_autofree char *joined = g_strjoinv(",", words);
		if (result != HVR_CLI_GO || strcmp(joined, cases[i].arguments) != 0)
			fail_msg("'%s': %d '%s' %s", cases[i].line, result, joined,
				 error ? error->message : "");
		assert_int_equal(options.force, cases[i].force);
		assert_int_equal(options.timeout, cases[i].timeout);
	}
}

/* A mistake: 64, one sentence that names it, and where the help is. */
static void test_wrong(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "", "unplug: VM DEVICE expected" },
		{ "a b c", "unplug: 'c' is one argument too many" },
		{ "--farce lab", "unplug: Unknown option --farce" },
		{ "lab --timeout x", "unplug: Cannot parse integer value" },
		{ "lab --timeout", "unplug: Missing argument for --timeout" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Options options = { 0 };
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		assert_int_equal(parse(cases[i].line, &options, &words, &error), HVR_CLI_WRONG);
		assert_int_equal(hvr_exit_status(error), 64);
		if (!g_str_has_prefix(error->message, cases[i].message))
			fail_msg("'%s': %s", cases[i].line, error->message);
		assert_true(g_str_has_suffix(error->message, "\ntry 'hailo-vm-run unplug --help'"));
	}
}

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

static void ask_for_help(void)
{
	Options options = { 0 };
	g_auto(GStrv) words = NULL;

	assert_int_equal(parse("--help", &options, &words, NULL), HVR_CLI_HELP);
}

/* Help is for who asks: usage, what it does, and each option. */
static void test_help(void **state)
{
	g_autofree char *command = printed(ask_for_help);
	g_autofree char *all = printed(hvr_cli_help);

	assert_non_null(strstr(command, "hailo-vm-run unplug"));
	assert_non_null(strstr(command, "VM DEVICE"));
	assert_non_null(strstr(command, "--timeout=S"));
	for (const HvrCommand *each = hvr_commands; each->name; each++) {
		g_autofree char *line = g_strdup_printf("  %s %s", each->name, each->arguments);
		if (!strstr(all, line) || !strstr(all, each->summary))
			fail_msg("help does not have '%s'", line);
	}
}

/* Each command is found by its whole name only, and has something to run. */
static void test_find(void **state)
{
	for (const HvrCommand *each = hvr_commands; each->name; each++) {
		assert_ptr_equal(hvr_command_find(each->name), each);
		assert_non_null(each->run);
	}
	assert_null(hvr_command_find("unplu"));
	assert_null(hvr_command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
