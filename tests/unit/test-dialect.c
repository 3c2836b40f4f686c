/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a QEMU tells of its command line, how that is remembered, and that it reaches the plan. The
 * words are pieces of what Debian's builds of 7.2.22, 10.0.13 and 11.1.3 answered to the question,
 * byte for byte; those of 6.2 are 7.2's with the feature left out, not heard. The installed QEMU
 * itself is asked by test-cmdline-real.c.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/host/decide.h"
#include "launcher/host/facts.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/start.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define ADD_6_2                                                                                    \
	"{\"name\": \"device_add\", \"ret-type\": \"0\", \"meta-type\": \"command\", "             \
	"\"arg-type\": \"186\", \"features\": [\"json-cli\"]}"
#define ADD_7_2                                                                                    \
	"{\"name\": \"device_add\", \"ret-type\": \"0\", \"meta-type\": \"command\", "             \
	"\"arg-type\": \"186\", \"features\": [\"json-cli\", \"json-cli-hotplug\"]}"
#define OBJECTS_11_1                                                                               \
	", {\"case\": \"monitor-hmp\", \"type\": \"500\"}, {\"case\": \"monitor-qmp\", "           \
	"\"type\": \"501\"}, {\"case\": \"pr-manager-helper\", \"type\": \"502"
#define NAME_7_2                                                                                   \
	"{\"return\": [{\"parameters\": [{\"name\": \"debug-threads\", \"help\": \"When enabled, " \
	"name the individual threads; defaults off.\\nNOTE: The thread names are for debugging "   \
	"and not a\\nstable API.\", \"type\": \"boolean\"}, "
#define NAME_11_1                                                                                  \
	"{\"return\": [{\"parameters\": [{\"name\": \"debug-threads\", \"help\": \"Enable thread " \
	"names(deprecated, always enabled where supported)\", \"type\": \"boolean\"}, "
/* Nobody says that yet. */
#define NAME_LATER "{\"return\": [{\"parameters\": ["
#define NAME_END                                                                                   \
	"{\"name\": \"process\", \"help\": \"Sets the name of the QEMU process, as shown in top "  \
	"etc\", \"type\": \"string\"}], \"option\": \"name\"}]}\r\n{\"return\": {}}\r\n"

#define SAYS_6_2   ADD_6_2 "\r\n" NAME_7_2 NAME_END
#define SAYS_7_2   ADD_7_2 "\r\n" NAME_7_2 NAME_END
#define SAYS_11_0  ADD_7_2 "\r\n" NAME_11_1 NAME_END
#define SAYS_11_1  ADD_7_2 OBJECTS_11_1 "\r\n" NAME_11_1 NAME_END
#define SAYS_LATER ADD_7_2 OBJECTS_11_1 "\r\n" NAME_LATER NAME_END

static void assert_dialect(const HvrDialect *dialect, const HvrDialect *expected)
{
	assert_int_equal(dialect->monitor_objects, expected->monitor_objects);
	assert_int_equal(dialect->names_threads, expected->names_threads);
	assert_int_equal(dialect->plain_cards, expected->plain_cards);
}

static void test_each_qemu_is_understood(void **state)
{
	static const struct {
		const char *says;
		HvrDialect dialect;
	} table[] = {
		{ SAYS_6_2, { .plain_cards = TRUE } },
		{ SAYS_7_2, { 0 } },
		{ SAYS_11_0, { .names_threads = TRUE } },
		{ SAYS_11_1, { .names_threads = TRUE, .monitor_objects = TRUE } },
		{ SAYS_LATER, { .names_threads = TRUE, .monitor_objects = TRUE } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		HvrDialect dialect = { 0 };

		assert_true(hvr_dialect_read(table[i].says, &dialect));
		assert_dialect(&dialect, &table[i].dialect);
	}
}

/* Of a part nothing is concluded: what is not there may only not have come. */
static void test_part_of_an_answer_is_none(void **state)
{
	static const char *const parts[] = { "", "{\"return\": {}}\r\n", ADD_6_2, NAME_7_2 NAME_END,
					     ADD_7_2 "\r\n" NAME_7_2 };
	HvrDialect dialect = { .names_threads = 7 };

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		assert_false(hvr_dialect_read(parts[i], &dialect));
	assert_dialect(&dialect, &(HvrDialect){ .names_threads = 7 });
}

static void test_text_is_read_back(void **state)
{
	for (guint i = 0; i < 8; i++) {
		const HvrDialect dialect = { .monitor_objects = (i & 1) != 0,
					     .names_threads = (i & 2) != 0,
					     .plain_cards = (i & 4) != 0 };
		g_autofree char *text = hvr_dialect_to_text(&dialect);
		HvrDialect again = { 0 };

		assert_true(hvr_dialect_from_text(text, &again));
		assert_dialect(&again, &dialect);
	}
}

#define WRITTEN "[dialect]\nformat=1\nmonitor-objects=false\nnames-threads=true\nplain-cards=true\n"

/* The first one is what versions before this one left there. */
static const char *const garbled[] = {
	"",
	"\n",
	"x",
	"[dialect]\n",
	"[dialect]\nformat=1\n",
	"[dialect]\nformat=2\nmonitor-objects=false\nnames-threads=true\nplain-cards=true\n",
	"[dialect]\nmonitor-objects=false\nnames-threads=true\nplain-cards=true\n",
	"[dialect]\nformat=1\nmonitor-objects=false\nnames-threads=true\nplain-ca",
	"[dialect]\nformat=1\nmonitor-objects=false\nnames-threads=true\nplain-cards=maybe\n",
	"[other]\nformat=1\nmonitor-objects=false\nnames-threads=true\nplain-cards=true\n",
};

static void test_garbled_text_is_none(void **state)
{
	const HvrDialect before = { .monitor_objects = TRUE };
	HvrDialect dialect = before;

	for (gsize i = 0; i < G_N_ELEMENTS(garbled); i++) {
		if (hvr_dialect_from_text(garbled[i], &dialect))
			fail_msg("'%s' is understood", garbled[i]);
		assert_dialect(&dialect, &before);
	}
	assert_true(hvr_dialect_from_text(WRITTEN, &dialect));
	assert_dialect(&dialect, &(HvrDialect){ .names_threads = TRUE, .plain_cards = TRUE });
}

/* A host with a QEMU that writes down each of its starts. */
typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	HvrProfile *profile;
	HvrUser user;
	char *folder, *qemu;
} Fixture;

