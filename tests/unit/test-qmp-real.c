/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client against the QEMU that is installed, on an inherited socketpair as the supervisor has
 * it. The other tests prove that qmp/ does what is written of QEMU; this one that it is true.
 *
 * Its own program, since without QEMU it is skipped as a whole.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "qmp/error.h"
#include "qmp/hotplug-timing.h"
#include "qmp/stream.h"

#define QEMU	"qemu-system-x86_64"
#define SKIP	77
#define WAIT_MS 30000

typedef struct {
	GMainContext *context;
	GPid pid;
	HvrQmpClient *client;
	GString *told;
} Fixture;

static void on_closed(HvrQmpClient *client, const GError *error, gpointer user_data)
{
	Fixture *f = user_data;

	assert_true(error->domain == HVR_QMP_ERROR);
	g_string_append_printf(f->told, "#%d", error->code);
}

static void spawn(Fixture *f, const char *const *argv)
{
	static const int target_fd = 3;
	g_autoptr(GError) error = NULL;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	g_spawn_async_with_pipes_and_fds(
		NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1,
		-1, -1, &fds[1], &target_fd, 1, &f->pid, NULL, NULL, NULL, &error);
	assert_null(error);
	close(fds[1]);
	f->client = hvr_qmp_client_new(fds[0], f->context);
	hvr_qmp_client_subscribe(f->client, NULL, on_closed, f);
}

static int setup_none(void **state)
{
	static const char *const argv[] = { QEMU,
					    "-M",
					    "none",
					    "-display",
					    "none",
					    "-S",
					    "-nodefaults",
					    "-chardev",
					    "socket,id=q,fd=3",
					    "-mon",
					    "chardev=q,mode=control",
					    NULL };
	Fixture *f = g_new0(Fixture, 1);

	f->context = g_main_context_new();
	f->told = g_string_new(NULL);
	spawn(f, argv);
	*state = f;
	return 0;
}

/* A port must not be called "port": its bus, of the same name, would collide with a property. */
static int setup_q35(void **state)
{
	static const char *const argv[] = {
		QEMU,	       "-M",
		"q35",	       "-accel",
		"tcg",	       "-m",
		"32M",	       "-display",
		"none",	       "-S",
		"-nodefaults", "-no-user-config",
		"-chardev",    "socket,id=q,fd=3",
		"-mon",	       "chardev=q,mode=control",
		"-device",     "pcie-root-port,id=slot1,chassis=1,slot=1",
		"-device",     "edu,id=npu,bus=slot1",
		"-device",     "edu,id=fixed,bus=pcie.0",
		NULL
	};
	Fixture *f = g_new0(Fixture, 1);

	f->context = g_main_context_new();
	f->told = g_string_new(NULL);
	spawn(f, argv);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_qmp_client_unref(f->client);
	if (f->pid) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	g_main_context_unref(f->context);
	g_string_free(f->told, TRUE);
	g_free(f);
	return 0;
}

static JsonNode *call(Fixture *f, const char *command)
{
	g_autoptr(GError) error = NULL;
	JsonNode *result = hvr_qmp_client_call(f->client, command, NULL, WAIT_MS, &error);

	if (error)
		fail_msg("%s: %s", command, error->message);
	return result;
}

/* For commands whose answer says nothing but that they were obeyed. */
static void run(Fixture *f, const char *command)
{
	json_node_unref(call(f, command));
}

static void wait_told(Fixture *f)
{
	while (f->told->len == 0)
		g_main_context_iteration(f->context, TRUE);
}

/* Greeting, negotiation, a query and "quit"; EOF or a reset, the end is CLOSED and QEMU's is 0. */
static void test_conversation(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonNode) result = call(f, "query-status");
	JsonObject *object = json_node_get_object(result);
	int status;

	assert_string_equal(json_object_get_string_member(object, "status"), "prelaunch");
	run(f, "quit");
	wait_told(f);
	assert_string_equal(f->told->str, "#0");
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	assert_int_equal(status, 0);
}

/* QEMU's own refusal of an unknown command, and of arguments, is told as it says it. */
static void test_errors(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	assert_null(hvr_qmp_client_call(f->client, "no-such", NULL, WAIT_MS, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE));
	assert_string_equal(error->message, "The command no-such has not been found");
	g_clear_error(&error);
	assert_null(hvr_qmp_client_call(f->client, "device_del", NULL, WAIT_MS, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE));
	assert_non_null(strstr(error->message, "id"));
}

/* The longest answer QEMU has fits the bounds with room to spare. */
static void test_schema(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonNode) result = call(f, "query-qmp-schema");
	g_autofree char *text = json_to_string(result, FALSE);

	assert_true(json_array_get_length(json_node_get_array(result)) > 100);
	print_message("  %zu bytes\n", strlen(text));
	assert_true(strlen(text) < HVR_QMP_LINE_MAX_BYTES / 2);
}

