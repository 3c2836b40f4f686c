/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the command line: what is an option, what an argument, and how a mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/command/parse.h"
#include "launcher/report/error.h"

typedef struct {
	gboolean force, quiet;
	char *text;
	char **sets;
	int timeout_s, wait_s;
} Options;

static const HvrOption table[] = {
	{ "force", 'f', HVR_FLAG(Options, force), NULL, "" },
	{ "quiet", 'q', HVR_FLAG(Options, quiet), NULL, "" },
	{ "text", 0, HVR_TEXT(Options, text), "FILE", "" },
	{ "set", 's', HVR_TEXTS(Options, sets), "KEY=VALUE", "" },
	{ "timeout", 't', HVR_SECONDS(Options, timeout_s, 1, 100), "S", "" },
	{ "wait", 'w', HVR_SECONDS_OR(Options, wait_s, 1, 100, -1), "S", "" },
	{ .name = NULL },
};

static int never_run(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	fail();
	return -1;
}

static const HvrCommand plain = {
	.name = "pull",
	.words = "VM [DEVICE]",
	.summary = "",
	.least = 1,
	.most = 2,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .timeout_s = 30 },
	.run = never_run,
};

static const HvrCommand tailed = {
	.name = "in",
	.words = "VM -- CMD [ARG...]",
	.summary = "",
	.least = 1,
	.most = 1,
	.tail = TRUE,
	.options = table,
	.size = sizeof(Options),
	.run = never_run,
};

static HvrInvocation *parse(const HvrCommand *command, const char *line, char ***out_words,
			    GError **error)
{
	*out_words = g_strsplit(line, " ", -1);
	return hvr_invocation_parse(command, *out_words, error);
}

/* Options stand anywhere in front of "--"; what is behind it is an argument, whatever it looks
 * like. */
