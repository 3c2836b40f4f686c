/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: other processes ask the supervisor, which answers each of them once, whatever
 * they send and whenever they leave.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/qemu/output.h"
#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "launcher/session/ask.h"
#include "launcher/session/control.h"
#include "tests/unit/session-fixture.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

/* What the other process asks for. */
typedef gboolean (*Ask)(int folder, GError **error);

/* The VM with its control socket, and a process that was made before there was any of it. */
typedef struct {
	VmFixture *vm;
	pid_t asker;
	int go;	    /* the path of the VM's folder wakes the asker */
	int answer; /* "STATUS MESSAGE" */
	HvrControl *control;
} Fixture;

static G_NORETURN void ask(int go, int answer, Ask how)
{
	char path[4096] = "";
	g_autoptr(GError) error = NULL;
	const char *result = "done";

	if (read(go, path, sizeof(path) - 1) <= 0)
		_exit(1);
	g_auto(HvrFd) folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!how(folder, &error))
		result = error->message;
	if (hvr_ask_found_nobody(error)) {
		g_clear_error(&error);
		result = "nobody";
	}
	g_autofree char *text =
		g_strdup_printf("%d %s", error ? hvr_exit_status(error) : 0, result);
	_exit(write(answer, text, strlen(text)) != (ssize_t)strlen(text));
}

static gboolean unplug_npu(int folder, GError **error)
{
	HvrRequest request = { .name = HVR_REQUEST_UNPLUG, .device = "npu", .timeout_ms = 30000 };
	return hvr_ask_supervisor(folder, &request, error);
}

static gboolean unplug_gpu(int folder, GError **error)
{
	HvrRequest request = { .name = HVR_REQUEST_UNPLUG, .device = "gpu", .timeout_ms = 30000 };
	return hvr_ask_supervisor(folder, &request, error);
}

static gboolean plug_npu(int folder, GError **error)
{
	HvrRequest request = { .name = HVR_REQUEST_PLUG, .device = "npu" };
	return hvr_ask_supervisor(folder, &request, error);
}

static gboolean stop_vm(int folder, GError **error)
{
	HvrRequest request = { .name = HVR_REQUEST_STOP, .powerdown_ms = 30000 };
	return hvr_ask_supervisor(folder, &request, error);
}

/* As a command of another version might. */
static gboolean ask_as_other(int folder, const char *request, GError **error)
{
	g_autoptr(HvrQmpClient) client =
		hvr_qmp_client_connect(folder, HVR_VM_CONTROL, NULL, error);
	if (!client)
		return FALSE;
	g_autoptr(JsonNode) answer =
		hvr_qmp_client_call(client, request, json_object_new(), 600000, error);
	return answer != NULL;
}

static gboolean dance(int folder, GError **error)
{
	return ask_as_other(folder, "dance", error);
}

static gboolean unplug_nothing(int folder, GError **error)
{
	return ask_as_other(folder, "unplug", error);
}

static void serve(Fixture *f)
{
	int fd = hvr_runtime_listen(f->vm->session->folder, HVR_VM_CONTROL, NULL);

	assert_true(fd >= 0);
	f->control = hvr_control_new(f->vm->hotplug, fd);
}

/* The asker is forked first: it must have no source of the session in its main context. */
static Fixture *fixture_new(const char *scenario, Ask how)
{
	Fixture *f = g_new0(Fixture, 1);
	int go[2], answer[2];

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	f->asker = fork();
	if (f->asker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		ask(go[0], answer[1], how);
	}
	close(go[0]);
	close(answer[1]);
	f->go = go[1];
	f->answer = answer[0];
	f->vm = vm_fixture_new(scenario);
	return f;
}

