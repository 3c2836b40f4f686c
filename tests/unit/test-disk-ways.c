/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host refuses of [disk NAME] cache and aio, each in a process that is refused it: by a
 * seccomp filter, as a container has one, or on a file system without O_DIRECT.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/disk-aio.h"
#include "launcher/parts/disk-image.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"

#define NOBODY 65534

/* The child's status where the machine does not let a test be made. */
#define SKIPPED 77

static const HvrContext context = { .host = { .root = -1 }, .runtime = -1, .runtime_parent = -1 };

static HvrUser vm_user(void)
{
	gboolean root = geteuid() == 0;

	return (HvrUser){ .privileged = root,
			  .name = (char *)"lab",
			  .uid = root ? NOBODY : geteuid(),
			  .gid = root ? NOBODY : getegid() };
}

static HvrProfile *parse(const char *folder, const char *disks)
{
	g_autofree char *file = g_build_filename(folder, "lab.ini", NULL);
	g_autofree char *text = g_strconcat("[vm]\nmemory = 64M\n", disks, NULL);
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, NULL);

	assert_non_null(profile);
	return profile;
}

/* This process's calls of @number fail from now on. */
static gboolean refuse(guint32 number, guint32 problem)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | problem),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = G_N_ELEMENTS(rules), .filter = rules };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Is what the child was told @message, or with NULL nothing? */
static int compare(const GError *error, const char *message)
{
	if (!error && !message)
		return 0;
	if (error && message && g_str_equal(error->message, message))
		return 0;
	fprintf(stderr, "the message is \"%s\"\n", error ? error->message : "(none)");
	return 1;
}

