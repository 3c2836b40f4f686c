/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile or a command line may have root do to files: nothing that the user could not do
 * whom it is for. Each test is an attack that worked once, played by a second user; as root, since
 * nobody else has anything to lose.
 */
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/command/cli.h"
#include "launcher/command/dispatch.h"
#include "launcher/guest/guest.h"
#include "launcher/parts/newfile.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/seed.h"
#include "launcher/parts/serialfile.h"
#include "launcher/process/open.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

/* How meson knows a test that could not run. */
#define SKIP 77

#define ATTACKER "daemon"
#define SECRET	 "root:$6$salt$hashhashhash:19000:0:99999:7:::\n"

typedef struct {
	char *folder;  /* 0755, of root */
	char *closed;  /* in it: 0700, of root */
	char *theirs;  /* in it: the attacker's */
	char *secret;  /* in `closed`: 0600, of root */
	char *exposed; /* in `folder`: the same, and its name can be reached */
	char *before;  /* the working directory that the test began in */
	HvrUser user;  /* the attacker as the VM's user */
	HvrParts parts;
	HvrContext context;
} Fixture;

static char *put(const char *folder, const char *name, const char *text, mode_t mode)
{
	char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(g_chmod(path, mode), 0);
	return path;
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	struct passwd *entry = getpwnam(ATTACKER);

	assert_non_null(entry);
	g_autofree char *uid = g_strdup_printf("%u", entry->pw_uid);
	f->before = g_get_current_dir();
	f->folder = g_dir_make_tmp("hvr-paths-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	f->closed = g_build_filename(f->folder, "closed", NULL);
	f->theirs = g_build_filename(f->folder, "theirs", NULL);
	assert_int_equal(g_mkdir(f->closed, 0700), 0);
	assert_int_equal(g_mkdir(f->theirs, 0755), 0);
	assert_int_equal(chown(f->theirs, entry->pw_uid, entry->pw_gid), 0);
	f->secret = put(f->closed, "secret", SECRET, 0600);
	f->exposed = put(f->folder, "exposed", SECRET, 0600);
	f->user = (HvrUser){ .uid = entry->pw_uid,
			     .gid = entry->pw_gid,
			     .name = g_strdup(ATTACKER),
			     .privileged = TRUE };
	f->parts.user = &f->user;
	f->context = (HvrContext){ .host = { .sys = -1 },
				   .privileged = TRUE,
				   .system_config = f->closed };
	g_setenv("SUDO_UID", uid, TRUE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	g_unsetenv("SUDO_UID");
	assert_int_equal(chdir(f->before), 0);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f->closed);
	g_free(f->theirs);
	g_free(f->secret);
	g_free(f->exposed);
	g_free(f->before);
	g_free(f->user.name);
	g_free(f);
	return 0;
}

static void assert_untouched(const char *path)
{
	g_autofree char *text = NULL;
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, SECRET);
}

/* A link in the attacker's folder to what is root's. [transfer full] */
static char *link_to(const Fixture *f, const char *name, const char *target)
{
	char *path = g_build_filename(f->theirs, name, NULL);

	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(lchown(path, f->user.uid, f->user.gid), 0);
	return path;
}

