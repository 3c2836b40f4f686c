/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others say reaches a terminal as text only: a tree of --root, a process of somebody else's,
 * a device's name, as a table, a tree, Graphviz, JSON, messages, and QEMU's words. Named after the
 * attacks.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/check/check.h"
#include "launcher/list/json.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/output.h"
#include "launcher/report/events.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"
#include "tests/unit/list-view.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

/* Clears the screen, in three ways; turns text round; and adds a line of its own. */
#define EVIL                                                                                       \
	"evil\033[2J\xc2\x9b"                                                                      \
	"2J\x9b"                                                                                   \
	"2J\xe2\x80\xae"                                                                           \
	"gpj\nhint: x"

/* By byte, and by nothing that the program uses. */
static void assert_harmless(const char *text)
{
	assert_true(g_utf8_validate(text, -1, NULL));
	for (const char *c = text; *c; c = g_utf8_next_char(c)) {
		gunichar u = g_utf8_get_char(c);
		assert_true(u >= 0x20 || u == '\n');
		assert_false(u >= 0x7f && u <= 0x9f);
		assert_false(u >= 0x202a && u <= 0x202e);
		assert_false(u >= 0x2066 && u <= 0x2069);
		assert_false(u == 0x2028 || u == 0x2029);
	}
}

/* Standard error while @speak runs. [transfer full] */
static char *said(void (*speak)(const void *data), const void *data)
{
	int ends[2], own = dup(STDERR_FILENO);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	speak(data);
	dup2(own, STDERR_FILENO);
	close(own);
	char *text = pipe_read(ends[0]);
	close(ends[0]);
	return text;
}

static void assert_shown(const char *text, const char *wanted)
{
	g_autofree char *safe = hvr_text_safe(text);

	assert_string_equal(safe, wanted);
}

static void test_c1_and_bidi(void **state)
{
	assert_shown("plain ASCII \\x1b ~", "plain ASCII \\x1b ~");
	assert_shown("Gerät → 日本語 😀", "Gerät → 日本語 😀");
	assert_shown("a\tb", "a\tb");
	assert_shown("\033[2J\a\r\n\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x7f");
	assert_shown("\xc2\x9b"
		     "2J",
		     "\\u009b2J");
	assert_shown("\x9b"
		     "2J\xff",
		     "\\x9b2J\\xff");
	assert_shown("\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "\\u202e\\u2066\\u2069");
	assert_shown("\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf", "\\u2028\\u2029\\ufeff");
	assert_shown("\xf3\xa0\x81\x81", "\\U000e0041");
	assert_shown("\xe2\x80", "\\xe2\\x80");
	assert_shown("\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80");
}

/* Lines stay lines; what comes in pieces is as if it came at once. */
static void test_lines(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);

	assert_int_equal(hvr_text_append(out, "a\r\nb\rc\n", 7, HVR_TEXT_LINES), 7);
	assert_string_equal(out->str, "a\r\nb\\x0dc\n");
	g_string_truncate(out, 0);
	assert_int_equal(hvr_text_append(out, "a\xe2\x80", 3, HVR_TEXT_MORE), 1);
	assert_int_equal(hvr_text_append(out, "a\r", 2, HVR_TEXT_LINES | HVR_TEXT_MORE), 1);
	assert_int_equal(hvr_text_append(out, "x\0y", 3, HVR_TEXT_MORE), 3);
	assert_string_equal(out->str, "aax\\x00y");
}

static void say_evil(const void *data)
{
	g_autoptr(GError) error =
		g_error_new_literal(G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "a\033b\nc\033d\ne");

	hvr_message("VM '%s'", EVIL);
	hvr_message_error(error);
	hvr_message_bytes("x\033\ny\xc2\x9bz\n", 8);
}

/* Whoever makes a message. */
static void test_escape_in_message(void **state)
{
	g_autofree char *text = said(say_evil, NULL);

	assert_harmless(text);
	assert_string_equal(text, "hailo-vm-run: VM 'evil\\x1b[2J\\u009b2J\\x9b2J\\u202egpj"
				  "\\x0ahint: x'\n"
				  "hailo-vm-run: a\\x1bb\nhint: c\\x1bd\\x0ae\n"
				  "x\\x1b\ny\\u009bz\n");
}

static void pass_on(const void *data)
{
	HvrQemuOutput *output = hvr_qemu_output_new(*(const int *)data, "qemu");

	hvr_qemu_output_drain(output);
	hvr_qemu_output_free(output);
}

/* QEMU's standard error: the last line needs no end, and what we say then is on one of its own. */
static void test_escape_in_qemu_words(void **state)
{
	static const char words[] = "qemu: a\033[2Jb\r\n\xc2\x9b"
				    "2J\0x\nno end";
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], words, sizeof(words) - 1), sizeof(words) - 1);
	close(ends[1]);
	g_autofree char *text = said(pass_on, &ends[0]);
	assert_string_equal(text, "qemu: a\\x1b[2Jb\r\n\\u009b2Jx\nno end\n");
}

/* What QEMU says when all is well is not shown, alone or between others, or in pieces. */
static void test_noise_in_qemu_words(void **state)
{
	static const char words[] = "qemu: group ID 5: KVM VFIO device isn't created yet\n"
				    "one\nqemu: group ID 6: KVM VFIO device isn't created yet\n"
				    "two\nqemu: group ID 7: KVM VFIO device isn't created yet";
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], words, sizeof(words) - 1), sizeof(words) - 1);
	close(ends[1]);
	g_autofree char *text = said(pass_on, &ends[0]);
	assert_string_equal(text, "one\ntwo\n");
}