static void assert_child(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

typedef struct {
	guint32 number; /* of the system call that is refused */
	guint32 problem;
	const char *disks;
	const char *message; /* NULL: all is well */
} Refused;

#define DISK(name) "[disk " name "]\nfile = " name "\n"

static const Refused refused[] = {
	{ SYS_io_uring_setup, EPERM, DISK("a") DISK("b") "aio = io_uring\n",
	  "[disk b] aio: the kernel gives user lab no io_uring: Operation not permitted\n"
	  "sysctl kernel.io_uring_disabled forbids it, or the container that this runs in: set "
	  "aio = threads" },
	{ SYS_io_uring_setup, ENOSYS, DISK("a") "aio = io_uring\niothread = yes\n",
	  "[disk a] aio: the kernel gives user lab no io_uring: Function not implemented\n"
	  "set aio = threads" },
	{ SYS_io_setup, EAGAIN, DISK("a") "cache = none\naio = native\n",
	  "[disk a] aio: the kernel gives user lab no native AIO: Resource temporarily "
	  "unavailable\nall of sysctl fs.aio-max-nr is in use: raise that, or set aio = threads" },
	{ SYS_io_uring_setup, EPERM, DISK("a") "cache = none\naio = native\n", NULL },
	{ SYS_io_setup, EPERM, DISK("a") "aio = threads\n", NULL },
};

static void test_refused(void **state)
{
	const Refused *r = *state;
	pid_t pid = fork();

	if (pid == 0) {
		HvrUser user = vm_user();
		const HvrParts parts = { .user = &user };
		g_autoptr(HvrProfile) profile = parse("/x", r->disks);
		g_autoptr(GError) error = NULL;

		if (!refuse(r->number, r->problem))
			_exit(2);
		if (!hvr_disk_aio_check(&context, profile, &parts, &error) != !!r->message)
			_exit(3);
		_exit(compare(error, r->message));
	}
	assert_child(pid);
}

/* As fs.aio-nr grows by, in units of 1024, with QEMU 7.2 and a guest that reads each disk. */
static void test_count(void **state)
{
#define NATIVE(name) DISK(name) "cache = none\naio = native\n"
	static const struct {
		const char *disks;
		guint native, uring;
	} cases[] = {
		{ DISK("a"), 0, 0 },
		{ NATIVE("a"), 1, 0 },
		{ NATIVE("a") NATIVE("b"), 1, 0 },
		{ NATIVE("a") "iothread = yes\n", 2, 0 },
		{ NATIVE("a") "iothread = yes\n" NATIVE("b"), 2, 0 },
		{ NATIVE("a") "iothread = yes\n" NATIVE("b") "iothread = yes\n", 3, 0 },
		{ NATIVE("a") DISK("b") "iothread = yes\n", 1, 0 },
		{ NATIVE("a") DISK("b") "aio = io_uring\niothread = yes\n", 1, 2 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = parse("/x", cases[i].disks);

		assert_int_equal(hvr_disk_aio_count(profile, HVR_AIO_NATIVE), cases[i].native);
		assert_int_equal(hvr_disk_aio_count(profile, HVR_AIO_IO_URING), cases[i].uring);
	}
}

/* What is tried is let go: the host has as much afterwards. */
static void test_let_go(void **state)
{
	static const char count[] = "/proc/sys/fs/aio-nr";
	HvrUser user = vm_user();
	const HvrParts parts = { .user = &user };
	g_autoptr(HvrProfile) profile =
		parse("/x", DISK("a") "cache = none\naio = native\niothread = yes\n" DISK(
				    "b") "cache = none\naio = native\n");
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	/* also where nobody else does it */
	user.privileged = FALSE;
	if (!g_file_get_contents(count, &before, NULL, NULL))
		skip();
	assert_true(hvr_disk_aio_check(&context, profile, &parts, NULL));
	assert_true(g_file_get_contents(count, &after, NULL, NULL));
	assert_string_equal(before, after);
}

/* A file system in memory that is none for O_DIRECT, where nobody else sees it. */
static gboolean mount_ramfs(const char *folder, const HvrUser *user)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", folder, "ramfs", 0, NULL) == 0 &&
	       chown(folder, user->uid, user->gid) == 0;
}

static int ask_for_new(const char *folder, const char *key, gboolean refused_there)
{
	HvrUser user = vm_user();
	const HvrParts parts = { .user = &user };
	g_autofree char *disks =
		g_strdup_printf("[disk a]\nfile = a.raw\nformat = raw\nsize = 1M\n%s", key);
	g_autoptr(HvrProfile) profile = parse(folder, disks);
	g_autofree char *message = g_strdup_printf(
		"[disk a] cache: '%s/a.raw' is on a file system that has no way around the "
		"host's cache (O_DIRECT)\nset cache = writeback, writethrough or unsafe, or put "
		"the image on another file system, such as ext4 or xfs",
		folder);
	g_autoptr(GError) error = NULL;

	if (hvr_disk_images_check(&context, profile, &parts, &error) == refused_there)
		return 4;
	return compare(error, refused_there ? message : NULL);
}

/* An image that is yet to be made: its folder is asked, and stays empty. */
static void test_new_image(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("hvr-ways-XXXXXX", NULL);
	pid_t pid = fork();

	if (pid == 0) {
		HvrUser user = vm_user();

		if (!mount_ramfs(folder, &user))
			_exit(SKIPPED);
		int status = ask_for_new(folder, "cache = none\n", TRUE);
		if (!status)
			status = ask_for_new(folder, "cache = unsafe\n", FALSE);
		g_autoptr(GDir) left = g_dir_open(folder, 0, NULL);
		_exit(status ? status : g_dir_read_name(left) != NULL);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_files_end(folder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_let_go),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_new_image),
	};
	struct CMUnitTest tests[G_N_ELEMENTS(refused) + G_N_ELEMENTS(others)] = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		tests[i].name = refused[i].message ? refused[i].message : "not asked";
		tests[i].test_func = test_refused;
		tests[i].initial_state = (void *)&refused[i];
	}
	memcpy(&tests[G_N_ELEMENTS(refused)], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