static HvrProfile *parse(const Fixture *f, const char *text)
{
	g_autofree char *file = g_build_filename(f->theirs, "lab.ini", NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

/* Neither the check nor the start opens @path for a serial port. */
static void assert_serial_refused(const Fixture *f, const char *path, const char *message)
{
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 1G\n[serial]\nmode = file\nfile = %s\n", path);
	g_autoptr(HvrProfile) profile = parse(f, text);
	g_autoptr(GError) asked = hvr_parts_ask(&f->context, profile, &f->parts);
	g_autoptr(GError) error = NULL;

	assert_non_null(asked);
	if (!strstr(asked->message, message) || !strstr(asked->message, ATTACKER))
		fail_msg("the message is \"%s\"", asked->message);
	assert_int_equal(hvr_serial_file_open(profile, &f->parts, &error), -1);
	if (!strstr(error->message, message))
		fail_msg("the message is \"%s\"", error->message);
}

static void serial_file_of_root_untouched(void **state)
{
	Fixture *f = *state;
	g_autofree char *link = link_to(f, "serial", f->exposed);
	g_autofree char *new = g_build_filename(f->folder, "new", NULL);
	g_autofree char *hard = g_build_filename(f->theirs, "hard", NULL);

	assert_int_equal(linkat(AT_FDCWD, f->exposed, AT_FDCWD, hard, 0), 0);
	assert_serial_refused(f, f->secret, "Permission denied");
	assert_serial_refused(f, f->exposed, "Permission denied");
	assert_serial_refused(f, hard, "Permission denied");
	assert_serial_refused(f, link, "it is a link");
	assert_serial_refused(f, new, "Permission denied");
	assert_untouched(f->secret);
	assert_untouched(f->exposed);
	assert_int_equal(access(new, F_OK), -1);
}

/* Also where the node's mode would let the VM's user write to it. */
static void serial_file_on_block_device(void **state)
{
	Fixture *f = *state;
	g_autofree char *node = g_build_filename(f->theirs, "disk", NULL);

	/* the node of a disk that no host has */
	if (mknod(node, S_IFBLK | 0600, makedev(240, 255)) < 0) {
		print_message("no device nodes can be made here\n");
		return;
	}
	assert_serial_refused(f, node, "Permission denied");
	assert_int_equal(chown(node, f->user.uid, f->user.gid), 0);
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 1G\n[serial]\nmode = file\nfile = %s\n", node);
	g_autoptr(HvrProfile) profile = parse(f, text);
	assert_int_equal(hvr_serial_file_open(profile, &f->parts, NULL), -1);
}

static void serial_file_through_linked_folder(void **state)
{
	Fixture *f = *state;
	g_autofree char *link = link_to(f, "logs", f->closed);
	g_autofree char *path = g_build_filename(link, "secret", NULL);
	g_autofree char *new = g_build_filename(link, "new", NULL);

	assert_serial_refused(f, path, "Permission denied");
	assert_serial_refused(f, new, "Permission denied");
	assert_untouched(f->secret);
}

/* And what is theirs is made and emptied as ever, as theirs. */
static void serial_file_of_ones_own(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->theirs, "serial", NULL);
	g_autoptr(HvrProfile) profile =
		parse(f, "[vm]\nmemory = 1G\n[serial]\nmode = file\nfile = serial\n");
	struct stat st;

	for (int i = 0; i < 2; i++) {
		assert_null(hvr_parts_ask(&f->context, profile, &f->parts));
		g_auto(HvrFd) fd = hvr_serial_file_open(profile, &f->parts, NULL);
		hvr_serial_file_empty(profile, fd);
		assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_uid, f->user.uid);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_int_equal(st.st_size, 0);
		assert_true(hvr_fd_write_all(fd, "old", 3));
	}
}

static char *told_lost(const Fixture *f, const HvrProfile *profile, int fd, guint64 said)
{
	int ends[2], own = dup(STDERR_FILENO);

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	hvr_serial_file_tell_lost(profile, &f->user, fd, said);
	dup2(own, STDERR_FILENO);
	close(own);
	close(ends[1]);
	char *text = pipe_read(ends[0]);
	close(ends[0]);
	return text;
}

/* A guest said more than its file has: nobody but us would tell. */
static void serial_file_that_lost(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile =
		parse(f, "[vm]\nmemory = 1G\n[serial]\nmode = file\nfile = serial\n");

	assert_null(hvr_parts_ask(&f->context, profile, &f->parts));
	g_auto(HvrFd) fd = hvr_serial_file_open(profile, &f->parts, NULL);
	assert_true(hvr_fd_write_all(fd, "boot", 4));
	g_autofree char *none = told_lost(f, profile, -1, 5);
	g_autofree char *whole = told_lost(f, profile, fd, 4);
	g_autofree char *lost = told_lost(f, profile, fd, 5);
	assert_string_equal(none, "");
	assert_string_equal(whole, "");
	assert_non_null(strstr(lost, "' has not all of the 5 bytes that the guest said"));
}