static void fixture_free(Fixture *f)
{
	kill(f->asker, SIGKILL); /* it may never have been let go */
	waitpid(f->asker, NULL, 0);
	hvr_fd_close(f->go);
	hvr_fd_close(f->answer);
	vm_fixture_free(f->vm);
	g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static char *folder_path(const Fixture *f)
{
	return g_strconcat(f->vm->fs->root, "/run/hailo-vm-run/vms/lab", NULL);
}

static void let_ask(Fixture *f)
{
	g_autofree char *path = folder_path(f);

	assert_int_equal(write(f->go, path, strlen(path)), (ssize_t)strlen(path));
}

static gboolean on_answer(gint fd, GIOCondition condition, gpointer user_data)
{
	*(gboolean *)user_data = TRUE;
	return G_SOURCE_REMOVE;
}

/* Serves until the asker has its answer. */
static void assert_answer(Fixture *f, const char *wanted)
{
	char text[4096] = "";
	gboolean there = FALSE;

	g_unix_fd_add(f->answer, G_IO_IN | G_IO_HUP, on_answer, &there);
	while (!there)
		g_main_context_iteration(NULL, TRUE);
	assert_true(read(f->answer, text, sizeof(text) - 1) > 0);
	if (!g_str_has_prefix(text, wanted))
		fail_msg("'%s' instead of '%s'", text, wanted);
}

/* Done, as the command shall end. */
static void test_unplug(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", unplug_npu);

	serve(f);
	qmp_peer_returns(f->vm->peer, "device_del", "{}");
	let_ask(f);
	assert_true(qmp_peer_wait_for(f->vm->peer, "device_del", 1));
	qmp_peer_event(f->vm->peer, "DEVICE_DELETED", "{\"device\": \"npu\", \"path\": \"/x\"}");
	assert_answer(f, "0 done");
	vm_fixture_assert_given_back(f->vm);
}

/* Not done: the status and the message with its hint, as if it had happened to the command. */
static void test_refused(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", unplug_gpu);

	serve(f);
	let_ask(f);
	assert_answer(f, "64 VM 'lab' has no device 'gpu'\ndid you mean 'npu'?");
}

/* stop is answered when all is over. */
static void test_stop(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", stop_vm);

	serve(f);
	qmp_peer_returns(f->vm->peer, "system_powerdown", "{}");
	let_ask(f);
	assert_true(qmp_peer_wait_for(f->vm->peer, "system_powerdown", 1));
	vm_fixture_kill_qemu(f->vm);
	hvr_session_stopped(f->vm->session, NULL);
	assert_answer(f, "0 done");
}

/* What it does not know, or cannot without its arguments, it says. */
static void test_unknown(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", dance);
	g_autoptr(Fixture) g = fixture_new("card", unplug_nothing);

	serve(f);
	let_ask(f);
	assert_answer(f, "76 hailo-vm-run " HVR_VERSION " has no request 'dance'");
	serve(g);
	let_ask(g);
	assert_answer(g, "76 unplug: 'device' is missing");
}

/* Nobody listens: no socket, or one that a killed supervisor has left. */
static void test_nobody(void **state)
{
	g_autoptr(Fixture) none = fixture_new("card", plug_npu);
	g_autoptr(Fixture) dead = fixture_new("card", plug_npu);

	let_ask(none);
	assert_answer(none, "0 nobody");
	hvr_fd_close(hvr_runtime_listen(dead->vm->session->folder, HVR_VM_CONTROL, NULL));
	let_ask(dead);
	assert_answer(dead, "0 nobody");
}

/* Where nobody listens, nothing is plugged in, and a VM that has ended is not stopped: whether the
 * caller wants to know why or not. */
static void test_no_stand_in(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);
	HvrRequest plug = { .name = HVR_REQUEST_PLUG, .device = "npu" };
	HvrRequest stop = { .name = HVR_REQUEST_STOP, .powerdown_ms = 1 };
	g_autoptr(GError) refused = NULL;
	g_autoptr(GError) ended = NULL;

	assert_false(hvr_ask(&f->vm->context, hvr_vm_new("lab"), &plug, NULL));
	assert_false(hvr_ask(&f->vm->context, hvr_vm_new("lab"), &plug, &refused));
	assert_int_equal(hvr_exit_status(refused), 69);
	assert_string_equal(refused->message,
			    "VM 'lab' has no supervisor, which alone can plug a card in\n"
			    "start it without --exec");
	assert_false(hvr_ask(&f->vm->context, hvr_vm_new("lab"), &stop, NULL));
	assert_false(hvr_ask(&f->vm->context, hvr_vm_new("lab"), &stop, &ended));
	assert_int_equal(hvr_exit_status(ended), 69);
	assert_string_equal(ended->message, "VM 'lab' has ended\n"
					    "give its cards back: hailo-vm-run release --all");
	vm_fixture_assert_driver(f->vm, CARD, "vfio-pci");
	hvr_interrupt_init();
}

static int connect_to(Fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *path = folder_path(f);
	g_autofree char *full = g_strconcat(path, "/" HVR_VM_CONTROL, NULL);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(full) < sizeof(address.sun_path));
	g_strlcpy(address.sun_path, full, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	vm_fixture_settle(f->vm);
	return fd;
}

static void say(Fixture *f, int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	vm_fixture_turn(f->vm);
}

