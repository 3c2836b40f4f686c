/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen's socket: who may enter the runtime folder is handed to QEMU, nobody else is, and a
 * viewer that QEMU does not take is hung up on.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
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

static Fixture fixture_new(const char *text)
{
	Fixture f = { .vm = vm_fixture_new("card"),
		      .profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL) };

	assert_non_null(f.profile);
	f.before = f.vm->session->profile;
	f.vm->session->profile = f.profile;
	f.screen = hvr_screen_new(f.vm->session);
	return f;
}

static void fixture_clear(Fixture *f)
{
	hvr_screen_free(f->screen);
	f->vm->session->profile = f->before;
	vm_fixture_free(f->vm);
	hvr_profile_free(f->profile);
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

/* A port is asked for by number; without a screen there is nothing. */
static void test_none(void **state)
{
	static const char *const texts[] = {
		"[vm]\nmemory = 1G\n",
		"[vm]\nmemory = 1G\n[graphics]\nmode = vnc\nport = 5901\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		Fixture f = fixture_new(texts[i]);
		assert_null(f.screen);
		fixture_clear(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_closed_to_other_users),
		cmocka_unit_test(test_none),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