/* Neither disks nor UEFI's variables appear where the VM's user could not make them. */
static void image_in_root_folder(void **state)
{
	Fixture *f = *state;
	g_autofree char *link = link_to(f, "linked", f->closed);
	const char *const folders[] = { f->closed, f->folder, link };
	HvrFirmware firmware = { .code = (char *)"/dev/null", .vars = (char *)"/dev/null" };

	f->parts.firmware = &firmware;
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *text = g_strdup_printf("[vm]\nmemory = 1G\n[disk root]\nfile = "
							"%s/a.raw\nformat = raw\nsize = 1M\n",
							folders[i]);
		g_autofree char *uefi = g_strdup_printf(
			"[vm]\nmemory = 1G\n[firmware]\nmode = uefi\nvars = %s/v.fd\n", folders[i]);
		g_autofree char *image = g_build_filename(folders[i], "a.raw", NULL);
		g_autofree char *vars = g_build_filename(folders[i], "v.fd", NULL);
		g_autoptr(HvrProfile) disk = parse(f, text);
		g_autoptr(HvrProfile) firm = parse(f, uefi);
		HvrParts without = { .user = &f->user };
		g_autoptr(GError) asked = hvr_parts_ask(&f->context, disk, &without);
		g_autoptr(GError) error = NULL;

		assert_non_null(asked);
		assert_int_equal(hvr_exit_status(asked), 77);
		assert_non_null(strstr(asked->message, "user " ATTACKER " cannot create '"));
		assert_non_null(
			strstr(asked->message, "name a file in a folder that user " ATTACKER));
		assert_false(hvr_parts_create(disk, &without, &error));
		assert_false(hvr_parts_create(firm, &f->parts, NULL));
		assert_int_equal(access(image, F_OK), -1);
		assert_int_equal(access(vars, F_OK), -1);
	}
}

/* A name that root would have removed on the way to a new image. */
static void image_removes_nothing(void **state)
{
	Fixture *f = *state;
	g_autofree char *other = put(f->folder, ".a.raw.new", SECRET, 0600);
	g_autofree char *text = g_strdup_printf(
		"[vm]\nmemory = 1G\n[disk root]\nfile = %s/a.raw\nformat = raw\nsize = 1M\n",
		f->folder);
	g_autoptr(HvrProfile) profile = parse(f, text);

	assert_false(hvr_parts_create(profile, &f->parts, NULL));
	assert_untouched(other);
}

static void seed_of_root_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *link = link_to(f, "linked", f->exposed);
	const char *const files[] = { f->secret, f->exposed, link };
	const char *const keys[] = { "user-data", "meta-data", "ssh-key" };

	for (guint i = 0; i < G_N_ELEMENTS(files) * G_N_ELEMENTS(keys); i++) {
		g_autofree char *text = g_strdup_printf(
			"[vm]\nmemory = 1G\n[cloud-init]\n%s = %s\n", keys[i % 3], files[i / 3]);
		g_autoptr(HvrProfile) profile = parse(f, text);
		g_autoptr(GError) error = NULL;

		assert_int_equal(hvr_seed_make(profile, &f->parts, &error), -1);
		if (!strstr(error->message, "user " ATTACKER " cannot read '"))
			fail_msg("the message is \"%s\"", error->message);
		assert_null(strstr(error->message, "hash"));
	}
}

/* Of a start that comes to nothing: a file that was made for it goes, one that was there stays as
 * it is. */
static void serial_file_of_nothing(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->theirs, "serial", NULL);
	g_autofree char *text = NULL;
	g_autoptr(HvrProfile) profile =
		parse(f, "[vm]\nmemory = 1G\n[serial]\nmode = file\nfile = serial\n");
	HvrParts parts = { .user = &f->user, .made = hvr_new_files_noted() };
	g_autofree char *there = NULL;

	for (int i = 0; i < 2; i++) {
		g_auto(HvrFd) fd = hvr_serial_file_open(profile, &parts, NULL);
		assert_true(fd >= 0);
		hvr_parts_remove(&parts);
		assert_int_equal(access(path, F_OK), i == 0 ? -1 : 0);
		if (i == 0)
			there = put(f->theirs, "serial", "old", 0666);
	}
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "old");
	g_ptr_array_unref(parts.made);
}