/* All that is there to be read, without waiting. [transfer full] */
static char *hear(int fd)
{
	GString *text = g_string_new(NULL);
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		g_string_append_len(text, buffer, n);
	return g_string_free(text, FALSE);
}

/* Requests run side by side; each answer carries the id it was asked with, of whatever type. */
static void test_ids(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);

	serve(f);
	g_auto(HvrFd) fd = connect_to(f);
	g_autofree char *greeting = hear(fd);
	assert_true(g_str_has_prefix(greeting, "{\"QMP\":"));
	qmp_peer_returns(f->vm->peer, "device_del", "{}");
	say(f, fd,
	    "{\"execute\": \"unplug\", \"arguments\": {\"device\": \"npu\"}, \"id\": \"slow\"}\n"
	    "{\"execute\": \"qmp_capabilities\", \"id\": 7}\n"
	    "{\"execute\": \"plug\", \"arguments\": {\"device\": 7}, \"id\": null}\n");
	g_autofree char *first = hear(fd);
	assert_non_null(strstr(first, "\"id\":7"));
	assert_non_null(strstr(first, "\"error\":"));
	assert_non_null(strstr(first, "plug: 'device' must be a text"));
	assert_null(strstr(first, "slow"));
	qmp_peer_event(f->vm->peer, "DEVICE_DELETED", "{\"device\": \"npu\", \"path\": \"/x\"}");
	vm_fixture_settle(f->vm);
	g_autofree char *second = hear(fd);
	assert_non_null(strstr(second, "\"status\":0"));
	assert_non_null(strstr(second, "\"id\":\"slow\""));
}

/* The kernel hangs: says that it has begun to, and goes on when it is let go. */
static void hang(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	const int *pipes = data;
	char byte;

	if (strstr(what, "hailo/unbind"))
		assert_true(write(pipes[1], "", 1) == 1 && read(pipes[2], &byte, 1) == 1);
}

/* Reads until @text is there. */
static void hear_of(Fixture *f, int fd, const char *text)
{
	g_autoptr(GString) heard = g_string_new(NULL);

	alarm(20);
	while (!strstr(heard->str, text)) {
		g_autofree char *more = hear(fd);
		g_string_append(heard, more);
		if (!*more)
			g_main_context_iteration(NULL, FALSE);
	}
	alarm(0);
}

/* A driver that hangs, hangs nobody else: who wants the same card is told so, and a request to stop
 * is acted on. */
static void test_hanging(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);
	int pipes[4];
	char byte;

	serve(f);
	g_auto(HvrFd) fd = connect_to(f);
	qmp_peer_returns(f->vm->peer, "device_add", "{}");
	qmp_peer_returns(f->vm->peer, "system_powerdown", "{}");
	qmp_peer_event(f->vm->peer, "DEVICE_DELETED", "{\"device\": \"npu\", \"path\": \"/x\"}");
	vm_fixture_turn(f->vm);
	vm_fixture_settle(f->vm);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
	f->vm->fs->before = hang;
	f->vm->fs->hook_data = pipes;
	say(f, fd, "{\"execute\": \"plug\", \"arguments\": {\"device\": \"npu\"}, \"id\": 1}\n");
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	say(f, fd, "{\"execute\": \"plug\", \"arguments\": {\"device\": \"npu\"}, \"id\": 2}\n");
	hear_of(f, fd, "{\"return\":{\"status\":75,");
	say(f, fd, "{\"execute\": \"stop\", \"id\": 3}\n");
	assert_true(qmp_peer_wait_for(f->vm->peer, "system_powerdown", 1));
	vm_fixture_assert_driver(f->vm, CARD, "hailo");
	assert_int_equal(write(pipes[3], "", 1), 1);
	/* a VM that goes gets no card any more */
	hear_of(f, fd, "{\"return\":{\"status\":69,\"message\":\"VM 'lab' ends\"},\"id\":1}");
	vm_fixture_assert_driver(f->vm, CARD, "hailo");
	for (guint i = 0; i < G_N_ELEMENTS(pipes); i++)
		close(pipes[i]);
	vm_fixture_kill_qemu(f->vm);
	hvr_session_stopped(f->vm->session, NULL);
	hear_of(f, fd, "{\"return\":{\"status\":0,\"ended_by\":\"powerdown\"},\"id\":3}");
}