/* It answers the question only when it finds it on its standard input, and whole. */
static void write_qemu(const Fixture *f, const char *says)
{
	g_autofree char *says_quoted = g_shell_quote(says);
	g_autofree char *asked = g_shell_quote(hvr_dialect_question);
	g_autofree char *text =
		g_strdup_printf("#!/bin/sh\necho \"$*\" >>%s/starts\ncase \"$*\" in\n"
				"*-qmp*) [ \"$(cat)\n\" = %s ] || exit 1\nprintf %%s %s;;\n"
				"*-version) echo 'QEMU emulator version 6.2.0';;\n"
				"*help) echo 'name \"vfio-pci\" name \"pcie-root-port\"';;\nesac\n",
				f->folder, asked, says_quoted);

	g_unlink(f->qemu);
	assert_true(g_file_set_contents(f->qemu, text, -1, NULL));
	assert_int_equal(g_chmod(f->qemu, 0755), 0);
}

static guint count_starts(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->folder, "starts", NULL);
	g_autofree char *text = NULL;
	guint n = 0;

	if (g_file_get_contents(path, &text, NULL, NULL))
		for (const char *c = text; *c; c++)
			n += *c == '\n';
	g_unlink(path);
	return n;
}

static int setup(void **state)
{
	static const char profile[] = "[vm]\nmemory = 1G\n[device npu]\n";
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_layout_intel();
	f->folder = g_dir_make_tmp("hvr-dialect-XXXXXX", NULL);
	f->qemu = g_build_filename(f->folder, "qemu", NULL);
	f->context = (HvrContext){ .host = f->fs->host,
				   .runtime_parent = -1,
				   .runtime_path = "/run/hailo-vm-run",
				   .memlock_max = G_MAXUINT64 };
	f->context.runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	assert_true(f->context.runtime >= 0);
	f->profile = hvr_profile_parse("lab.ini", profile, strlen(profile), NULL, NULL);
	assert_non_null(f->profile);
	f->user = (HvrUser){ .name = (char *)"me", .uid = geteuid(), .gid = getegid() };
	write_qemu(f, SAYS_6_2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	hvr_profile_free(f->profile);
	fake_sysfs_free(f->fs);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f->qemu);
	g_free(f);
	return 0;
}

/* As a start does, or where it is FALSE a --dry-run. Returns how often QEMU was started for it. */
static guint start(Fixture *f, gboolean remember, HvrDialect *out_dialect)
{
	HvrFacts facts = { .user = &f->user, .qemu_path = f->qemu };

	count_starts(f);
	hvr_facts_ask_qemu(&f->context, f->profile, remember, &facts);
	*out_dialect = facts.dialect;
	hvr_qemu_free(facts.qemu);
	return count_starts(f);
}

static void test_known_qemu_is_not_started(void **state)
{
	const HvrDialect plain = { .plain_cards = TRUE };
	HvrDialect dialect = { 0 };

	assert_int_equal(start(*state, TRUE, &dialect), 4);
	assert_dialect(&dialect, &plain);
	dialect = (HvrDialect){ 0 };
	assert_int_equal(start(*state, TRUE, &dialect), 0);
	assert_dialect(&dialect, &plain);
}