/* A QEMU that is killed ends the connection, and every pending command with it. */
static void test_killed(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	run(f, "query-status");
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	f->pid = 0;
	assert_null(hvr_qmp_client_call(f->client, "query-status", NULL, WAIT_MS, &error));
	assert_true(g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED));
	assert_string_equal(f->told->str, "#0");
}

static void on_unplugged(const GError *error, gpointer user_data)
{
	Fixture *f = user_data;

	if (error)
		g_string_append_printf(f->told, "!%d %s", error->code, error->message);
	else
		g_string_append(f->told, "done");
}

/* Starts an unplug, waits for its end and compares it. */
static void assert_unplug(Fixture *f, const char *id, guint timeout_ms, const char *told)
{
	static const HvrQmpUnplugTiming timing = { 20, 2000 };

	hvr_qmp_unplug_start_timed(f->client, id, timeout_ms, &timing, on_unplugged, f);
	wait_told(f);
	if (!strstr(f->told->str, told))
		fail_msg("\"%s\" does not say \"%s\"", f->told->str, told);
	g_string_truncate(f->told, 0);
}

/*
 * A device that does not exist, one that cannot go, and one in a guest that does not run: for the
 * last QEMU says that the request is under way, and that text is known to be pending.
 */
static void test_unplug_refused(void **state)
{
	Fixture *f = *state;

	assert_unplug(f, "nothing", WAIT_MS, "!4 Device 'nothing' not found");
	assert_unplug(f, "fixed", WAIT_MS, "!3 Bus 'pcie.0' does not support hotplugging");
	assert_unplug(f, "npu", 200,
		      "!1 the guest has not let go of 'npu' within 0.2 s; QEMU says: "
		      "Device npu is already in the process of unplug");
}

/* A reset of the machine completes a pending unplug: DEVICE_DELETED comes and the id is free. */
static void test_unplug_by_reset(void **state)
{
	Fixture *f = *state;

	hvr_qmp_unplug_start(f->client, "npu", WAIT_MS, on_unplugged, f);
	run(f, "query-status");
	assert_string_equal(f->told->str, "");
	run(f, "system_reset");
	wait_told(f);
	assert_string_equal(f->told->str, "done");
	g_string_truncate(f->told, 0);
	assert_unplug(f, "npu", WAIT_MS, "!4 Device 'npu' not found");
}

/* Two unplugs of one device at once both end well: the second is told that one is under way. */
static void test_unplug_twice(void **state)
{
	static const HvrQmpUnplugTiming timing = { 20, 2000 };
	Fixture *f = *state;

	for (int i = 0; i < 2; i++)
		hvr_qmp_unplug_start_timed(f->client, "npu", WAIT_MS, &timing, on_unplugged, f);
	run(f, "query-status");
	run(f, "system_reset");
	while (f->told->len < strlen("donedone"))
		g_main_context_iteration(f->context, TRUE);
	assert_string_equal(f->told->str, "donedone");
}

static void on_given(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	on_unplugged(error, user_data);
}

static void give(Fixture *f, const char *name, int fd)
{
	hvr_qmp_client_give_fd(f->client, name, fd, WAIT_MS, on_given, f);
	wait_told(f);
	assert_string_equal(f->told->str, "done");
	g_string_truncate(f->told, 0);
}

static guint count_fds_on(GPid pid, const char *path)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/fd", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;
	guint n = 0;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *link = g_build_filename(folder, name, NULL);
		g_autofree char *target = g_file_read_link(link, NULL);
		n += g_strcmp0(target, path) == 0;
	}
	return n;
}

/* What QEMU is given it keeps when the connection has ended, and once for each name. */
static void test_give_fd(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("hvr-given-XXXXXX", &path, NULL);

	assert_true(fd >= 0);
	assert_int_equal(count_fds_on(f->pid, path), 0);
	for (int i = 0; i < 3; i++)
		give(f, "hvr-one", fd);
	assert_int_equal(count_fds_on(f->pid, path), 1);
	give(f, "hvr-two", fd);
	close(fd);
	run(f, "query-status");
	g_clear_pointer(&f->client, hvr_qmp_client_unref);
	g_usleep(200000); /* it is told of the end some time, and nothing tells that it was */
	assert_int_equal(count_fds_on(f->pid, path), 2);
	unlink(path);
}

#define TEST(function, with) cmocka_unit_test_setup_teardown(function, setup_##with, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conversation, none),	 TEST(test_errors, none),
		TEST(test_schema, none),	 TEST(test_killed, none),
		TEST(test_give_fd, none),	 TEST(test_unplug_refused, q35),
		TEST(test_unplug_by_reset, q35), TEST(test_unplug_twice, q35),
	};
	g_autofree char *qemu = g_find_program_in_path(QEMU);

	if (!qemu && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("skipped: no %s\n", QEMU);
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
