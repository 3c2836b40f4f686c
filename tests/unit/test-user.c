/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom root becomes for a VM, where the host's users are those of a passwd(5) of the test's own.
 *
 * Its own program, since without root it is skipped as a whole.
 */
#include <glib/gstdio.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/user.h"

#define SKIP   77
#define PASSWD "/etc/passwd"
#define USERS                                                                                      \
	"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nann:x:1234:1234::/:/bin/sh\n"
#define OURS "hailo-vm:x:998:997::/:/usr/sbin/nologin\n"

/* For this process alone */
static void set_users(const char *users)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "hvr-user-XXXXXX", NULL);
	int fd = g_mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_true(g_file_set_contents(path, users, -1, NULL));
	umount2(PASSWD, MNT_DETACH);
	assert_int_equal(mount(path, PASSWD, NULL, MS_BIND, NULL), 0);
	assert_int_equal(g_unlink(path), 0);
}

static void assert_user(const char *wanted, const char *name, uid_t uid, gboolean shared)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrUser) user = hvr_user_find(wanted, TRUE, &error);

	if (error)
		fail_msg("%s", error->message);
	assert_string_equal(user->name, name);
	assert_int_equal(user->uid, uid);
	assert_int_equal(user->shared, shared);
}

/* The profile's word, then who called sudo, then the system user of our own. */
static void test_default_user_is_ours(void **state)
{
	set_users(USERS OURS);
	assert_user(NULL, "hailo-vm", 998, FALSE);
	assert_user("ann", "ann", 1234, FALSE);
	g_setenv("SUDO_UID", "1234", TRUE);
	assert_user(NULL, "ann", 1234, FALSE);
	assert_user("hailo-vm", "hailo-vm", 998, FALSE);
	g_unsetenv("SUDO_UID");
}

/* Also where the profile asks for it. */
static void test_nobody_is_shared(void **state)
{
	set_users(USERS);
	assert_user(NULL, "nobody", 65534, TRUE);
	assert_user("nobody", "nobody", 65534, TRUE);
	g_setenv("SUDO_UID", "77", TRUE);
	assert_user(NULL, "nobody", 65534, TRUE);
	g_unsetenv("SUDO_UID");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_default_user_is_ours),
					    cmocka_unit_test(test_nobody_is_shared) };

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("skipped: it takes root\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