static void assert_says_nothing(const Fixture *f, char *word)
{
	g_autoptr(GError) error = NULL;

	assert_null(hvr_cli_profile(&f->context, word, NULL, &error));
	if (strstr(error->message, "hash") || strstr(error->message, "salt"))
		fail_msg("the message is \"%s\"", error->message);
	if (!strstr(error->message, "user " ATTACKER " cannot open it: Permission denied"))
		fail_msg("the message is \"%s\"", error->message);
	assert_int_equal(hvr_exit_status(error), 77);
}

/* A line that is no profile's would have been quoted. */
static void include_of_root_file_says_nothing(void **state)
{
	Fixture *f = *state;
	g_autofree char *link = link_to(f, "linked.ini", f->exposed);
	char *const targets[] = { f->secret, f->exposed, link };

	for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
		g_autofree char *text = g_strdup_printf("[vm]\ninclude = %s\n", targets[i]);
		g_autofree char *outer = put(f->theirs, "outer.ini", text, 0644);

		assert_says_nothing(f, outer);
		if (strchr(targets[i], '/'))
			assert_says_nothing(f, targets[i]);
	}
}

/* Who reached root otherwise is asked for nobody's rights but root's. */
static void root_itself_reads_its_own(void **state)
{
	Fixture *f = *state;
	g_autofree char *own = put(f->closed, "own.ini", "[vm]\nmemory = 1G\n", 0600);

	g_unsetenv("SUDO_UID");
	g_autoptr(HvrProfile) profile = hvr_cli_profile(&f->context, own, NULL, NULL);
	assert_non_null(profile);
}

static void events_follow_no_link(void **state)
{
	Fixture *f = *state;
	g_autofree char *linked = link_to(f, "events", f->exposed);
	g_autofree char *folder = link_to(f, "folder", f->closed);
	g_autofree char *through = g_build_filename(folder, "secret", NULL);
	g_autofree char *new = g_build_filename(folder, "new", NULL);
	const char *const places[] = { linked, through, new, f->secret, f->exposed };

	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(hvr_cli_events(places[i], "lab", &error));
		assert_non_null(strstr(error->message, "--events: user " ATTACKER));
	}
	assert_untouched(f->exposed);
	assert_untouched(f->secret);
	assert_int_equal(access(new, F_OK), -1);

	g_autofree char *own = g_build_filename(f->theirs, "own", NULL);
	g_autoptr(HvrEvents) events = hvr_cli_events(own, "lab", NULL);
	struct stat st;
	assert_non_null(events);
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_uid, f->user.uid);
}

/* What the guest says goes nowhere else; the guest is not even asked. */
static void fetch_follows_no_link(void **state)
{
	Fixture *f = *state;
	g_autofree char *linked = link_to(f, "fetched", f->exposed);
	g_autofree char *folder = link_to(f, "folder", f->closed);
	g_autofree char *through = g_build_filename(folder, "secret", NULL);
	g_autofree char *new = g_build_filename(folder, "new", NULL);
	const char *const places[] = { linked, through, new, f->secret, f->exposed };

	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(hvr_guest_fetch(NULL, "/etc/hostname", places[i], &error));
		assert_non_null(strstr(error->message, "--fetch: user " ATTACKER));
	}
	assert_untouched(f->exposed);
	assert_untouched(f->secret);
	assert_int_equal(access(new, F_OK), -1);
}

/* The whole command, which ends before there is a VM. */
static void junit_follows_no_link(void **state)
{
	Fixture *f = *state;
	g_autofree char *ini = put(f->theirs, "lab.ini", "[vm]\nmemory = 1G\n", 0644);
	g_autofree char *linked = link_to(f, "report", f->exposed);
	g_autofree char *folder = link_to(f, "folder", f->closed);
	g_autofree char *through = g_build_filename(folder, "secret", NULL);
	g_autofree char *new = g_build_filename(folder, "new", NULL);
	char *const places[] = { linked, through, new, f->secret, f->exposed };

	f->context.runtime = f->context.runtime_parent = -1;
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		char *words[] = { (char *)"test", (char *)"--junit", places[i], ini,
				  (char *)"--",	  (char *)"true",    NULL };
		g_autoptr(GError) error = NULL;
		assert_int_equal(hvr_dispatch(&f->context, words, &error), -1);
		if (!strstr(error->message, "--junit: user " ATTACKER))
			fail_msg("the message is \"%s\"", error->message);
	}
	assert_untouched(f->exposed);
	assert_untouched(f->secret);
	assert_int_equal(access(new, F_OK), -1);
}

