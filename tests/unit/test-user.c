/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom root becomes for a VM, where the host's users and groups are those of a passwd(5) and a
 * group(5) of the test's own.
 *
 * Its own program, since without root it is skipped as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/open.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define SKIP   77
#define PASSWD "/etc/passwd"
#define USERS                                                                                      \
	"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nann:x:1234:1234::/:/bin/sh\n"
#define OURS "hailo-vm:x:998:997::/:/usr/sbin/nologin\n"

/* For this process alone */
static void set_file(const char *file, const char *text)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "hvr-user-XXXXXX", NULL);
	int fd = g_mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	umount2(file, MNT_DETACH);
	assert_int_equal(mount(path, file, NULL, MS_BIND, NULL), 0);
	assert_int_equal(g_unlink(path), 0);
}

static void set_users(const char *users)
{
	set_file(PASSWD, users);
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

/* other-user-by-sudo: who may have root run this program for them becomes nobody else by it. */
static void test_other_user_by_sudo(void **state)
{
	static const char *const others[] = { "root", "bob" };

	set_users(USERS OURS "bob:x:1235:1235::/:/bin/sh\n");
	assert_user("bob", "bob", 1235, FALSE);
	g_setenv("SUDO_UID", "1234", TRUE);
	assert_user("ann", "ann", 1234, FALSE);
	assert_user("nobody", "nobody", 65534, TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(HvrUser) user = hvr_user_find(others[i], TRUE, &error);
		assert_null(user);
		assert_int_equal(hvr_exit_status(error), 77);
		assert_non_null(strstr(error->message, "by sudo QEMU runs as ann, hailo-vm"));
	}
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

#define GROUPS                                                                                     \
	"root:x:0:ann\nwheely:x:70:ann\nwheel:x:71:ann\ndisk:x:6:ann\ndocker:x:72:ann\n"           \
	"toor:x:0:ann\nkvm:x:73:ann\nlab:x:74:bob,ann\nhailo-vm:x:75:ann\nother:x:76:bob\n"        \
	"ann:x:1234:\n"

/* Those of the login, in the order of group(5), and none that is as good as root. */
static void test_groups_of_login(void **state)
{
	static const gid_t wanted[] = { 70, 73, 74 };
	static const gid_t kept_back[] = { 0, 71, 6, 72, 75 };
	g_autoptr(HvrUser) user = NULL;
	const char *name = NULL;

	set_users(USERS OURS);
	set_file("/etc/group", GROUPS);
	user = hvr_user_find("ann", TRUE, NULL);
	HvrIdentity identity = hvr_user_identity(user);
	assert_int_equal(identity.n_groups, G_N_ELEMENTS(wanted));
	assert_memory_equal(identity.groups, wanted, sizeof(wanted));
	for (gsize i = 0; i < G_N_ELEMENTS(kept_back); i++)
		assert_true(hvr_group_is_withheld(kept_back[i], &name));
	assert_string_equal(name, "hailo-vm");
	assert_false(hvr_group_is_withheld(74, NULL));
	assert_false(hvr_group_is_withheld(12345, NULL));

	g_setenv("SUDO_UID", "1234", TRUE);
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_unsetenv("SUDO_UID");
	assert_int_equal(caller->n_groups, G_N_ELEMENTS(wanted));
	g_autoptr(HvrUser) plain = hvr_user_find(NULL, FALSE, NULL);
	assert_int_equal(plain->n_groups, 0);
}

/* The manual promises which those are. */
static void test_manual_keeps_its_word(void **state)
{
	static const char before[] = "what is not a VM's: ";
	g_autoptr(GString) groups = g_string_new("root:x:0:\n");
	g_autofree char *manual = NULL;

	assert_true(g_file_get_contents(SOURCE_ROOT "/docs/man/hailo-vm-run.1.scd", &manual, NULL,
					NULL));
	g_strdelimit(manual, "\n", ' ');
	char *list = strstr(manual, before);
	assert_non_null(list);
	list += strlen(before);
	list[strcspn(list, ".")] = '\0';
	g_auto(GStrv) both = g_strsplit(list, " and ", 2);
	g_autofree char *all = g_strjoinv(", ", both);
	g_auto(GStrv) names = g_strsplit(all, ", ", -1);
	assert_true(g_strv_length(names) > 20);
	for (guint i = 0; names[i]; i++)
		g_string_append_printf(groups, "%s:x:%u:\n", names[i], 2000 + i);
	set_file("/etc/group", groups->str);
	for (guint i = 0; names[i]; i++)
		if (!hvr_group_is_withheld(2000 + i, NULL))
			fail_msg("%s is not kept back", names[i]);
	assert_true(hvr_group_is_withheld(0, NULL));
}

static int open_as(const HvrUser *user, const char *path)
{
	HvrOpen wanted = { .path = path, .how = HVR_OPEN_READ };

	hvr_open(user, &wanted, 1);
	hvr_fd_close(wanted.fd);
	return wanted.problem;
}

/* What is done as the user is done with those groups, whoever does it. */
static void test_groups_open(void **state)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "hvr-lab-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	g_autoptr(HvrUser) user = NULL;

	set_users(USERS OURS);
	set_file("/etc/group", GROUPS);
	user = hvr_user_find("ann", TRUE, NULL);
	HvrIdentity identity = hvr_user_identity(user);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(fchown(fd, 0, 74), 0);
	assert_int_equal(open_as(user, path), 0);
	assert_int_equal(hvr_privileges_can_access(&identity, path, O_RDONLY), 0);
	assert_int_equal(hvr_privileges_can_access(&identity, path, O_RDWR), EACCES);
	assert_int_equal(fchown(fd, 0, 6), 0);
	assert_int_equal(open_as(user, path), EACCES);
	assert_int_equal(hvr_privileges_can_access(&identity, path, O_RDONLY), EACCES);
	assert_int_equal(g_unlink(path), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_default_user_is_ours),
					    cmocka_unit_test(test_other_user_by_sudo),
					    cmocka_unit_test(test_nobody_is_shared),
					    cmocka_unit_test(test_groups_of_login),
					    cmocka_unit_test(test_groups_open),
					    cmocka_unit_test(test_manual_keeps_its_word) };

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("skipped: it takes root\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