/* A new program under the old name says for itself what it is. */
static void test_changed_qemu_is_asked(void **state)
{
	Fixture *f = *state;
	HvrDialect dialect = { 0 };

	assert_int_equal(start(f, TRUE, &dialect), 4);
	write_qemu(f, SAYS_11_1);
	assert_int_equal(start(f, TRUE, &dialect), 4);
	assert_dialect(&dialect, &(HvrDialect){ .names_threads = TRUE, .monitor_objects = TRUE });
}

static void test_look_remembers_nothing(void **state)
{
	HvrDialect dialect = { 0 };

	assert_int_equal(start(*state, FALSE, &dialect), 4);
	assert_int_equal(start(*state, FALSE, &dialect), 4);
	assert_true(dialect.plain_cards);
}

/* The one file of the folder. */
static char *remembered(const Fixture *f)
{
	g_autofree char *folder = g_build_filename(f->fs->root, "run/hailo-vm-run/qemu", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name = dir ? g_dir_read_name(dir) : NULL;

	assert_non_null(name);
	char *path = g_build_filename(folder, name, NULL);
	assert_null(g_dir_read_name(dir));
	return path;
}

static void test_garbled_memory_is_none(void **state)
{
	Fixture *f = *state;
	HvrDialect dialect = { 0 };

	assert_int_equal(start(f, TRUE, &dialect), 4);
	g_autofree char *path = remembered(f);
	for (gsize i = 0; i < G_N_ELEMENTS(garbled); i++) {
		assert_true(g_file_set_contents(path, garbled[i], -1, NULL));
		dialect = (HvrDialect){ 0 };
		assert_int_equal(start(f, TRUE, &dialect), 4);
		assert_true(dialect.plain_cards);
		assert_int_equal(start(f, TRUE, &dialect), 0);
	}
	assert_true(g_file_set_contents(path, WRITTEN, -1, NULL));
	assert_int_equal(start(f, TRUE, &dialect), 0);
	assert_dialect(&dialect, &(HvrDialect){ .names_threads = TRUE, .plain_cards = TRUE });
}

/* It gets the common dialect, is refused for nothing, and asked again the next time. */
static void test_silent_qemu(void **state)
{
	Fixture *f = *state;
	HvrFacts facts = { .user = &f->user, .qemu_path = f->qemu };
	HvrDialect dialect;

	write_qemu(f, "{\"return\": {}}");
	assert_int_equal(start(f, TRUE, &dialect), 4);
	assert_int_equal(start(f, TRUE, &dialect), 4);
	assert_dialect(&dialect, &(HvrDialect){ 0 });
	hvr_facts_ask_qemu(&f->context, f->profile, TRUE, &facts);
	for (guint i = 0; i < HVR_QEMU_QUESTIONS; i++)
		assert_int_not_equal(facts.qemu->answers[i].kind, HVR_ANSWER_BAD);
	hvr_qemu_free(facts.qemu);
}

/* As `print` and a start have it. */
static char *words_for(Fixture *f)
{
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 64M\naccel = tcg\n[qemu]\nbinary = %s\n", f->qemu);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	g_auto(HvrDecision) decision = { 0 };
	g_autoptr(GError) error = NULL;

	assert_non_null(profile);
	const HvrDecideFor whom = { profile->devices, "lab", TRUE, HVR_CLAIM_NO_WAIT };
	if (!hvr_decide(&f->context, profile, &whom, &decision, &error))
		fail_msg("%s", error->message);
	g_autoptr(GPtrArray) argv =
		hvr_start_argv(&f->context, profile, decision.parts, decision.plan);
	return g_strjoinv("\n", (char **)argv->pdata);
}

static void test_words_follow(void **state)
{
	Fixture *f = *state;
	g_autofree char *old = words_for(f);

	assert_non_null(strstr(old, "\n-device\ndriver=pcie-root-port,id=hvr-spare0,"));
	assert_non_null(strstr(old, "\n-mon\n"));
	write_qemu(f, SAYS_11_1);
	g_autofree char *new = words_for(f);
	assert_null(strstr(new, "driver="));
	assert_null(strstr(new, "\n-mon\n"));
	assert_null(strstr(new, "debug-threads"));
	assert_non_null(strstr(new, "\n-object\n{\"qom-type\":\"monitor-qmp\","));
}

#define ON_HOST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_qemu_is_understood),
		cmocka_unit_test(test_part_of_an_answer_is_none),
		cmocka_unit_test(test_text_is_read_back),
		cmocka_unit_test(test_garbled_text_is_none),
		ON_HOST(test_known_qemu_is_not_started),
		ON_HOST(test_changed_qemu_is_asked),
		ON_HOST(test_look_remembers_nothing),
		ON_HOST(test_garbled_memory_is_none),
		ON_HOST(test_silent_qemu),
		ON_HOST(test_words_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