/* A FIFO in the place of each kind of file, with nobody at its other end. */
static void fifo_never_hangs(void **state)
{
	Fixture *f = *state;
	g_autofree char *fifo = g_build_filename(f->theirs, "fifo", NULL);
	g_autofree char *ini = put(f->theirs, "outer.ini", "[vm]\ninclude = fifo\n", 0644);

	assert_int_equal(mkfifo(fifo, 0666), 0);
	assert_int_equal(chown(fifo, f->user.uid, f->user.gid), 0);
	alarm(20);
	assert_serial_refused(f, fifo, "it is not a regular file");
	for (HvrOpenHow how = HVR_OPEN_READ; how <= HVR_OPEN_APPEND; how++) {
		HvrOpen open = { .path = fifo, .how = how, .fd = -1 };
		assert_false(hvr_open(&f->user, &open, 1));
		assert_int_equal(open.fd, -1);
	}
	assert_null(hvr_cli_profile(&f->context, ini, NULL, NULL));
	assert_null(hvr_cli_profile(&f->context, fifo, NULL, NULL));
	assert_null(hvr_cli_events(fifo, "lab", NULL));
	alarm(0);
}

/* One child opens many, each with an answer of its own, and none stays behind. */
static void many_at_once(void **state)
{
	Fixture *f = *state;
	g_autofree char *own = put(f->theirs, "own", "mine", 0644);
	HvrOpen opens[] = { { .path = own, .how = HVR_OPEN_READ },
			    { .path = f->secret, .how = HVR_OPEN_READ },
			    { .path = NULL },
			    { .path = "/dev/null", .how = HVR_OPEN_APPEND } };
	char text[8] = "";

	assert_false(hvr_open(&f->user, opens, G_N_ELEMENTS(opens)));
	assert_int_equal(hvr_fd_read_all(opens[0].fd, text, sizeof(text)), 4);
	assert_string_equal(text, "mine");
	assert_int_equal(fcntl(opens[0].fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(opens[1].problem, EACCES);
	assert_int_equal(opens[1].fd, -1);
	assert_int_equal(opens[2].problem, 0);
	assert_int_equal(opens[2].fd, -1);
	assert_true(opens[3].fd >= 0);
	hvr_fd_close(opens[0].fd);
	hvr_fd_close(opens[3].fd);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* What root holds open is not to be had by its name in /proc. */
static void descriptors_of_root_have_no_name(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) memory = memfd_create("root's", MFD_CLOEXEC);
	g_auto(HvrFd) closed = open(f->closed, O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *by_fd = hvr_fd_path(memory, NULL);
	g_autofree char *below = hvr_fd_path(closed, "secret");
	HvrOpen opens[] = { { .path = by_fd, .how = HVR_OPEN_READ },
			    { .path = below, .how = HVR_OPEN_READ } };

	assert_true(memory >= 0 && closed >= 0);
	assert_false(hvr_open(&f->user, opens, G_N_ELEMENTS(opens)));
	assert_int_equal(opens[0].problem, ENOENT);
	assert_int_equal(opens[1].problem, ENOENT);
}

static HvrProfile *load_named(const Fixture *f, GError **error)
{
	HvrProfile *profile = hvr_cli_profile(&f->context, "lab", NULL, error);

	return profile;
}

static void assert_taken(const Fixture *f, int cpus)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = load_named(f, &error);

	if (!profile)
		fail_msg("%s", error->message);
	assert_int_equal(profile->cpus, cpus);
}

#define PLANTED "[vm]\nmemory = 1G\ncpus = 1\n"
#define SYSTEMS "[vm]\nmemory = 1G\ncpus = 2\n"

/* A profile in the current folder, where somebody else than root and the caller could put it. */
static void bare_name_in_others_folder(void **state)
{
	Fixture *f = *state;
	struct passwd *other = getpwnam("games");
	g_autofree char *system = g_build_filename(f->folder, "system", NULL);
	g_autofree char *planted = put(f->theirs, "lab.ini", PLANTED, 0644);
	g_autoptr(GError) none = NULL;

	assert_int_equal(g_mkdir(system, 0755), 0);
	f->context.system_config = system;
	assert_int_equal(chdir(f->theirs), 0);
	/* the caller's folder, root's file */
	assert_taken(f, 1);
	/* a file of somebody else; a folder of somebody else; one that all may write, sticky or not
	 */
	assert_int_equal(chown(planted, other->pw_uid, other->pw_gid), 0);
	assert_null(load_named(f, &none));
	assert_non_null(
		strstr(none->message, "./lab.ini does not count for root: others can write"));
	g_autofree char *shared = put(system, "lab.ini", SYSTEMS, 0644);
	assert_taken(f, 2);
	assert_int_equal(chown(planted, f->user.uid, f->user.gid), 0);
	assert_taken(f, 1);
	assert_int_equal(g_chmod(planted, 0664), 0);
	assert_taken(f, 2);
	assert_int_equal(g_chmod(planted, 0644), 0);
	assert_int_equal(chown(f->theirs, other->pw_uid, other->pw_gid), 0);
	assert_taken(f, 2);
	assert_int_equal(chown(f->theirs, 0, 0), 0);
	assert_taken(f, 1);
	assert_int_equal(g_chmod(f->theirs, 01777), 0);
	assert_taken(f, 2);
	assert_int_equal(g_chmod(f->theirs, 0775), 0);
	assert_taken(f, 2);
	/* a link decides nothing either */
	assert_int_equal(g_chmod(f->theirs, 0755), 0);
	assert_int_equal(g_unlink(planted), 0);
	assert_int_equal(symlink(shared, planted), 0);
	g_autofree char *elsewhere = put(system, "other.ini", PLANTED, 0644);
	assert_taken(f, 2);
}

/* What such a profile includes is held to the same. */
static void bare_name_includes_others_file(void **state)
{
	Fixture *f = *state;
	struct passwd *other = getpwnam("games");
	g_autofree char *own = put(f->theirs, "lab.ini", "[vm]\ninclude = base.ini\n", 0644);
	g_autofree char *base = put(f->theirs, "base.ini", PLANTED, 0644);
	g_autoptr(GError) error = NULL;

	assert_int_equal(chdir(f->theirs), 0);
	assert_taken(f, 1);
	assert_int_equal(chown(base, other->pw_uid, other->pw_gid), 0);
	assert_null(load_named(f, &error));
	assert_non_null(strstr(error->message, "others can write to it or its folder"));
	assert_int_equal(hvr_exit_status(error), 77);
	/* named by its path, it is what was asked for */
	g_autoptr(HvrProfile) profile = hvr_cli_profile(&f->context, "./lab.ini", NULL, NULL);
	assert_non_null(profile);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serial_file_of_root_untouched),
		TEST(serial_file_on_block_device),
		TEST(serial_file_through_linked_folder),
		TEST(serial_file_of_ones_own),
		TEST(serial_file_of_nothing),
		TEST(serial_file_that_lost),
		TEST(image_in_root_folder),
		TEST(image_removes_nothing),
		TEST(seed_of_root_file),
		TEST(include_of_root_file_says_nothing),
		TEST(root_itself_reads_its_own),
		TEST(events_follow_no_link),
		TEST(fetch_follows_no_link),
		TEST(junit_follows_no_link),
		TEST(fifo_never_hangs),
		TEST(many_at_once),
		TEST(descriptors_of_root_have_no_name),
		TEST(bare_name_in_others_folder),
		TEST(bare_name_includes_others_file),
	};

	if (geteuid() != 0) {
		print_message("only root has what these attacks are after\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
