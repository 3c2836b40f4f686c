/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen's socket, or port: who may connect is handed to QEMU, nobody else is, and a viewer
 * that QEMU does not take is hung up on.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/ports.h"
#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/handover.h"
#include "launcher/runtime/runtime.h"
#include "launcher/session/screen.h"
#include "qmp/connect.h"
#include "tests/unit/session-fixture.h"
#include "vfio/fd.h"

#define NOBODY 65534

static const char vnc[] = "[vm]\nmemory = 1G\n[graphics]\nmode = vnc\n";

typedef struct {
	VmFixture *vm;
	HvrProfile *profile;
	const HvrProfile *before;
	HvrScreen *screen;
} Fixture;

/* What the launcher makes for it before QEMU is there. */
static int listening(VmFixture *vm, const HvrProfile *profile)
{
	const char *name = hvr_handover_screen_name(profile);
	const HvrUser nobody = { .uid = NOBODY, .gid = NOBODY, .privileged = TRUE };
	HvrPorts ports;

	if (name)
		return hvr_runtime_listen(vm->session->folder, name, NULL);
	assert_true(hvr_ports_take(&vm->context, profile, &nobody, &ports, NULL));
	int fd = g_steal_fd(&ports.screen);
	hvr_ports_clear(&ports);
	return fd;
}

static Fixture fixture_new(const char *text)
{
	Fixture f = { .vm = vm_fixture_new("card"),
		      .profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL) };

	assert_non_null(f.profile);
	f.before = f.vm->session->profile;
	f.vm->session->profile = f.profile;
	f.screen = hvr_screen_new(f.vm->session, listening(f.vm, f.profile));
	return f;
}

static void fixture_clear(Fixture *f)
{
	hvr_screen_free(f->screen);
	f->vm->session->profile = f->before;
	vm_fixture_free(f->vm);
	hvr_profile_free(f->profile);
}

/* From 5900 up, as [graphics] takes it */
static guint16 free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

static int view(const Fixture *f)
{
	g_autoptr(GError) error = NULL;
	int fd = hvr_qmp_connect(f->vm->session->folder, HVR_VM_VNC, &error);

	if (fd < 0)
		fail_msg("%s", error->message);
	return fd;
}

/* QEMU gets the viewer's connection itself, and is told what it is for. */
static void test_handed_over(void **state)
{
	Fixture f = fixture_new(vnc);
	g_auto(HvrFd) viewer = view(&f);
	char word[4] = "";

	qmp_peer_returns(f.vm->peer, "getfd", "{}");
	qmp_peer_returns(f.vm->peer, "add_client", "{}");
	assert_true(qmp_peer_wait_for(f.vm->peer, "add_client", 1));
	assert_non_null(strstr(qmp_peer_last_line(f.vm->peer), "\"protocol\":\"vnc\""));
	assert_non_null(strstr(qmp_peer_last_line(f.vm->peer), "\"fdname\":\"hvr-viewer-1\""));
	g_auto(HvrFd) theirs = qmp_peer_take_fd(f.vm->peer);
	assert_true(theirs >= 0);
	assert_int_equal(write(theirs, "RFB", 3), 3);
	assert_int_equal(read(viewer, word, 3), 3);
	assert_string_equal(word, "RFB");
	fixture_clear(&f);
}

static void test_refused(void **state)
{
	Fixture f = fixture_new(vnc);
	g_auto(HvrFd) viewer = view(&f);
	char byte;

	qmp_peer_returns(f.vm->peer, "getfd", "{}");
	qmp_peer_fails(f.vm->peer, "add_client", "GenericError", "no screen");
	assert_true(qmp_peer_wait_for(f.vm->peer, "add_client", 1));
	vm_fixture_settle(f.vm);
	hvr_fd_close(qmp_peer_take_fd(f.vm->peer)); /* as QEMU does */
	assert_int_equal(read(viewer, &byte, 1), 0);
	fixture_clear(&f);
}

/* Neither by its own mode nor by that of the folder can another user connect. */
static void test_closed_to_other_users(void **state)
{
	Fixture f = fixture_new(vnc);
	g_autofree char *path = hvr_fd_path(f.vm->session->folder, HVR_VM_VNC);
	struct stat st;
	int status = 0;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(2);
		_exit(hvr_qmp_connect(f.vm->session->folder, HVR_VM_VNC, NULL) >= 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_clear(&f);
}

/* By a port it is the same. */
static void test_handed_over_from_port(void **state)
{
	guint16 port = free_port();
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 1G\n[graphics]\nmode = spice\nport = %u\n", port);
	Fixture f = fixture_new(text);
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	g_auto(HvrFd) viewer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char word[4] = "";

	assert_non_null(f.screen);
	assert_int_equal(connect(viewer, (const struct sockaddr *)&address, sizeof(address)), 0);
	qmp_peer_returns(f.vm->peer, "getfd", "{}");
	qmp_peer_returns(f.vm->peer, "add_client", "{}");
	assert_true(qmp_peer_wait_for(f.vm->peer, "add_client", 1));
	assert_non_null(strstr(qmp_peer_last_line(f.vm->peer), "\"protocol\":\"spice\""));
	g_auto(HvrFd) theirs = qmp_peer_take_fd(f.vm->peer);
	assert_int_equal(write(theirs, "red", 3), 3);
	assert_int_equal(read(viewer, word, 3), 3);
	assert_string_equal(word, "red");
	fixture_clear(&f);
}

static void test_none(void **state)
{
	Fixture f = fixture_new("[vm]\nmemory = 1G\n");

	assert_null(f.screen);
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_closed_to_other_users),
		cmocka_unit_test(test_handed_over_from_port),
		cmocka_unit_test(test_none),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