/* Whoever has gone by then is not answered, and nobody minds; the request is carried out. */
static void test_gone(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);

	serve(f);
	int fd = connect_to(f);
	qmp_peer_returns(f->vm->peer, "device_del", "{}");
	say(f, fd, "{\"execute\": \"unplug\", \"arguments\": {\"device\": \"npu\"}}\n");
	assert_true(qmp_peer_wait_for(f->vm->peer, "device_del", 1));
	close(fd);
	vm_fixture_settle(f->vm);
	qmp_peer_event(f->vm->peer, "DEVICE_DELETED", "{\"device\": \"npu\", \"path\": \"/x\"}");
	vm_fixture_settle(f->vm);
	vm_fixture_assert_given_back(f->vm);
}

/* The session ends while a request is under way. */
static void test_ends_first(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);

	serve(f);
	g_auto(HvrFd) fd = connect_to(f);
	say(f, fd, "{\"execute\": \"stop\", \"id\": 1}\n");
	g_clear_pointer(&f->control, hvr_control_free);
	hvr_session_stopped(f->vm->session, NULL);
	g_autofree char *text = hear(fd);
	assert_null(strstr(text, "status"));
}

/* Nonsense ends the connection, not the supervisor, and costs the next one nothing. */
static void test_nonsense(void **state)
{
	static const char *const texts[] = { "hello\n",
					     "[1]\n",
					     "{}\n",
					     "{\"execute\": 7}\n",
					     "{\"execute\": \"stop\", \"arguments\": []\n",
					     "{\"execute\": \"unplug\", \"arguments\": 7}\n",
					     "{\"execute\": null, \"id\": {\"a\": [1]}}\n" };
	g_autoptr(Fixture) f = fixture_new("card", unplug_gpu);

	serve(f);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(HvrFd) fd = connect_to(f);
		say(f, fd, texts[i]);
	}
	assert_int_equal(f->vm->session->stops->len, 0);
	vm_fixture_assert_driver(f->vm, CARD, "vfio-pci");
	let_ask(f);
	assert_answer(f, "64 ");
}

/* Peers and what they ask for are bounded: one that has too many is told, one too much is not let
 * in. */
static void test_cannot_fill_memory(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", plug_npu);
	g_autoptr(GString) much = g_string_new(NULL);
	int peers[80];
	char byte;

	serve(f);
	for (guint i = 0; i < G_N_ELEMENTS(peers); i++) {
		peers[i] = connect_to(f);
		fcntl(peers[i], F_SETFL, O_NONBLOCK);
	}
	vm_fixture_settle(f->vm);
	while (read(peers[0], &byte, 1) == 1)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(read(peers[79], &byte, 1), 0);
	for (guint i = 0; i < 300; i++)
		g_string_append_printf(much, "{\"execute\": \"stop\", \"id\": %u}\n", i);
	say(f, peers[0], much->str);
	assert_int_equal(f->vm->session->stops->len, 256);
	g_autofree char *text = hear(peers[0]);
	assert_non_null(
		strstr(text, "\"desc\":\"256 requests are not answered yet\"},\"id\":256}"));
	for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
		close(peers[i]);
	hvr_session_stopped(f->vm->session, NULL);
}

static gboolean on_idle(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

/* A QEMU that never stops talking: all else that the supervisor does still happens. */
static void test_flood(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card", stop_vm);
	gboolean idle = FALSE;
	int ends[2], own = dup(STDERR_FILENO);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t flooder = fork();
	if (flooder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (write(ends[1], "x\n", 2) == 2)
			;
		_exit(1);
	}
	g_auto(HvrFd) null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null, STDERR_FILENO);
	HvrQemuOutput *output = hvr_qemu_output_new(ends[0], "qemu");
	serve(f);
	g_idle_add(on_idle, &idle);
	let_ask(f);
	assert_true(qmp_peer_wait_for(f->vm->peer, "system_powerdown", 1));
	for (guint i = 0; i < 1000 && !idle; i++)
		g_main_context_iteration(NULL, FALSE);
	dup2(own, STDERR_FILENO);
	close(own);
	hvr_qemu_output_free(output);
	close(ends[1]);
	kill(flooder, SIGKILL);
	waitpid(flooder, NULL, 0);
	assert_true(idle);
	vm_fixture_kill_qemu(f->vm);
	hvr_session_stopped(f->vm->session, NULL);
	assert_answer(f, "0 done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unplug),	    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stop),	    cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_nobody),	    cmocka_unit_test(test_ids),
		cmocka_unit_test(test_hanging),	    cmocka_unit_test(test_gone),
		cmocka_unit_test(test_ends_first),  cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_no_stand_in), cmocka_unit_test(test_cannot_fill_memory),
		cmocka_unit_test(test_flood),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
