/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of root, as the kernel shows it: each child drops its privileges and reads its own
 * /proc/self/status.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/privileges.h"
#include "tests/fake/fake-files.h"

#define NO_CAPABILITY "0000000000000000"

/* The value of a line of /proc/self/status, with single blanks. [transfer full] */
static char *status_of(const char *key)
{
	g_autofree char *text = NULL;
	g_autofree char *prefix = g_strconcat(key, ":\t", NULL);

	g_file_get_contents("/proc/self/status", &text, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++)
		if (g_str_has_prefix(lines[i], prefix))
			return g_strstrip(
				g_strdelimit(g_strdup(lines[i] + strlen(prefix)), "\t", ' '));
	return g_strdup("(none)");
}

static void expect(GString *wrong, const char *key, const char *wanted)
{
	g_autofree char *seen = status_of(key);

	if (strcmp(seen, wanted) != 0)
		g_string_append_printf(wrong, "%s is '%s', not '%s'; ", key, seen, wanted);
}

static void expect_id(GString *wrong, const char *key, guint id)
{
	g_autofree char *wanted = g_strdup_printf("%u %u %u %u", id, id, id, id);

	expect(wrong, key, wanted);
}

/* As the kernel lists them: in order. */
static char *list_groups(const HvrIdentity *identity)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < identity->n_groups; i++)
		g_string_append_printf(text, "%u ", identity->groups[i]);
	if (identity->has_group)
		g_string_append_printf(text, "%u", identity->group);
	return g_strdup(g_strchomp(text->str));
}

/* What is not as it must be, once the identity is taken. [transfer full] */
static char *drop_and_look(const HvrIdentity *identity)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	GString *wrong = g_string_new(NULL);
	g_autofree char *groups = list_groups(identity);
	const char *failed = hvr_privileges_drop(identity);

	if (failed)
		g_string_append_printf(wrong, "%s: %s; ", failed, g_strerror(errno));
	expect_id(wrong, "Uid", identity->uid);
	expect_id(wrong, "Gid", identity->gid);
	expect(wrong, "Groups", groups);
	expect(wrong, "NoNewPrivs", "1");
	for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
		expect(wrong, sets[i], NO_CAPABILITY);
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		g_string_append(wrong, "root can be had back; ");
	if (setgroups(0, NULL) == 0)
		g_string_append(wrong, "groups can still be set; ");
	return g_string_free(wrong, FALSE);
}

static void assert_dropped(const HvrIdentity *identity)
{
	char text[4096] = "";
	int pipes[2], status = 0;

	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const gid_t many[] = { 0, 1, 2, 3 };
		if (setgroups(G_N_ELEMENTS(many), many) < 0)
			_exit(2);
		g_autofree char *wrong = drop_and_look(identity);
		_exit(write(pipes[1], wrong, strlen(wrong)) != (ssize_t)strlen(wrong));
	}
	close(pipes[1]);
	ssize_t length = read(pipes[0], text, sizeof(text) - 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pipes[0]);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (length != 0)
		fail_msg("%s", text);
}

/* All ids are the user's, no group but those that were asked for, no capability anywhere. */
static void test_drop(void **state)
{
	const gid_t groups[] = { 40, 50 };
	const HvrIdentity cases[] = {
		{ .uid = 1234, .gid = 2345, .groups = groups, .n_groups = 2 },
		{ .uid = 1234,
		  .gid = 2345,
		  .groups = groups,
		  .n_groups = 2,
		  .group = 60,
		  .has_group = TRUE },
		{ .uid = 65534, .gid = 65534 },
		{ .uid = 1234, .gid = 2345 },
		{ .uid = 1234, .gid = 2345, .group = 36, .has_group = TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_dropped(&cases[i]);
}

/* Who is nobody already loses what may be left, and gains nothing. */
static void test_drop_plain(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const HvrIdentity identity = { .uid = 1234, .gid = 2345 };
		if (setgroups(0, NULL) < 0 || setresgid(2345, 2345, 2345) < 0 ||
		    setresuid(1234, 1234, 1234) < 0)
			_exit(2);
		if (hvr_privileges_drop(&identity))
			_exit(3);
		g_autofree char *effective = status_of("CapEff");
		g_autofree char *permitted = status_of("CapPrm");
		g_autofree char *no_new = status_of("NoNewPrivs");
		_exit(strcmp(effective, NO_CAPABILITY) || strcmp(permitted, NO_CAPABILITY) ||
		      strcmp(no_new, "1"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whoever contains this process may refuse it capget(2): as seccomp does here. */
static gboolean refuse_capget(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capget, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = G_N_ELEMENTS(rules), .filter = rules };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What cannot be looked at is not taken to be as it should be: by us, or by a libcap-ng that looks
 * itself (0.8.5). */
static void test_drop_unseen(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const HvrIdentity identity = { .uid = 1234, .gid = 2345 };
		if (capng_get_caps_process() != 0 || !refuse_capget())
			_exit(2);
		_exit(!hvr_privileges_drop(&identity));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What libcap-ng remembers from before says nothing of now: the limit is told. */
static void test_memlock_unseen(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit limit = { .rlim_cur = 65536, .rlim_max = 65536 };
		capng_clear(CAPNG_SELECT_CAPS);
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, CAP_SYS_RESOURCE);
		if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || !refuse_capget())
			_exit(2);
		_exit(hvr_privileges_memlock_max() != 65536);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The kernel's answer, as that user: by owner, by group, by the folders on the way. */
static void test_can_access(void **state)
{
	const HvrIdentity nobody = { .uid = 1234, .gid = 2345 };
	const HvrIdentity member = { .uid = 1234, .gid = 2345, .group = 36, .has_group = TRUE };
	const gid_t groups[] = { 35, 36 };
	const HvrIdentity login = { .uid = 1234, .gid = 2345, .groups = groups, .n_groups = 2 };
	g_autofree char *folder = g_dir_make_tmp("hvr-access-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "file", NULL);

	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, file, O_RDONLY), ENOENT);
	assert_true(g_file_set_contents(file, "x", 1, NULL));
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, file, O_RDONLY), EACCES);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, file, O_RDONLY), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, file, O_RDWR), EACCES);
	assert_int_equal(chown(file, 0, 36), 0);
	assert_int_equal(chmod(file, 0660), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, file, O_RDWR), EACCES);
	assert_int_equal(hvr_privileges_can_access(&member, file, O_RDWR), 0);
	assert_int_equal(hvr_privileges_can_access(&login, file, O_RDWR), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(hvr_privileges_can_access(&member, file, O_RDWR), EACCES);
	assert_int_equal(geteuid(), 0);
	fake_files_end(folder);
}

/* A pipe that nobody writes to is no reason to wait. */
static void test_can_access_fifo(void **state)
{
	const HvrIdentity nobody = { .uid = 1234, .gid = 2345 };
	g_autofree char *folder = g_dir_make_tmp("hvr-access-XXXXXX", NULL);
	g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);

	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	assert_int_equal(chmod(fifo, 0644), 0);
	assert_int_equal(hvr_privileges_can_access(&nobody, fifo, O_RDONLY), 0);
	fake_files_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),	    cmocka_unit_test(test_drop_plain),
		cmocka_unit_test(test_drop_unseen), cmocka_unit_test(test_memlock_unseen),
		cmocka_unit_test(test_can_access),  cmocka_unit_test(test_can_access_fifo),
	};

	if (geteuid() != 0) /* there is nothing to drop */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
