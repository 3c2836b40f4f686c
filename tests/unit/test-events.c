/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of run --events: each one JSON object by itself, in order, and never in the way.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "launcher/command/cli.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/pipe.h"

static HvrEvents *open_number(int fd)
{
	g_autofree char *where = g_strdup_printf("%d", fd);
	g_autoptr(GError) error = NULL;
	HvrEvents *events = hvr_cli_events(where, "lab", &error);

	assert_null(error);
	assert_non_null(events);
	return events;
}

/* A line for each, with what was given, whatever is in it. The descriptor stays the caller's. */
static void test_lines(void **state)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	HvrEvents *events = open_number(fds[1]);
	gint64 before = g_get_monotonic_time() / 1000;

	hvr_events_tell_device(events, "bound", "npu", "0000:02:00.0");
	hvr_events_tell(events, "released", "error", NULL);
	hvr_events_tell(events, "released", "error", "a\nb\"c\\\xff");
	hvr_events_tell_number(events, "started", "pid", 4711);
	hvr_events_free(events);
	assert_true(fcntl(fds[1], F_GETFD) >= 0);

	g_autofree char *text = pipe_read(fds[0]);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	assert_int_equal(g_strv_length(lines), 5);
	assert_string_equal(lines[4], "");
	for (guint i = 0; i < 4; i++) {
		g_autoptr(JsonNode) node = json_from_string(lines[i], NULL);
		JsonObject *object = json_node_get_object(node);
		assert_string_equal(json_object_get_string_member(object, "vm"), "lab");
		assert_true(json_object_get_int_member(object, "ms") >= before);
		assert_false(json_object_has_member(object, "lost"));
	}
	assert_non_null(strstr(lines[0], "\"device\":\"npu\",\"address\":\"0000:02:00.0\""));
	assert_non_null(strstr(lines[1], "\"error\":null"));
	assert_non_null(strstr(lines[2], "a\\nb\\\"c\\\\"));
	assert_non_null(strstr(lines[3], "\"pid\":4711"));
	close(fds[0]);
	close(fds[1]);
}

/* A reader that does not read costs it lines, never us time; it is told how many. */
static void test_slow_reader(void **state)
{
	int fds[2];
	guint told = 0;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	int size = fcntl(fds[1], F_SETPIPE_SZ, 4096);
	assert_true(size >= 4096);
	HvrEvents *events = open_number(fds[1]);

	for (; told < 1000; told++)
		hvr_events_tell_number(events, "running", "pid", told);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	g_free(pipe_read(fds[0]));
	hvr_events_tell(events, "ready", NULL, NULL);
	g_autofree char *text = pipe_read(fds[0]);
	assert_non_null(strstr(text, "\"lost\":"));
	hvr_events_tell(events, "ended", NULL, NULL);
	g_autofree char *next = pipe_read(fds[0]);
	assert_null(strstr(next, "\"lost\":"));

	/* And one that has gone. SIGPIPE is the program's to ignore. */
	close(fds[0]);
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	hvr_events_tell(events, "ended", NULL, NULL);
	signal(SIGPIPE, old);
	hvr_events_free(events);
	close(fds[1]);
}

/* Nobody asked: nothing happens. */
static void test_none(void **state)
{
	hvr_events_tell(NULL, "ready", NULL, NULL);
	hvr_events_tell_number(NULL, "started", "pid", 1);
	hvr_events_free(NULL);
}

/* A file is appended to; what cannot be written to is refused before anything is done. */
static void test_places(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("hvr-events-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "events", NULL);
	g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
	g_autofree char *text = NULL;
	const char *bad[] = { "/nowhere/at/all", "987", fifo, folder, NULL };

	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (guint i = 0; i < 2; i++) {
		g_autoptr(HvrEvents) events = hvr_cli_events(file, "lab", NULL);
		hvr_events_tell(events, "ready", NULL, NULL);
	}
	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	assert_int_equal(g_strv_length(lines), 3);
	for (guint i = 0; bad[i]; i++) {
		g_autoptr(GError) error = NULL;
		assert_null(hvr_cli_events(bad[i], "lab", &error));
		assert_int_equal(hvr_exit_status(error), 64);
	}
	fake_files_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