static void test_well(void **state)
{
	static const struct {
		const char *line, *arguments;
		Options options;
		const char *sets;
	} cases[] = {
		{ "lab npu", "lab,npu", { .timeout_s = 30 }, "" },
		{ "--force lab npu", "lab,npu", { .force = TRUE, .timeout_s = 30 }, "" },
		{ "lab -f npu --timeout 7", "lab,npu", { .force = TRUE, .timeout_s = 7 }, "" },
		{ "lab --timeout=100", "lab", { .timeout_s = 100 }, "" },
		{ "lab -t 1", "lab", { .timeout_s = 1 }, "" },
		{ "lab -t1", "lab", { .timeout_s = 1 }, "" },
		{ "-qf lab", "lab", { .force = TRUE, .quiet = TRUE, .timeout_s = 30 }, "" },
		{ "-fqt 9 lab", "lab", { .force = TRUE, .quiet = TRUE, .timeout_s = 9 }, "" },
		{ "lab --timeout 5 -t 6", "lab", { .timeout_s = 6 }, "" },
		{ "--wait lab", "lab", { .timeout_s = 30, .wait_s = -1 }, "" },
		{ "-w lab", "lab", { .timeout_s = 30, .wait_s = -1 }, "" },
		{ "--wait=8 lab", "lab", { .timeout_s = 30, .wait_s = 8 }, "" },
		{ "-w8 lab", "lab", { .timeout_s = 30, .wait_s = 8 }, "" },
		{ "-s a=1 lab --set=b=2", "lab", { .timeout_s = 30 }, "a=1,b=2" },
		{ "-s --force lab", "lab", { .timeout_s = 30 }, "--force" },
		{ "-- --force", "--force", { .timeout_s = 30 }, "" },
		{ "lab -- -f", "lab,-f", { .timeout_s = 30 }, "" },
		{ "-- --", "--", { .timeout_s = 30 }, "" },
		{ "-", "-", { .timeout_s = 30 }, "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		HvrInvocation *it = parse(&plain, cases[i].line, &words, &error);
		if (!it)
			fail_msg("'%s': %s", cases[i].line, error->message);
		const Options *options = it->options;
		g_autofree char *joined = g_strjoinv(",", it->words);
		g_autofree char *sets = options->sets ? g_strjoinv(",", options->sets) : NULL;
		if (strcmp(joined, cases[i].arguments) != 0)
			fail_msg("'%s': '%s'", cases[i].line, joined);
		assert_string_equal(sets ? sets : "", cases[i].sets);
		assert_int_equal(options->force, cases[i].options.force);
		assert_int_equal(options->quiet, cases[i].options.quiet);
		assert_int_equal(options->timeout_s, cases[i].options.timeout_s);
		assert_int_equal(options->wait_s, cases[i].options.wait_s);
		assert_false(it->help);
		assert_null(it->tail[0]);
		hvr_invocation_free(&plain, it);
	}
}

/* Of two texts the last one counts, and a text is taken as it is, whatever its bytes. */
static void test_text(void **state)
{
	char *words[] = { (char *)"--text=a", (char *)"lab", (char *)"--text", (char *)"\xff b",
			  NULL };
	HvrInvocation *it = hvr_invocation_parse(&plain, words, NULL);

	assert_non_null(it);
	assert_string_equal(((const Options *)it->options)->text, "\xff b");
	hvr_invocation_free(&plain, it);
}

/* The command line of a guest comes through as it was written, with or without "--" in front. */
static void test_tail(void **state)
{
	static const struct {
		const char *line, *tail;
		gboolean force;
	} cases[] = {
		{ "lab", "", FALSE },
		{ "lab --", "", FALSE },
		{ "lab ls x", "ls,x", FALSE },
		{ "lab -- ls -f --help", "ls,-f,--help", FALSE },
		{ "lab -f -- ls", "ls", TRUE },
		{ "lab ls -f", "ls,-f", FALSE },
		{ "lab -f ls -z --nothing", "ls,-z,--nothing", TRUE },
		{ "lab ls --help", "ls,--help", FALSE },
		{ "-f lab -- ls -- -f", "ls,--,-f", TRUE },
		{ "lab ls -- -f", "ls,--,-f", FALSE },
		{ "lab -- -- ls", "--,ls", FALSE },
		{ "-- lab ls", "ls", FALSE },
		{ "-- lab -- ls -f", "ls,-f", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = NULL;
		HvrInvocation *it = parse(&tailed, cases[i].line, &words, NULL);
		assert_non_null(it);
		g_autofree char *tail = g_strjoinv(",", it->tail);
		if (strcmp(tail, cases[i].tail) != 0)
			fail_msg("'%s': '%s'", cases[i].line, tail);
		assert_string_equal(it->words[0], "lab");
		assert_null(it->words[1]);
		assert_int_equal(((const Options *)it->options)->force, cases[i].force);
		hvr_invocation_free(&tailed, it);
	}
}

/* A mistake: 64, one sentence that names it, and what was meant, or where the help is. */
static void test_wrong(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "--force", "pull: VM [DEVICE] expected\ntry 'hailo-vm-run pull --help'" },
		{ "a b c", "pull: 'c' is one argument too many\ntry 'hailo-vm-run pull --help'" },
		{ "--farce lab", "pull: unknown option --farce\ndid you mean '--force'?" },
		{ "--farce=7 lab", "pull: unknown option --farce\ndid you mean '--force'?" },
		{ "--ab lab", "pull: unknown option --ab\ntry 'hailo-vm-run pull --help'" },
		{ "lab -z", "pull: unknown option -z\ntry 'hailo-vm-run pull --help'" },
		{ "lab -fz", "pull: unknown option -fz\ntry 'hailo-vm-run pull --help'" },
		{ "lab -quiet", "pull: unknown option -quiet\ndid you mean '--quiet'?" },
		{ "lab --timeout",
		  "pull: S expected behind --timeout\ntry 'hailo-vm-run pull --help'" },
		{ "lab -t", "pull: S expected behind --timeout\ntry 'hailo-vm-run pull --help'" },
		{ "lab --force=no",
		  "pull: --force takes no value\ntry 'hailo-vm-run pull --help'" },
		{ "lab --help=no", "pull: --help takes no value\ntry 'hailo-vm-run pull --help'" },
		{ "lab --time", "pull: unknown option --time\ndid you mean '--timeout'?" },
		{ "lab --root /", "pull: unknown option --root\nit stands in front of the command: "
				  "hailo-vm-run --root" },
		{ "--verison", "pull: unknown option --verison\ndid you mean '--version'?" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		assert_null(parse(&plain, cases[i].line, &words, &error));
		assert_int_equal(hvr_exit_status(error), 64);
		assert_string_equal(error->message, cases[i].message);
	}
}

/* In front of another program's command line an option that is not ours may be that program's. */
static void test_wrong_tail(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "lab -z", "in: unknown option -z\nput '--' in front of what is not ours: "
			    "hailo-vm-run in VM -- CMD [ARG...]" },
		{ "-z lab ls", "in: unknown option -z\nput '--' in front of what is not ours: "
			       "hailo-vm-run in VM -- CMD [ARG...]" },
		{ "--farce lab ls", "in: unknown option --farce\ndid you mean '--force'?" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		assert_null(parse(&tailed, cases[i].line, &words, &error));
		assert_int_equal(hvr_exit_status(error), 64);
		assert_string_equal(error->message, cases[i].message);
	}
}

/* Only whole numbers in the table's range are seconds. */
static void test_seconds(void **state)
{
	static const char *const wrong[] = { "0", "101",  "-1",	 "x",	"1x",
					     "",  "0x10", "1.5", "+ 1", "99999999999999999999" };

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *option = g_strdup_printf("--wait=%s", wrong[i]);
		g_autofree char *message =
			g_strdup_printf("pull: --wait takes 1 to 100 seconds, not '%s'\n"
					"try 'hailo-vm-run pull --help'",
					wrong[i]);
		char *words[] = { (char *)"lab", option, NULL };
		g_autoptr(GError) error = NULL;
		assert_null(hvr_invocation_parse(&plain, words, &error));
		assert_string_equal(error->message, message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),	   cmocka_unit_test(test_text),
		cmocka_unit_test(test_tail),	   cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_wrong_tail), cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
