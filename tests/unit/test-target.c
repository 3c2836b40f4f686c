/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup --target runs programs of a system that somebody else has made. Here they are hostile
 * (attacker.c), and played as root: what they get at is what they would get at.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/setup/confine.h"
#include "launcher/setup/program.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define PROGRAM "usr/sbin/update-initramfs"

typedef struct {
	char *top;  /* this host's, with a secret in it */
	char *root; /* the image's */
	int target;
} Fixture;

static const char *const folders[] = { "dev", "proc", "run", "sys", "usr/sbin" };

/* What a program of ours asks for to be loaded by. */
static const char *const loaders[] = { "lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1" };

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *program = NULL;
	gsize length;

	f->top = g_dir_make_tmp("hvr-target-XXXXXX", NULL);
	f->root = g_build_filename(f->top, "image", NULL);
	fake_files_write(f->top, "secret", "of the host\n", 0600);
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
		fake_files_make_folder(f->root, folders[i]);
	assert_true(g_file_get_contents(ATTACKER, &program, &length, NULL));
	fake_files_write_bytes(f->root, PROGRAM, program, length, 0755);
	f->target = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	close(f->target);
	fake_files_end(f->top);
	g_free(f->root);
	g_free(f->top);
	g_free(f);
	return 0;
}

static gboolean run(const Fixture *f, GError **error, const char *const *words)
{
	return hvr_setup_runner.run(f->target, HVR_SETUP_CONFINED, (char **)words, error);
}

/* A listening socket, which holds @address until it is closed. */
static int listen_at(struct sockaddr *address, socklen_t length)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, address, length), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, address, &length), 0);
	return fd;
}

static void target_program_cannot_reach_the_host(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strdup_printf("hvr-target-%d", (int)getpid());
	g_autofree char *secret = g_build_filename(f->top, "secret", NULL);
	g_autofree char *planted = g_build_filename(f->root, "planted", NULL);
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	struct sockaddr_un abstract = { .sun_family = AF_UNIX };
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	strcpy(abstract.sun_path + 1, name);
	g_auto(HvrFd) local =
		listen_at((struct sockaddr *)&abstract,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)));
	g_auto(HvrFd) inet = listen_at((struct sockaddr *)&loopback, sizeof(loopback));
	g_auto(HvrFd) inherited = dup(f->target); /* not close-on-exec */
	g_autofree char *port = g_strdup_printf("%d", ntohs(loopback.sin_port));
	const char *words[] = { "update-initramfs", "attack", secret, pid, name, port, NULL };

	assert_int_equal(mknod(planted, S_IFCHR | 0666, makedev(1, 3)), 0);
	g_setenv("HVR_SECRET", "token", TRUE);
	if (!run(f, &error, words))
		fail_msg("%s", error->message);
	g_unsetenv("HVR_SECRET");
	g_autofree char *escapes = fake_files_read(f->root, "escapes");
	assert_string_equal(escapes, "ran");
}

static gboolean is_held(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->root, "held", NULL);
	g_auto(HvrFd) fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static void target_leaves_no_daemon(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	const char *words[] = { "update-initramfs", "daemon", NULL };

	assert_true(run(f, &error, words));
	assert_false(is_held(f));
}

static void target_deadline_kills_all(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	const char *words[] = { "/" PROGRAM, "forever", NULL };
	const char *environment[] = { NULL };
	const HvrConfined confined = {
		.target = f->target, .argv = words, .environment = environment, .timeout_ms = 1000
	};

	assert_false(hvr_confine_run(&confined, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_false(is_held(f));
}

/* What executes a program of the image is this program, for a moment: not as one more of its
 * interpreters, with libraries of the image. */
static void target_script_is_not_run_by_us(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	const char *words[] = { "update-initramfs", NULL };
	g_autofree char *proc = g_build_filename(f->root, "proc", NULL);
	g_autofree char *program = NULL;
	gsize length;

	assert_int_equal(mount("proc", proc, "proc", 0, NULL), 0); /* as for chroot(8) */
	assert_true(g_file_get_contents(ATTACKER, &program, &length, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(loaders); i++)
		fake_files_write_bytes(f->root, loaders[i], program, length, 0755);
	fake_files_write(f->root, PROGRAM, "#!/proc/self/exe\n", 0755);
	gboolean ran = run(f, &error, words);
	assert_int_equal(umount2(proc, MNT_DETACH), 0);
	assert_false(ran);
	assert_false(fake_files_exist(f->root, "escapes"));
	assert_non_null(strstr(error->message, "failed: No such file or directory"));
}

static void target_links_lead_to_no_program_of_the_host(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	const char *words[] = { "update-initramfs", NULL };

	fake_files_remove(f->root, "usr");
	fake_files_link_text(f->root, "usr", "/usr");
	fake_files_make_folder(f->root, "bin");
	fake_files_link_text(f->root, "bin/update-initramfs", "/bin/true");
	assert_false(run(f, &error, words));
	assert_non_null(error);
}

static void target_without_its_folders_is_left(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	const char *words[] = { "update-initramfs", "daemon", NULL };

	fake_files_remove(f->root, "sys");
	assert_false(run(f, &error, words));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION));
	assert_non_null(strstr(error->message, "cannot be confined here: mounting /sys"));
	assert_false(fake_files_exist(f->root, "escapes"));
}

/* Where it comes to nothing: no root, or a container that gives no namespaces. */
static const char *why_not(void)
{
	g_autofree char *path = g_dir_make_tmp("hvr-target-XXXXXX", NULL);
	g_auto(HvrFd) target = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *words[] = { "/none", NULL };
	const HvrConfined confined = {
		.target = target, .argv = words, .environment = words + 1, .timeout_ms = 10000
	};
	g_autoptr(GError) error = NULL;
	const char *problem = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
		fake_files_make_folder(path, folders[i]);
	if (!hvr_confine_run(&confined, &error) &&
	    g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION))
		problem = g_intern_string(error->message);
	fake_files_end(path);
	return problem;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(target_program_cannot_reach_the_host),
		TEST(target_leaves_no_daemon),
		TEST(target_deadline_kills_all),
		TEST(target_script_is_not_run_by_us),
		TEST(target_links_lead_to_no_program_of_the_host),
		TEST(target_without_its_folders_is_left),
	};
	const char *problem = why_not();

	if (problem) {
		printf("skipped: %s\n", problem);
		return 77;
	}
	/* What a test mounts is gone with it. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
