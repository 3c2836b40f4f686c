/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands and files of a guest, through an agent that QmpPeer plays in the VM's folder: what is
 * told of honest ones, and what is made of those that lie.
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

#include "launcher/guest/guest.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/qmp-peer.h"
#include "vfio/fd.h"

#define ENDED(more) "{\"exited\":true" more "}"

typedef struct {
	char *folder; /* the runtime folder */
	HvrContext context;
	HvrVm *vm;
	QmpPeer *peer;
	HvrGuest *guest;
} Fixture;

static char *path_of(const Fixture *f, const char *name)
{
	return g_build_filename(f->folder, "vms/lab", name, NULL);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autoptr(GError) error = NULL;

	hvr_interrupt_init();
	f->folder = g_dir_make_tmp("hvr-guest-XXXXXX", NULL);
	g_autofree char *vm_folder = path_of(f, NULL);
	g_autofree char *socket = path_of(f, HVR_VM_AGENT);
	assert_int_equal(g_mkdir_with_parents(vm_folder, 0700), 0);
	f->context.runtime = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->vm = hvr_vm_new("lab");
	f->peer = qmp_peer_listen(NULL, socket);
	f->guest = hvr_guest_open(&f->context, f->vm, 10000, &error);
	assert_null(error);
	qmp_peer_returns(f->peer, "guest-exec", "{\"pid\":17}");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_guest_free(f->guest);
	qmp_peer_free(f->peer);
	hvr_vm_free(f->vm);
	hvr_fd_close(f->context.runtime);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

static const char *const command[] = { "prog", "a b", "\"c", NULL };

/* A command's words, input, output and status go there and back, and it is asked until it ends. */
static void test_run(void **state)
{
	Fixture *f = *state;
	HvrGuestCommand what = { .argv = command, .input = (const guint8 *)"in", .input_bytes = 2 };
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	qmp_peer_returns(f->peer, "guest-exec-status", "{\"exited\":false}");
	qmp_peer_returns(f->peer, "guest-exec-status", "{\"exited\":false}");
	qmp_peer_returns(f->peer, "guest-exec-status",
			 ENDED(",\"exitcode\":3,\"out-data\":\"b3V0AA==\",\"err-data\":\"ZXJy\","
			       "\"out-truncated\":true"));
	assert_true(hvr_guest_run(f->guest, &what, &result, &error));
	assert_null(error);
	assert_int_equal(result.status, 3);
	assert_int_equal(result.out->len, 4);
	assert_memory_equal(result.out->data, "out", 4);
	assert_memory_equal(result.err->data, "err", 3);
	assert_true(result.truncated);
	assert_int_equal(qmp_peer_count(f->peer, "guest-exec-status"), 3);
}

/* Statuses as a shell has them; an answer that makes no sense is not taken for one. */
static void test_statuses(void **state)
{
	static const struct {
		const char *answer;
		int status; /* -1: it is refused */
	} cases[] = {
		{ ENDED(",\"exitcode\":0"), 0 },
		{ ENDED(",\"exitcode\":255"), 255 },
		{ ENDED(",\"signal\":9"), 137 },
		{ ENDED(""), -1 },
		{ ENDED(",\"exitcode\":256"), -1 },
		{ ENDED(",\"exitcode\":-1"), -1 },
		{ ENDED(",\"exitcode\":\"0\""), -1 },
		{ ENDED(",\"signal\":9999"), -1 },
		{ "7", -1 },
		{ "[]", -1 },
		{ ENDED(",\"exitcode\":0,\"out-data\":{}"), 0 },
		{ ENDED(",\"exitcode\":0,\"out-data\":\"!!!\""), 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(JsonNode) answer = json_from_string(cases[i].answer, NULL);
		g_auto(HvrGuestResult) result = { .status = -1 };
		g_autoptr(GError) error = NULL;
		gboolean exited = FALSE;
		gboolean well = hvr_guest_decode(answer, &exited, &result, &error);
		assert_int_equal(well, cases[i].status >= 0);
		assert_int_equal(error == NULL, well);
		assert_int_equal(result.status, cases[i].status);
	}
}

static void must_refuse(Fixture *f, int exit_status, const char *text)
{
	HvrGuestCommand what = { .argv = command };
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(hvr_guest_run(f->guest, &what, &result, &error));
	if (!strstr(error->message, text))
		fail_msg("%s", error->message);
	assert_int_equal(hvr_exit_status(error), exit_status);
}

/* A command that cannot be started, in the agent's words; one that may not be; a pid that is none.
 */
static void test_not_started(void **state)
{
	static const char *const pids[] = { "{\"pid\":0}", "{\"pid\":-3}", "{\"pid\":\"1\"}",
					    "{}",	   "true",	   NULL };
	Fixture *f = *state;

	/* The first answer was the fixture's; the last one given stays. */
	qmp_peer_fails(f->peer, "guest-exec", "GenericError", "no such program");
	qmp_peer_returns(f->peer, "guest-exec-status", ENDED(",\"exitcode\":0"));
	HvrGuestCommand what = { .argv = command };
	g_auto(HvrGuestResult) result = { 0 };
	assert_true(hvr_guest_run(f->guest, &what, &result, NULL));
	must_refuse(f, 69, "cannot run 'prog': no such program");
	qmp_peer_fails(f->peer, "guest-exec", "CommandNotFound", "has been disabled");
	must_refuse(f, 69, "no such program");
	must_refuse(f, 69, "block-rpcs");
	for (guint i = 0; pids[i]; i++)
		qmp_peer_returns(f->peer, "guest-exec", pids[i]);
	must_refuse(f, 69, "has been disabled");
	for (guint i = 0; pids[i]; i++)
		must_refuse(f, 69, "makes no sense");
}

/* What QEMU's agent says of a program that is not there or is none, as GLib words it, with and
 * without what agents before QEMU 9.1 put around it. What else fails is not the command's fault. */
static void test_not_executed(void **state)
{
	static const struct {
		const char *words;
		int status;
	} cases[] = {
		{ "Failed to execute child process “prog” (No such file or directory)", 127 },
		{ "Guest agent command failed, error was 'Failed to execute child process ?prog? "
		  "(No "
		  "such file or directory)'",
		  127 },
		{ "Failed to execute child process \\\"/etc/x\\\" (Permission denied)", 126 },
		{ "Failed to execute child process “prog” (Exec format error)", 126 },
		{ "Failed to execute child process “(No such file or directory)” (Permission "
		  "denied)",
		  126 },
		{ "Failed to fork (Cannot allocate memory)", 125 },
		{ "No such file or directory", 125 },
	};
	Fixture *f = *state;

	qmp_peer_returns(f->peer, "guest-exec-status", ENDED(",\"exitcode\":0"));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		HvrGuestCommand what = { .argv = command };
		g_autoptr(GError) error = NULL;
		g_auto(HvrGuestResult) before = { 0 }, none = { 0 };
		/* The answer of before is the first one's, and the last one given stays. */
		qmp_peer_fails(f->peer, "guest-exec", "GenericError", cases[i].words);
		assert_int_equal(hvr_guest_run(f->guest, &what, &before, NULL), i == 0);
		assert_false(hvr_guest_run(f->guest, &what, &none, &error));
		if (hvr_exit_status_of_command(error) != cases[i].status)
			fail_msg("%s: %d: %s", cases[i].words, hvr_exit_status_of_command(error),
				 error->message);
		assert_int_equal(hvr_exit_status(error), 69);
	}
}

/* Ends the command when the guest's shell was told to kill it. */
static gboolean on_kill(gpointer user_data)
{
	Fixture *f = user_data;

	if (qmp_peer_count(f->peer, "guest-exec") < 2)
		return G_SOURCE_CONTINUE;
	qmp_peer_returns(f->peer, "guest-exec-status",
			 ENDED(",\"signal\":9,\"out-data\":\"b3V0AA==\""));
	return G_SOURCE_REMOVE;
}

/* One that does not end is killed, in the guest, and what it has said by then is not lost. */
static void test_deadline(void **state)
{
	Fixture *f = *state;
	HvrGuestCommand what = { .argv = command, .timeout_ms = 50 };
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	qmp_peer_returns(f->peer, "guest-exec-status", "{\"exited\":false}");
	g_timeout_add(1, on_kill, f);
	assert_true(hvr_guest_run(f->guest, &what, &result, &error));
	assert_true(result.timed_out);
	assert_int_equal(result.status, 124);
	assert_int_equal(result.out->len, 4);
	assert_memory_equal(result.out->data, "out", 4);
	assert_int_equal(qmp_peer_count(f->peer, "guest-exec"), 2);
}

/* Nor can one that cannot be killed be waited for. */
static void test_deadline_grace(void **state)
{
	Fixture *f = *state;
	HvrGuestCommand what = { .argv = command, .timeout_ms = 50, .grace_ms = 50 };
	g_auto(HvrGuestResult) result = { 0 };

	qmp_peer_returns(f->peer, "guest-exec-status", "{\"exited\":false}");
	assert_true(hvr_guest_run(f->guest, &what, &result, NULL));
	assert_true(result.timed_out);
	assert_int_equal(result.status, 124);
	assert_int_equal(result.out->len, 0);
	assert_int_equal(result.err->len, 0);
	assert_int_equal(qmp_peer_count(f->peer, "guest-exec"), 2);
}

/* An agent that goes away while its command runs. */
static void test_lost(void **state)
{
	Fixture *f = *state;

	qmp_peer_closes_on(f->peer, "guest-exec-status");
	must_refuse(f, 69, "closed");
}

static char *read_back(int fd)
{
	char bytes[64] = { 0 };

	assert_true(pread(fd, bytes, sizeof(bytes) - 1, 0) >= 0);
	return g_strdup(bytes);
}

/* A file in pieces; the handle is given back also when it has no end. */
static void test_read(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = path_of(f, "got");
	g_auto(HvrFd) fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const HvrGuestFile file = { .path = "/tmp/x", .out_fd = fd, .max_bytes = 100 };
	g_autoptr(GError) error = NULL;

	g_unlink(path);
	qmp_peer_returns(f->peer, "guest-file-open", "5");
	qmp_peer_returns(f->peer, "guest-file-close", "{}");
	qmp_peer_returns(f->peer, "guest-file-read",
			 "{\"count\":3,\"buf-b64\":\"b25l\",\"eof\":false}");
	qmp_peer_returns(f->peer, "guest-file-read",
			 "{\"count\":3,\"buf-b64\":\"dHdv\",\"eof\":true}");
	qmp_peer_returns(f->peer, "guest-file-read",
			 "{\"count\":3,\"buf-b64\":\"dHdv\",\"eof\":false}");
	assert_true(hvr_guest_read(f->guest, &file, &error));
	g_autofree char *text = read_back(fd);
	assert_string_equal(text, "onetwo");
	assert_int_equal(qmp_peer_count(f->peer, "guest-file-close"), 1);
	assert_false(hvr_guest_read(f->guest, &file, &error));
	assert_non_null(strstr(error->message, "no end of the file"));
	assert_int_equal(qmp_peer_count(f->peer, "guest-file-close"), 2);
}

/* Whether a file opens is an answer; that the agent cannot say is an error. */
static void test_try_open(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	qmp_peer_returns(f->peer, "guest-file-open", "5");
	qmp_peer_fails(f->peer, "guest-file-open", "GenericError", "No such device or address");
	qmp_peer_closes_on(f->peer, "guest-file-open");
	qmp_peer_returns(f->peer, "guest-file-close", "{}");
	assert_null(hvr_guest_try_open(f->guest, "/dev/hailo0", 0, &error));
	assert_null(error);
	g_autofree char *problem = hvr_guest_try_open(f->guest, "/dev/hailo0", 0, &error);
	assert_string_equal(problem, "No such device or address");
	assert_null(error);
	assert_null(hvr_guest_try_open(f->guest, "/dev/hailo0", 0, &error));
	assert_int_equal(hvr_exit_status(error), 69);
}

/* A VM without the channel says what is to be done. */
static void test_no_channel(void **state)
{
	Fixture *f = *state;
	g_autofree char *socket = path_of(f, HVR_VM_AGENT);
	g_autoptr(GError) error = NULL;

	g_unlink(socket);
	assert_null(hvr_guest_open(&f->context, f->vm, 100, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "[guest] agent = yes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(run),	TEST(statuses),	      TEST(not_started), TEST(not_executed),
		TEST(deadline), TEST(deadline_grace), TEST(lost),	 TEST(read),
		TEST(try_open), TEST(no_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
