/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way a folder of the host goes to the guest, and the life of what serves it. The virtiofsds
 * here are scripts; test-virtiofs.c has the real one.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/parts.h"
#include "launcher/parts/server.h"
#include "launcher/parts/share.h"
#include "launcher/parts/virtiofsd.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define NOBODY 65534

typedef struct {
	char *folder; /* of descriptors, programs and shares */
	const char *folders[2];
	HvrUser user;
	HvrParts parts;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-share-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	f->folders[0] = f->folder;
	f->parts.user = &f->user;
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	f->user.name = (char *)"nobody";
	f->context.vhost_user_folders = f->folders;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->folder);
	g_clear_pointer(&f->parts.share_ways, g_ptr_array_unref);
	g_free(f->folder);
	g_free(f);
	return 0;
}

static char *put(const Fixture *f, const char *name, const char *text, int mode)
{
	char *path = g_build_filename(f->folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(g_chmod(path, mode), 0);
	return path;
}

static void put_descriptor(const Fixture *f, const char *name, const char *type, const char *binary)
{
	g_autofree char *text =
		g_strdup_printf("{\"type\":\"%s\",\"binary\":\"%s\"}", type, binary);
	g_autofree char *file = g_strconcat(name, ".json", NULL);
	g_autofree char *path = put(f, file, text, 0644);
}

/* A virtiofsd of that name, described, whose inside is @script. [transfer full]: its path */
static char *put_program(const Fixture *f, const char *name, const char *script)
{
	g_autofree char *text = g_strconcat("#!/bin/sh\n", script, "\n", NULL);
	char *path = put(f, name, text, 0755);

	put_descriptor(f, name, "fs", path);
	return path;
}

/* Descriptors of other types, without a usable path or of no use at all are none. */
static void test_find(void **state)
{
	Fixture *f = *state;

	put_descriptor(f, "10-gpu", "gpu", "/usr/bin/gpu");
	put_descriptor(f, "50-b", "fs", "/usr/bin/b");
	put_descriptor(f, "20-a", "fs", "/usr/bin/a");
	put_descriptor(f, "30-relative", "fs", "virtiofsd");
	g_autofree char *none = put(f, "40-none.json", "{\"type\":\"fs\"}", 0644);
	g_autofree char *list = put(f, "41-list.json", "[]", 0644);
	g_autofree char *odd = put(f, "42-odd.json", "{\"type\":[\"fs\"],\"binary\":3}", 0644);
	g_autofree char *hidden = put(f, "43-hidden.json", "", 0644);
	g_autoptr(GPtrArray) found = hvr_virtiofsd_find(f->folders);
	g_autoptr(GPtrArray) nowhere = hvr_virtiofsd_find(NULL);

	assert_int_equal(found->len, 2);
	assert_string_equal(found->pdata[0], "/usr/bin/a");
	assert_string_equal(found->pdata[1], "/usr/bin/b");
	assert_int_equal(nowhere->len, 0);
}

static void assert_argv(const HvrVirtiofsd *server, int listening, const char *wanted)
{
	g_autoptr(GPtrArray) argv = hvr_virtiofsd_argv(server, listening, "/run/a.sock");
	g_autoptr(GString) line = g_string_new(NULL);

	assert_null(argv->pdata[argv->len - 1]);
	for (guint i = 0; argv->pdata[i]; i++)
		if (!g_str_has_prefix(argv->pdata[i], "--rlimit-nofile="))
			g_string_append_printf(line, "%s ", (char *)argv->pdata[i]);
	assert_string_equal(line->str, wanted);
}

static void test_argv(void **state)
{
	HvrVirtiofsd server = { .program = "/v",
				.folder = "/a b,c",
				.identity = { .uid = 1000, .gid = 100 } };

	assert_argv(&server, 7,
		    "/v --fd=7 --shared-dir=/a b,c --sandbox=none --seccomp=kill "
		    "--log-level=error ");
	server.readonly = server.namespaces = server.squash = TRUE;
	assert_argv(&server, -1,
		    "/v --socket-path=/run/a.sock --shared-dir=/a b,c --readonly "
		    "--sandbox=namespace --seccomp=kill "
		    "--translate-uid=squash-guest:0:1000:4294967295 "
		    "--translate-gid=squash-guest:0:100:4294967295 --log-level=error ");
}

/* The end for QEMU is the one that is accepted, and nobody else gets a place. */
static void test_connect(void **state)
{
	g_auto(HvrFd) listening = -1;
	g_auto(HvrFd) connected = -1;
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	char byte = 0;

	assert_true(hvr_virtiofsd_connect(&listening, &connected, NULL));
	assert_true(fcntl(listening, F_GETFD) & fcntl(connected, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(address.sun_path[0], '\0');
	g_auto(HvrFd) intruder = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(intruder, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, EAGAIN);

	g_auto(HvrFd) accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(write(connected, "x", 1), 1);
	assert_int_equal(read(accepted, &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

static HvrProfile *look(Fixture *f, const char *keys)
{
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autofree char *text =
		g_strconcat("[vm]\nmemory = 1G\n[share work]\npath = .\n", keys, NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	g_clear_pointer(&f->parts.share_ways, g_ptr_array_unref);
	f->parts.share_ways = hvr_share_ways(&f->context, profile, &f->parts, &error);
	if (!f->parts.share_ways)
		fail_msg("%s", error->message);
	return profile;
}

/* @name: of the program in the fixture's folder; NULL: by 9p */
static void assert_way(const Fixture *f, const char *name, gboolean namespaces, gboolean squash)
{
	const HvrShareWay *way = hvr_share_way(&f->parts, 0);
	g_autofree char *path = name ? g_build_filename(f->folder, name, NULL) : NULL;

	assert_non_null(way);
	if (g_strcmp0(way->program, path) != 0)
		fail_msg("it is by %s: %s", way->program ? way->program : "9p",
			 way->problem ? way->problem->message : "");
	if (!path)
		return;
	assert_int_equal(way->namespaces, namespaces);
	assert_int_equal(way->squash, squash);
	assert_null(way->problem);
}

#define REFUSE(option) "case \"$*\" in *" option "*) echo 'no " option "' >&2; exit 1;; esac\n"

/* The most that a virtiofsd can do here is what it is started with, and it is tried as the VM's
 * user, with the socket. */
static void test_wishes(void **state)
{
	static const struct {
		const char *script;
		gboolean namespaces, squash;
	} cases[] = {
		{ "test $(id -u) != 0 && test -S /proc/self/fd/${1#--fd=}", TRUE, TRUE },
		{ REFUSE("--sandbox=namespace"), FALSE, TRUE },
		{ REFUSE("--translate-uid"), TRUE, FALSE },
		{ REFUSE("--sandbox=namespace") REFUSE("--translate-uid"), FALSE, FALSE },
	};
	Fixture *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = put_program(f, "fsd", cases[i].script);
		g_autoptr(HvrProfile) profile = look(f, "");

		assert_way(f, "fsd", cases[i].namespaces, cases[i].squash);
	}
}

/* QEMU's own of before 8, and its likes, are no virtiofsd; the next one is. */
static void test_old(void **state)
{
	Fixture *f = *state;
	g_autofree char *old = put_program(f, "10-old", REFUSE("--shared-dir"));
	g_autoptr(HvrProfile) none = look(f, "");
	assert_way(f, NULL, FALSE, FALSE);
	g_autofree char *new = put_program(f, "20-new", "exit 0");
	g_autoptr(HvrProfile) some = look(f, "");
	assert_way(f, "20-new", TRUE, TRUE);
}

/* A share that the guest must not write is not served by one that cannot see to that. */
static void test_readonly(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = put_program(f, "fsd", REFUSE("--readonly"));
	g_autoptr(HvrProfile) writable = look(f, "");
	assert_way(f, "fsd", TRUE, TRUE);
	g_autoptr(HvrProfile) readonly = look(f, "readonly = yes\n");
	assert_way(f, NULL, FALSE, FALSE);
}

/* By 9p where that is asked for, or where nothing may be started; then nothing is. */
static void test_not_tried(void **state)
{
	Fixture *f = *state;
	g_autofree char *mark = put(f, "mark", "", 0666);
	g_autofree char *script = g_strdup_printf("echo x >> %s", mark);
	g_autofree char *path = put_program(f, "fsd", script);
	g_autofree char *text = NULL;
	g_autoptr(HvrProfile) own = look(f, "via = 9p\n");

	assert_way(f, NULL, FALSE, FALSE);
	assert_null(hvr_share_way(&f->parts, 0)->problem);
	f->context.captured = TRUE;
	g_autoptr(HvrProfile) captured = look(f, "via = virtiofs\n");
	assert_null(hvr_share_way(&f->parts, 0));
	assert_null(hvr_parts_ask(&f->context, captured, &f->parts));
	assert_true(g_file_get_contents(mark, &text, NULL, NULL));
	assert_string_equal(text, "");
}

static void assert_notes(const Fixture *f, const HvrProfile *profile, const char *note)
{
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

	hvr_parts_describe(profile, &f->parts, notes);
	assert_int_equal(notes->len, note ? 1 : 0);
	if (note)
		assert_string_equal(notes->pdata[0], note);
}

/* auto does without and says so; virtiofs is refused before anything is changed. */
static void test_none(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) automatic = look(f, "");

	assert_null(hvr_parts_ask(&f->context, automatic, &f->parts));
	assert_notes(f, automatic,
		     "share work: by 9p, as no virtiofsd of this host serves it for user nobody");
	g_autoptr(HvrProfile) own = look(f, "via = 9p\n");
	assert_notes(f, own, NULL);
	g_autoptr(HvrProfile) served = look(f, "via = virtiofs\n");
	g_autoptr(GError) error = hvr_parts_ask(&f->context, served, &f->parts);
	assert_non_null(error);
	assert_int_equal(hvr_exit_status(error), 69);
	assert_string_equal(
		error->message,
		"[share work] via: this host has no virtiofsd\n"
		"set via = 9p, or install a virtiofsd that works without root, not that of QEMU "
		"before 8 (Debian, Ubuntu: apt install virtiofsd, from Debian 13 and Ubuntu 24.04 "
		"on; Fedora, RHEL: dnf install virtiofsd)");
}

/* The reason is the program's own. */
static void test_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = put_program(f, "fsd", "echo 'not today' >&2; exit 4");
	g_autoptr(HvrProfile) profile = look(f, "via = virtiofs\n");
	g_autoptr(GError) error = hvr_parts_ask(&f->context, profile, &f->parts);
	g_autofree char *wanted =
		g_strdup_printf("[share work] via: no virtiofsd of this host can serve it: %s "
				"ended with status 4: not today\n",
				path);

	assert_non_null(error);
	assert_true(g_str_has_prefix(error->message, wanted));
}

/* A server that is this script; its messages go to @fd. */
static GPtrArray *serve(const Fixture *f, const char *script, int fd)
{
	g_autofree char *path = put_program(f, "fsd", script);
	g_auto(HvrFd) listening = -1;
	g_auto(HvrFd) connected = -1;
	GPtrArray *servers = hvr_servers_new();
	g_autoptr(GError) error = NULL;

	assert_true(hvr_virtiofsd_connect(&listening, &connected, NULL));
	const HvrVirtiofsd virtiofsd = { .program = path, .folder = "/tmp" };
	g_autoptr(GPtrArray) argv = hvr_virtiofsd_argv(&virtiofsd, listening, NULL);
	const HvrServerSpawn wanted = { .what = "share work: virtiofsd",
					.lost = "the guest cannot use it any more",
					.path = path,
					.argv = argv,
					.identity = { .uid = f->user.uid, .gid = f->user.gid },
					.fds = &listening,
					.n_fds = 1,
					.stderr_fd = fd };
	if (!hvr_servers_add(servers, &wanted, &error))
		fail_msg("%s", error->message);
	return servers;
}

/* All that comes out of @fd until everybody has closed it. [transfer full] */
static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

/* It has nothing but its socket and what it says, and is nobody with nothing. */
static void test_server(void **state)
{
	Fixture *f = *state;
	g_autofree char *uid = g_strdup_printf("Uid:\t%u\t%u\t%u\t%u\n", f->user.uid, f->user.uid,
					       f->user.uid, f->user.uid);
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	g_auto(HvrFd) other = dup(pipes[0]);
	GPtrArray *servers = serve(f,
				   "one=$(readlink /proc/$$/fd/1)\n"
				   "exec >&2\n"
				   "echo out $one; cat /proc/$$/status; ls -l /proc/$$/fd\n"
				   "test -S /proc/$$/fd/${1#--fd=} && echo has-socket",
				   pipes[1]);
	close(pipes[1]);
	g_autofree char *text = pipe_read(pipes[0]);
	close(pipes[0]);
	hvr_servers_end(servers);
	assert_has(text, uid);
	assert_has(text, "CapEff:\t0000000000000000\n");
	assert_has(text, "CapBnd:\t0000000000000000\n");
	assert_has(text, "NoNewPrivs:\t1\n");
	assert_has(text, "0 -> /dev/null\n");
	assert_has(text, "out /dev/null\n");
	assert_has(text, "has-socket\n");
	/* 0, 1, 2, the socket, and the script itself */
	g_auto(GStrv) descriptors = g_strsplit(text, " -> ", -1);
	assert_int_equal(g_strv_length(descriptors) - 1, 5);
}

/* What the launcher itself says while @servers are watched and end. [transfer full] */
static char *watch(GPtrArray *servers)
{
	int old = dup(STDERR_FILENO), pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	hvr_servers_watch(servers);
	g_main_context_iteration(NULL, TRUE);
	while (g_main_context_iteration(NULL, FALSE))
		;
	hvr_servers_end(servers);
	dup2(old, STDERR_FILENO);
	close(old);
	char *said = pipe_read(pipes[0]);
	close(pipes[0]);
	return said;
}

/* One that ends by itself, in order, is as it should be; any other end is told, once. */
static void test_ends(void **state)
{
	Fixture *f = *state;
	g_autofree char *well = watch(serve(f, "exit 0", -1));
	g_autofree char *badly = watch(serve(f, "exit 3", -1));
	g_autofree char *killed = watch(serve(f, "kill -9 $$", -1));

	assert_string_equal(well, "");
	assert_string_equal(badly, "hailo-vm-run: share work: virtiofsd ended with status 3: the "
				   "guest cannot use it any more\n");
	assert_string_equal(killed, "hailo-vm-run: share work: virtiofsd was ended by signal 9: "
				    "the guest cannot use it any more\n");
}

/* One that does not end when it should is not waited for: it is killed, with nothing left. */
static void test_hangs(void **state)
{
	Fixture *f = *state;
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	GPtrArray *servers = serve(f, "while :; do read x < /proc/self/fd/2; done", pipes[1]);
	close(pipes[1]);
	gint64 begin = g_get_monotonic_time();
	hvr_servers_end(servers);
	assert_true(g_get_monotonic_time() - begin < 10 * G_USEC_PER_SEC);
	g_autofree char *text = pipe_read(pipes[0]);
	close(pipes[0]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find),    TEST(test_argv),	 TEST(test_connect),   TEST(test_wishes),
		TEST(test_old),	    TEST(test_readonly), TEST(test_not_tried), TEST(test_none),
		TEST(test_refused), TEST(test_server),	 TEST(test_ends),      TEST(test_hangs),
	};

	g_set_prgname("hailo-vm-run");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