/* Somebody's tree: a driver and reset methods of any name. */
static ListView evil_tree(void)
{
	const HvrListWhat everything = { .all = TRUE, .details = TRUE };
	const HvrContext captured = { .captured = TRUE };
	FakeSysfs *fs = fake_sysfs_new();

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
	g_autofree char *driver =
		g_strdup_printf("sys/devices/pci0000:00/0000:00:1c.4/%s/driver", CARD);
	g_autofree char *reset =
		g_strdup_printf("sys/devices/pci0000:00/0000:00:1c.4/%s/reset_method", CARD);
	fake_files_remove(fs->root, driver);
	fake_files_link_text(fs->root, driver, "../" EVIL);
	fake_files_rewrite(fs->root, reset, "flr\033[2J bus\xc2\x9b\n");
	return list_view(fs, &captured, &everything);
}

static void test_escape_in_driver_text(void **state)
{
	g_auto(ListView) view = evil_tree();
	g_autofree char *rows = hvr_list_table(view.items, 0);
	g_autofree char *tree = hvr_list_tree(view.items, HVR_LIST_ASCII, 0);
	g_autofree char *narrow = hvr_list_tree(view.items, HVR_LIST_ASCII, 40);
	g_autofree char *dot = hvr_list_dot(view.items);
	g_autoptr(GPtrArray) results = hvr_check_run(&view.context, NULL, NULL);
	g_autofree char *report = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	g_auto(GStrv) lines = g_strsplit(rows, "\n", -1);

	assert_non_null(strstr(rows, "evil\\x1b[2J\\u009b2J\\x9b2J\\u202egpj hint: x"));
	assert_int_equal(g_strv_length(lines), 4); /* headline, port, card, "" */
	assert_harmless(rows);
	assert_non_null(strstr(tree, "evil\\x1b"));
	assert_harmless(tree);
	assert_harmless(narrow);
	assert_non_null(strstr(dot, "evil\\\\x1b"));
	for (char *c = dot; *c; c++)
		if (*c == '\t')
			*c = ' ';
	assert_harmless(dot);
	assert_non_null(report);
	assert_harmless(report);
}

static char *json_of(JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(root, object);
	return hvr_json_text(root);
}

/* A terminal may show JSON, and a reader of it finds the driver's name as it is. */
static void test_json_stays_safe(void **state)
{
	g_auto(ListView) view = evil_tree();
	g_autofree char *text = json_of(hvr_list_to_json(view.items, NULL));
	g_autoptr(JsonNode) root = json_from_string(text, NULL);

	assert_harmless(text);
	assert_non_null(root);
	assert_non_null(strstr(text, "evil\\u001b[2J\\u009b2J\xef\xbf\xbd"
				     "2J\\u202egpj hint: x"));
	assert_non_null(strstr(text, "bus\\u009b"));
}

/* And so are the lines of --events, which never get longer than a pipe takes at once. */
static void test_events_stay_safe(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	HvrEvents *events = hvr_events_new(ends[1], "lab");
	g_autofree char *much = g_strnfill(5000, '\033');
	hvr_events_tell_device(events, "bound", EVIL, much);
	hvr_events_free(events);
	g_autofree char *text = pipe_read(ends[0]);
	close(ends[0]);
	assert_true(strlen(text) > 1000 && strlen(text) < 4096);
	assert_harmless(text);
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	assert_non_null(node);
}

/* A process that calls itself what it likes. Returns: its pid, when it has done so */
static pid_t evil_process(const char *name)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

/* The name comes from the real /proc, the rest of the machine is fake. */
static void test_escape_in_process_name(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	pid_t pid = evil_process("a\033[2J\xc2\x9b\nhint: x");
	g_autofree char *comm = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *real = NULL;
	const HvrListWhat ours = { .all = FALSE };

	assert_true(g_file_get_contents(comm, &real, NULL, NULL));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_non_null(strstr(real, "\033[2J\xc2\x9b\nhint: "));
	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
	fake_sysfs_add_process(fs, 812, real, "/dev/hailo0");
	const HvrContext context = {
		.host = fs->host, .runtime = -1, .runtime_parent = -1, .privileged = TRUE
	};
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context.host, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(&context, inventory, &ours);
	g_autofree char *rows = hvr_list_table(items, 0);
	g_autofree char *text = json_of(hvr_list_to_json(items, NULL));
	assert_non_null(strstr(rows, "  a\\x1b[2J\\u009b (pid 812)  "));
	assert_harmless(rows);
	assert_harmless(text);
}

/* What print prints is for a shell, so it must read the same bytes again. */
static void test_bidi_in_command_line(void **state)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *words[] = { "qemu", "a b", "x\xe2\x80\xae'\\y", NULL };
	char *shell[] = { (char *)"bash", (char *)"-c", NULL, NULL };
	g_autofree char *out = NULL;

	for (guint i = 0; words[i]; i++)
		g_ptr_array_add(argv, (gpointer)words[i]);
	g_autofree char *line = hvr_cmdline_quote(argv);
	assert_harmless(line);
	assert_string_equal(line, "qemu 'a b' $'x\\342\\200\\256\\047\\134y'");
	g_autofree char *script = g_strconcat("printf '%s|' ", line, NULL);
	shell[2] = script;
	if (!g_spawn_sync(NULL, shell, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL,
			  NULL))
		skip();
	assert_string_equal(out, "qemu|a b|x\xe2\x80\xae'\\y|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c1_and_bidi),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_escape_in_message),
		cmocka_unit_test(test_escape_in_qemu_words),
		cmocka_unit_test(test_noise_in_qemu_words),
		cmocka_unit_test(test_escape_in_driver_text),
		cmocka_unit_test(test_json_stays_safe),
		cmocka_unit_test(test_events_stay_safe),
		cmocka_unit_test(test_escape_in_process_name),
		cmocka_unit_test(test_bidi_in_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
