/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks' images, made by qemu-img, judged, and then given to the QEMU that is installed with the
 * program's own command line: what is refused QEMU would refuse too, but where the table says that
 * it would show the guest something else; and what is let through QEMU opens.
 *
 * Its own program, since without QEMU it is skipped as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "launcher/parts/files.h"
#include "launcher/parts/image-header.h"
#include "launcher/parts/image-name.h"
#include "launcher/parts/disk-image.h"
#include "launcher/parts/images.h"
#include "launcher/process/program.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define QEMU   "qemu-system-x86_64"
#define SKIP   77
#define NOBODY 65534
#define LAB    7474 /* a group */
#define DISK   6    /* base-passwd's group disk */

typedef struct {
	char *folder; /* the current one, too */
	HvrUser user;
	HvrHost host; /* this machine's /sys and /proc */
	HvrImages images;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-images-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	f->host = (HvrHost){ .sys = open("/sys", O_PATH | O_CLOEXEC),
			     .dev = -1,
			     .proc = open("/proc", O_PATH | O_CLOEXEC),
			     .run = -1,
			     .root = -1 };
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	f->user.name = (char *)"lab";
	assert_int_equal(chown(f->folder, f->user.uid, f->user.gid), 0);
	assert_int_equal(chdir(f->folder), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	assert_int_equal(chdir("/"), 0);
	hvr_images_clear(&f->images);
	hvr_fd_close(f->host.sys);
	hvr_fd_close(f->host.proc);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* In the folder, as the VM's user. */
static void make(const Fixture *f, const char *script)
{
	const char *const argv[] = { "sh", "-ec", script, NULL };
	const HvrProgram program = { .path = "/bin/sh",
				     .argv = argv,
				     .identity = hvr_user_identity(&f->user),
				     .timeout_ms = 60000 };
	g_autoptr(GError) error = NULL;

	if (!hvr_program_run(&program, &error))
		fail_msg("%s: %s", script, error->message);
}

static HvrProfile *parse(const Fixture *f, const char *disks)
{
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autofree char *text = g_strconcat("[vm]\nmemory = 64M\naccel = tcg\n[serial]\nmode = "
					    "none\n",
					    disks, NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static GError *judge(Fixture *f, const HvrProfile *profile)
{
	GError *error = NULL;

	hvr_images_clear(&f->images);
	if (!hvr_images_check(&f->images, &f->host, profile, &f->user, &error))
		assert_non_null(error);
	return error;
}

/* Does QEMU open them all? It ends at a device that there is not, the last on its command line. */
static gboolean qemu_opens(const Fixture *f, const HvrProfile *profile, char **out_said)
{
	static const char last[] = "hvr-no-such-device";
	HvrCmdlineChannels channels = { .qmp_private = -1,
					.qmp_listen = -1,
					.serial_port = -1,
					.serial = -1,
					.agent = -1,
					.seed = -1,
					.block_devices = f->images.block_devices };
	g_autoptr(GPtrArray) argv = NULL;
	g_autofree char *path = hvr_program_find(QEMU, TRUE);
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(profile->qemu_args, g_strdup("-device"));
	/* as JSON: QEMU makes such devices, which ours are, last and in their order */
	g_ptr_array_add(profile->qemu_args, g_strdup_printf("{\"driver\":\"%s\"}", last));
	argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &(const HvrDialect){ 0 });
	const HvrProgram program = { .path = path,
				     .argv = (const char *const *)argv->pdata,
				     .identity = hvr_user_identity(&f->user),
				     .timeout_ms = 60000 };

	assert_false(hvr_program_run(&program, &error));
	*out_said = g_strdup(error->message);
	return strstr(error->message, last) != NULL;
}

#define ROOT	"[disk root]\nfile = root.qcow2\n"
#define RAW	"[disk root]\nfile = root.raw\nformat = raw\n"
#define CREATE	"qemu-img create -q -f "
#define PATCH	" | dd of=root.qcow2 bs=1 conv=notrunc status=none seek="
#define BACKING "[disk root] file: backing file of '"
#define SECRET	"--object secret,id=s,data=abc -o encrypt.key-secret=s,encrypt.format="
/* For LUKS qemu-img measures its own CPU time, and gives up where all of that was the kernel's, as
 * it can be on a busy machine ("Unable to get accurate CPU usage"). */
#define AGAIN	   "for i in $(seq 50); do "
#define UNTIL_DONE " 2> /dev/null && break; done; "

typedef struct {
	const char *script, *disks;
	const char *message, *hint; /* in the refusal; NULL: it is let through */
	const char *note;	    /* in the first note */
	gboolean qemu_opens_it;	    /* although it is refused */
	gboolean other_qemu;	    /* may do otherwise: not compared */
} Case;

static const Case cases[] = {
	{ CREATE "qcow2 root.qcow2 1M", ROOT },
	{ CREATE "qcow2 -o cluster_size=2M root.qcow2 1M", ROOT },
	{ CREATE "qcow2 -o compat=0.10 root.qcow2 1M", ROOT },
	{ CREATE "qcow2 root.qcow2 1M; chmod 444 root.qcow2", ROOT "readonly = yes\n" },
	{ CREATE "qcow2 root.qcow2 1M; chmod 444 root.qcow2", ROOT "snapshot = yes\n" },
	{ CREATE "raw root.raw 1M", RAW },
	{ ": > root.raw", RAW },
	{ "printf 'LUKS\\272\\276%1018s' > root.raw", RAW },
	{ "head -c 1000 /dev/zero > root.raw", RAW, .note = "no multiple of 512" },

	{ "head -c 1024 /dev/zero | gzip > a; head -c 1024 /dev/zero >> a; head -c 1024 a > "
	  "root.raw",
	  RAW, .note = "root.raw' looks like what gzip has compressed" },

	/* formats */
	{ CREATE "raw root.qcow2 1M", ROOT, "is no qcow2 image", "set format = raw" },
	{ ": > root.qcow2", ROOT, "is empty, which is no qcow2 image", "give the disk a size" },
	{ CREATE "vmdk root.qcow2 1M", ROOT, "is a vmdk image, but its format is said to be qcow2",
	  "qemu-img convert -f vmdk -O qcow2 '" },
	{ CREATE "qcow2 root.raw 1M", RAW, "is a qcow2 image, but its format is said to be raw",
	  "set format = qcow2", .qemu_opens_it = TRUE },
	{ CREATE "vmdk root.raw 1M", RAW, "is a vmdk image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "vmdk -o subformat=monolithicFlat root.raw 1M", RAW, "is a vmdk image", "convert",
	  .qemu_opens_it = TRUE },
	{ CREATE "vdi root.raw 1M", RAW, "is a vdi image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "vhdx root.raw 1M", RAW, "is a vhdx image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "vpc root.raw 1M", RAW, "is a vpc image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "qed root.raw 1M", RAW, "is a qed image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "qcow root.raw 1M", RAW, "is a qcow image", "convert", .qemu_opens_it = TRUE },
	{ CREATE "parallels root.raw 1M", RAW, "is a parallels image", "convert",
	  .qemu_opens_it = TRUE },
	{ CREATE "qcow root.qcow2 1M", ROOT, "is a qcow image", "convert" },

	/* what is there */
	{ ":", ROOT, "root.qcow2' does not exist", "correct the path, or give the disk a size" },
	{ CREATE "qcow2 rot.qcow2 1M", ROOT, "root.qcow2' does not exist",
	  "did you mean 'rot.qcow2'? Else correct the path, or give the disk a size" },
	{ "mkdir nonee; : > nonee/root.raw", "[disk root]\nformat = raw\nfile = none/root.raw\n",
	  "none/root.raw' does not exist (there is no '", "did you mean 'nonee'?" },
	{ "mkdir root.qcow2", ROOT "readonly = yes\n", "is a folder", "name an image" },
	{ "mkfifo root.raw", RAW, "is a pipe", "name an image" },
	{ "ln -s root.raw root.raw", RAW, "leads back to itself", "correct the path" },
	{ ":", "[disk root]\nformat = raw\nfile = none/root.raw\n", "(there is no '",
	  "correct the path" },
	{ ": > none", "[disk root]\nformat = raw\nfile = none/root.raw\n", "none' is no folder)",
	  "correct the path" },
	{ "ln -s nowhere none", "[disk root]\nformat = raw\nfile = none/root.raw\n",
	  "none' is a link to nowhere)", "correct the path" },
	{ CREATE "raw root.raw 1M; chmod 400 root.raw", RAW, "cannot write '", "u:lab:rw '" },
	{ "mkdir -p a/b; " CREATE "raw a/b/root.raw 1M; chmod 0 a",
	  "[disk root]\nformat = raw\nfile = a/b/root.raw\n", "/a' is closed to this user)",
	  "u:lab:x '" },
	{ ":", "[disk root]\nformat = raw\nfile = /dev/null\n", "is a character device",
	  "name an image" },

	/* chains */
	{ "mkdir d; " CREATE "qcow2 d/base.qcow2 1M; " CREATE "qcow2 -b d/base.qcow2 -F qcow2 "
	  "root.qcow2; chmod 400 d/base.qcow2",
	  ROOT },
	/* relative to the image's folder, and of a link to the link's, not to where it leads */
	{ "mkdir d; " CREATE "raw d/base 1M; " CREATE "qcow2 -u -b base -F raw d/root.qcow2 1M",
	  "[disk root]\nfile = d/root.qcow2\n" },
	{ "mkdir d; " CREATE "raw base 1M; " CREATE "qcow2 -u -b base -F raw d/root.qcow2 1M",
	  "[disk root]\nfile = d/root.qcow2\n", "d/base' does not exist", "put it back" },
	{ "mkdir d; " CREATE "raw base 1M; " CREATE "qcow2 -u -b base -F raw d/over.qcow2 1M; "
	  "ln -s d/over.qcow2 root.qcow2",
	  ROOT },
	{ "mkdir d; " CREATE "raw d/base 1M; " CREATE "qcow2 -u -b base -F raw d/over.qcow2 1M; "
	  "ln -s d/over.qcow2 root.qcow2",
	  ROOT, BACKING, "put it back" },
	{ CREATE "qcow2 -u -b base.qcow2 -F qcow2 root.qcow2 1M", ROOT, "root.qcow2': '",
	  "put it back" },
	{ CREATE "qcow2 a 1M; " CREATE "qcow2 -b a -F qcow2 b; " CREATE
		 "qcow2 -b b -F qcow2 root.qcow2; chmod 0 a",
	  ROOT, "/b': user lab cannot read '", "setfacl -m u:lab:r '" },
	{ CREATE "raw a 1M; " CREATE "qcow2 -u -b a -F qcow2 root.qcow2 1M", ROOT,
	  "a' is no qcow2 image", "qemu-img rebase -u -F raw -b '" },
	{ CREATE "qcow2 a 1M; " CREATE "qcow2 -u -b a -F raw root.qcow2 1M", ROOT,
	  "a' is a qcow2 image, but its format is said to be raw", "rebase -u -F qcow2",
	  .qemu_opens_it = TRUE },
	{ CREATE "qcow2 a 1M; " CREATE "qcow2 -u -b root.qcow2 -F qcow2 b 1M; " CREATE
		 "qcow2 -u -b b -F qcow2 root.qcow2 1M",
	  ROOT "readonly = yes\n", "root.qcow2' is in its own chain a second time", "rebase -u",
	  .other_qemu = TRUE },
	{ CREATE "qcow2 -o compat=0.10 a 1M; " CREATE "qcow2 -u -b a -F qcow2 root.qcow2 1M; "
		 "printf '\\0\\0\\0\\0'" PATCH "104; printf '\\0\\0\\0\\0'" PATCH "112",
	  ROOT, .note = "does not say the format of its backing file" },
	{ CREATE "vmdk a 1M; " CREATE "qcow2 -b a -F vmdk root.qcow2", ROOT,
	  .note = "a' is vmdk: whether it is whole" },
	{ "mkdir a; " CREATE "qcow2 -u -b a -F raw root.qcow2 1M", ROOT, "a' is a folder",
	  "name an image" },
	{ CREATE "raw a 1M; " CREATE "qcow2 -u -b 'file:a' -F raw root.qcow2 1M", ROOT },
	{ CREATE "raw a 1M; " CREATE "qcow2 -u -b 'json:{\"driver\":\"raw\",\"file\":"
		 "{\"driver\":\"file\",\"filename\":\"a\"}}' -F raw root.qcow2 1M",
	  ROOT },
	{ CREATE "qcow2 -u -b 'json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\","
		 "\"filename\":\"a\"}}' -F raw root.qcow2 1M",
	  ROOT, "'a' does not exist", "put it back" },
	{ CREATE "qcow2 -u -b 'json:{\"driver\":\"raw\",\"file.driver\":\"file\","
		 "\"file.filename\":\"a\"}' -F raw root.qcow2 1M",
	  ROOT, "'a' does not exist", "put it back" },
	{ CREATE "qcow2 -u -b 'nbd://127.0.0.1:1/x' -F raw root.qcow2 1M", ROOT,
	  .note = "is 'nbd://127.0.0.1:1/x', which is no file of this host", .other_qemu = TRUE },
	{ CREATE "qcow2 -u -b 'json:{\"driver\":\"nbd\",\"host\":\"h\"}' -F raw root.qcow2 1M",
	  ROOT, .note = "which is no file of this host", .other_qemu = TRUE },
	{ CREATE "qcow2 -u -b 'https://h/x' -F raw root.qcow2 1M", ROOT,
	  .note = "is 'https://h/x', which", .other_qemu = TRUE },
	{ CREATE "qcow2 -u -b \"$(printf 'a\\nhint b')\" -F raw root.qcow2 1M", ROOT,
	  "a\\x0ahint b' does not exist", "put it back" },

	{ CREATE "raw ./a:b 1M; " CREATE "qcow2 -u -b a:b -F raw root.qcow2 1M", ROOT,
	  "has a backing file 'a:b', of which QEMU", "-b './a:b'" },
	{ CREATE "raw ./a:b 1M; " CREATE "qcow2 -u -b ./a:b -F raw root.qcow2 1M", ROOT },

	/* what qcow2 says of itself */
	{ CREATE "qcow2 -o data_file=data root.qcow2 1M", ROOT },
	{ CREATE "qcow2 -o data_file=data root.qcow2 1M; rm data", ROOT,
	  "[disk root] file: data file of '", "put it back" },
	{ CREATE "qcow2 -o data_file=data root.qcow2 1M; chmod 400 data", ROOT,
	  "user lab cannot write 'data': Permission denied", "u:lab:rw 'data'" },
	{ CREATE "qcow2 -o data_file=data root.qcow2 1M; chmod 400 data", ROOT "readonly = yes\n" },
	{ AGAIN CREATE "qcow2 " SECRET "luks,encrypt.iter-time=10 root.qcow2 1M" UNTIL_DONE, ROOT,
	  "is encrypted", "convert" },
	{ CREATE "qcow2 " SECRET "aes root.qcow2 1M", ROOT, "is encrypted", "convert" },
	{ AGAIN CREATE
	  "luks --object secret,id=s,data=abc -o key-secret=s,iter-time=10 a 1M" UNTIL_DONE CREATE
	  "qcow2 -u -b a -F luks root.qcow2 1M",
	  ROOT, "a' is encrypted", "convert" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\2'" PATCH "79", ROOT, "is marked as corrupt",
	  "qemu-img check -r all '" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\2'" PATCH "79", ROOT "snapshot = yes\n" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\1'" PATCH "79", ROOT,
	  .note = "was not closed; QEMU repairs it" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\100'" PATCH "79", ROOT,
	  "it has a feature that QEMU does not know", "another copy" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\4'" PATCH "7", ROOT, "version of qcow2", "copy" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\6'" PATCH "23", ROOT, "its clusters", "copy" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\377'" PATCH "101", ROOT, "its header has a length",
	  "copy" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\377'" PATCH "13", ROOT,
	  "the name of its backing file is not in its header", "copy" },
	{ CREATE "qcow2 root.qcow2 1M; printf '\\3'" PATCH "35", ROOT, "is encrypted", "convert" },
	{ CREATE "qcow2 a 1M; head -c 40 a > root.qcow2", ROOT, "it ends within its header",
	  "copy" },

	/* around the host's cache */
	{ CREATE "raw root.raw 1M", RAW "cache = none\n" },
	{ CREATE "raw root.raw 1M", RAW "cache = directsync\naio = native\n" },
	{ CREATE "raw root.raw 1M", RAW "cache = none\naio = native\nsnapshot = yes\n" },
	{ ":", "[disk root]\nformat = raw\nfile = /proc/version\nreadonly = yes\ncache = none\n",
	  "[disk root] cache: '/proc/version' is on a file system that has no way around the "
	  "host's "
	  "cache (O_DIRECT)",
	  "set cache = writeback" },
	{ ":",
	  "[disk root]\nformat = raw\nfile = /proc/version\nsnapshot = yes\n"
	  "cache = directsync\n",
	  "[disk root] cache: '/proc/version'", "another file system" },
	{ CREATE "qcow2 -u -b /proc/version -F raw root.qcow2 1M", ROOT "cache = none\n",
	  "[disk root] cache: '/proc/version'", "set cache = writeback" },

	/* two disks */
	{ CREATE "raw root.raw 1M; ln root.raw other", RAW "[disk b]\nformat = raw\nfile = other\n",
	  "[disk b] file: '", "an image of its own" },
	{ CREATE "raw root.raw 1M; ln root.raw other",
	  RAW "readonly = yes\n[disk b]\nformat = raw\nfile = other\nreadonly = yes\n" },
	{ CREATE "raw a 1M; " CREATE "qcow2 -b a -F raw root.qcow2; " CREATE "qcow2 -b a -F raw b",
	  ROOT "[disk b]\nfile = b\n" },
	{ CREATE "raw a 1M; " CREATE "qcow2 -b a -F raw root.qcow2",
	  ROOT "[disk b]\nformat = raw\nfile = a\n", "is used by [disk root], too", "its own" },
};

static void assert_case(Fixture *f, const Case *c)
{
	g_autoptr(HvrProfile) profile = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *said = NULL;

	make(f, c->script);
	profile = parse(f, c->disks);
	error = judge(f, profile);
	if (!error != !c->message)
		fail_msg("%s: \"%s\"", c->script, error ? error->message : "(let through)");
	if (error && (!strstr(error->message, c->message) || !strchr(error->message, '\n') ||
		      !strstr(strchr(error->message, '\n'), c->hint)))
		fail_msg("%s: \"%s\"", c->script, error->message);
	if (error)
		assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	const HvrImageNote *note = NULL;
	if (f->images.notes->len)
		note = g_ptr_array_index(f->images.notes, 0);
	if (!error && (!note != !c->note || (note && !strstr(note->text, c->note))))
		fail_msg("%s: the note is \"%s\"", c->script, note ? note->text : "(none)");
	if (c->other_qemu)
		return;
	gboolean opens = qemu_opens(f, profile, &said);
	if (opens != (!error || c->qemu_opens_it))
		fail_msg("%s: we say \"%s\", QEMU \"%s\"", c->script,
			 error ? error->message : "(let through)", said);
}

static void test_table(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_case(*state, &cases[i]);
		teardown(state);
		setup(state);
	}
}

/* Where the VM's user is stopped, the caller sees whether there is anything behind: if not, no
 * rights are asked for. */
static void test_seen_by_caller(void **state)
{
	static const char disk[] = "[disk root]\nformat = raw\nfile = a/root.raw\n";
	static const struct {
		const char *script, *fault, *hint;
	} seen[] = {
		{ "mkdir a; chmod 0 a", "a/root.raw' does not exist\n", "\ncorrect the path" },
		{ "mkdir a; : > a/root.rw; chmod 0 a", "a/root.raw' does not exist\n",
		  "\ndid you mean 'root.rw'? Else correct the path" },
		{ "mkdir a; : > a/root.raw; chmod 0 a", "a' is closed to this user)\n",
		  "/a', or chmod o+x), move the file out of there, or set [security] user" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(seen); i++) {
		Fixture *f = *state;
		if (!f->user.privileged)
			return;
		make(f, seen[i].script);
		g_autoptr(HvrProfile) profile = parse(f, disk);
		g_autoptr(GError) error = judge(f, profile);
		if (!strstr(error->message, seen[i].fault) || !strstr(error->message, seen[i].hint))
			fail_msg("%s: %s", seen[i].script, error->message);
		teardown(state);
		setup(state);
	}
}

/* A guest can write another format's header to its raw disk, with root's files in it: nobody is
 * told to believe that, but how to keep what the guest has written. What that makes is no other
 * disk. */
static void test_header_of_a_guest(void **state)
{
	static const char *const scripts[] = { CREATE "qcow2 root.raw 1M",
					       CREATE "vmdk root.raw 1M" };
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		make(f, scripts[i]);
		g_autoptr(HvrProfile) profile = parse(f, RAW);
		g_autoptr(GError) error = judge(f, profile);
		assert_non_null(strstr(error->message, "\nif it was made as one, "));
		assert_non_null(strstr(error->message, "; if a guest can have written that, do "
						       "not: it may name any file of this host"));
		assert_non_null(strstr(error->message, "convert -f raw -O qcow2 '"));
		hvr_images_clear(&f->images);
	}
	make(f, "qemu-img convert -f raw -O qcow2 root.raw root.qcow2 && "
		"qemu-img compare -q -f raw -F qcow2 root.raw root.qcow2");
	g_autoptr(HvrProfile) kept = parse(f, ROOT);
	assert_null(judge(f, kept));
}

#define BASED "[disk root]\nfile = new.qcow2\nsize = 2M\nbase = base.qcow2\n"

/* What an image is to be made on is looked at as if it were there already. */
static void test_base_refused(void **state)
{
	static const struct {
		const char *script, *disks, *message, *hint;
	} refused[] = {
		{ "rm -f base.qcow2", BASED, "base.qcow2' does not exist", "fetch it, or correct" },
		{ CREATE "raw base.qcow2 1M", BASED, "base.qcow2' is no qcow2 image",
		  "convert it: qemu-img convert -f raw -O qcow2" },
		{ CREATE "qcow2 base.qcow2 3M", BASED,
		  "base.qcow2' is a disk of 3 MiB, and the one on top of it shall have 2",
		  "no smaller" },
		{ CREATE "raw a 1M; " CREATE "qcow2 -b a -F raw base.qcow2; rm a", BASED,
		  "[disk root] file: backing file of '", "put it back" },
		{ CREATE "qcow2 base.qcow2 1M", BASED "[disk b]\nfile = base.qcow2\n",
		  "is used by [disk root], too", "its own" },
		{ "mkfifo base.qcow2", BASED, "base.qcow2' is a pipe", "name an image" },
	};
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(HvrProfile) profile = parse(f, refused[i].disks);
		make(f, "rm -f base.qcow2");
		make(f, refused[i].script);
		g_autoptr(GError) error = judge(f, profile);
		if (!error || !strstr(error->message, refused[i].message) ||
		    !strstr(error->message, refused[i].hint))
			fail_msg("%zu: \"%s\"", i, error ? error->message : "(let through)");
	}
}

/* It is made on top, QEMU opens it, and the base is what it was; then the base is not asked again.
 */
static void test_base(void **state)
{
	Fixture *f = *state;
	const HvrParts parts = { .user = &f->user };
	g_autoptr(HvrProfile) profile = parse(f, BASED);
	g_autofree char *said = NULL;
	g_autoptr(GError) error = NULL;

	make(f, CREATE "qcow2 base.qcow2 1M; sha256sum base.qcow2 > sum");
	assert_null(judge(f, profile));
	if (!hvr_disk_images_create(profile, &parts, &error))
		fail_msg("%s", error->message);
	if (!qemu_opens(f, profile, &said))
		fail_msg("%s", said);
	make(f, "sha256sum -c --quiet sum; qemu-img info new.qcow2 > info;"
		"grep -q 'virtual size: 2 MiB' info; grep -q 'backing file: .*/base.qcow2' info;"
		"grep -q 'backing file format: qcow2' info");
	assert_null(judge(f, profile));
	make(f, "rm base.qcow2");
	g_autoptr(GError) gone = judge(f, profile);
	assert_non_null(strstr(gone->message, "[disk root] file: backing file of '"));
}

/* A QEMU that has the image open until its QMP, our pipe, ends. */
static GSubprocess *hold(const char *options)
{
	g_autofree char *drive =
		g_strconcat("if=none,id=d,file=root.qcow2,format=qcow2,", options, NULL);
	g_autoptr(GError) error = NULL;
	GSubprocess *holder = g_subprocess_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, QEMU,
		"-nodefaults", "-no-user-config", "-machine", "q35,accel=tcg", "-display", "none",
		"-S", "-drive", drive, "-device", "virtio-blk-pci,drive=d", "-qmp", "stdio", NULL);
	char byte;

	if (!holder)
		fail_msg("%s", error->message);
	assert_int_equal(
		g_input_stream_read(g_subprocess_get_stdout_pipe(holder), &byte, 1, NULL, NULL), 1);
	return holder;
}

static void let_go(GSubprocess *holder)
{
	g_subprocess_force_exit(holder);
	g_subprocess_wait(holder, NULL, NULL);
	g_object_unref(holder);
}

/* Who has it how, and how we want it: busy exactly where QEMU finds it so. */
static void test_locked(void **state)
{
	static const char *const theirs[] = { "readonly=off", "readonly=on", "snapshot=on" };
	static const char *const ours[] = { "", "readonly = yes\n", "snapshot = yes\n" };
	Fixture *f = *state;
	guint busy = 0;

	make(f, CREATE "qcow2 root.qcow2 1M");
	for (gsize i = 0; i < G_N_ELEMENTS(theirs) * G_N_ELEMENTS(ours); i++) {
		g_autofree char *disks = g_strconcat(ROOT, ours[i / 3], NULL);
		g_autoptr(HvrProfile) profile = parse(f, disks);
		GSubprocess *holder = hold(theirs[i % 3]);
		g_autoptr(GError) error = judge(f, profile);
		g_autofree char *said = NULL;
		gboolean opens = qemu_opens(f, profile, &said);

		let_go(holder);
		if (opens != !error)
			fail_msg("%s beside %s: we say \"%s\", QEMU \"%s\"", ours[i / 3],
				 theirs[i % 3], error ? error->message : "(let through)", said);
		busy += error != NULL;
		if (error)
			assert_true(
				g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
		if (error)
			assert_non_null(strstr(error->message, "root.qcow2' is in use: another "));
	}
	assert_int_equal(busy, 5);
}

/* What is behind is nobody's to write to. */
static void test_locked_backing(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, "[disk top]\nfile = top.qcow2\n");
	g_autofree char *said = NULL;

	make(f, CREATE "qcow2 root.qcow2 1M; " CREATE "qcow2 -b root.qcow2 -F qcow2 top.qcow2");
	GSubprocess *holder = hold("readonly=off");
	g_autoptr(GError) error = judge(f, profile);
	gboolean opens = qemu_opens(f, profile, &said);
	let_go(holder);
	assert_non_null(error);
	assert_false(opens);
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_non_null(strstr(error->message, "backing file of '"));
	g_clear_error(&error);
	error = judge(f, profile);
	assert_null(error);
}

/* As root for that user, and as that user: the same word. */
static char *verdict(Fixture *f, const HvrProfile *profile, gboolean plain)
{
	static const gid_t given[] = { LAB }, all[] = { LAB, DISK };
	char text[2048] = "";
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		f->user.groups = (gid_t *)given;
		f->user.n_groups = 1;
		if (plain && (setgroups(2, all) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			      setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(1);
		f->user.privileged = !plain;
		g_autoptr(GError) error = judge(f, profile);
		const char *said = error ? "no" : "yes";
		_exit(write(pipes[1], said, strlen(said)) < 0);
	}
	close(pipes[1]);
	assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
	close(pipes[0]);
	waitpid(pid, NULL, 0);
	return g_strdup(text);
}

static void test_groups(void **state)
{
	static const struct {
		gid_t group;
		mode_t mode;
		const char *word;
	} files[] = { { LAB, 0660, "yes" },
		      { LAB, 0640, "no" },
		      { DISK, 0660, "no" },
		      { DISK, 0666, "yes" },
		      { 12345, 0660, "no" } };
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, RAW);

	if (!f->user.privileged)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		assert_true(g_file_set_contents("root.raw", "x", 1, NULL));
		assert_int_equal(chown("root.raw", 0, files[i].group), 0);
		assert_int_equal(chmod("root.raw", files[i].mode), 0);
		g_autofree char *root = verdict(f, profile, FALSE);
		g_autofree char *plain = verdict(f, profile, TRUE);
		assert_string_equal(root, files[i].word);
		assert_string_equal(plain, files[i].word);
	}
}

/* The same of a folder on the way. */
static void test_groups_of_folders(void **state)
{
	static const struct {
		gid_t group;
		mode_t mode;
		const char *word;
	} folders[] = { { LAB, 0750, "yes" }, { DISK, 0750, "no" }, { DISK, 0751, "yes" } };
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile =
		parse(f, "[disk root]\nformat = raw\nfile = way/root.raw\n");

	if (!f->user.privileged)
		return;
	assert_int_equal(g_mkdir("way", 0700), 0);
	assert_true(g_file_set_contents("way/root.raw", "x", 1, NULL));
	assert_int_equal(chmod("way/root.raw", 0666), 0);
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		assert_int_equal(chown("way", 0, folders[i].group), 0);
		assert_int_equal(chmod("way", folders[i].mode), 0);
		g_autofree char *root = verdict(f, profile, FALSE);
		g_autofree char *plain = verdict(f, profile, TRUE);
		assert_string_equal(root, folders[i].word);
		assert_string_equal(plain, folders[i].word);
	}
}

/* [transfer full] NULL where loop devices are not to be had. */
static char *attach_loop(const Fixture *f)
{
	char *device = NULL;
	int status = -1;

	make(f, CREATE "raw blk 1M");
	g_spawn_command_line_sync("losetup -f --show blk", &device, NULL, &status, NULL);
	if (status != 0) {
		print_message("no loop device can be had here\n");
		g_clear_pointer(&device, g_free);
		return NULL;
	}
	g_strchomp(device);
	assert_int_equal(chown(device, f->user.uid, f->user.gid), 0);
	return device;
}

static void detach_loop(const char *device)
{
	g_autofree char *command = g_strconcat("losetup -d ", device, NULL);

	assert_int_equal(chown(device, 0, DISK), 0);
	g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
}

/* QEMU has another driver for it than for files. */
static void test_block_device(void **state)
{
	static const char *const ways[] = { "", "readonly = yes\n", "snapshot = yes\n" };
	Fixture *f = *state;
	g_autofree char *device = attach_loop(f);
	g_autoptr(GString) wrong = g_string_new(NULL);

	for (gsize i = 0; device && i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *disks = g_strdup_printf("[disk root]\nformat = raw\nfile = %s\n%s",
							 device, ways[i]);
		g_autoptr(HvrProfile) profile = parse(f, disks);
		g_autoptr(GError) error = judge(f, profile);
		g_autofree char *said = NULL;

		if (error)
			g_string_append(wrong, error->message);
		else if (!qemu_opens(f, profile, &said))
			g_string_append(wrong, said);
	}
	if (device)
		detach_loop(device);
	assert_string_equal(wrong->str, "");
}

/* Claimed as mount(2) does it, by whom nobody can see: by a mount of another namespace, say. */
static void test_claimed_device(void **state)
{
	Fixture *f = *state;
	g_autofree char *device = attach_loop(f);

	if (!device)
		return;
	g_autofree char *disks = g_strdup_printf("[disk root]\nformat = raw\nfile = %s\n", device);
	g_autofree char *reading = g_strconcat(disks, "snapshot = yes\n", NULL);
	g_autoptr(HvrProfile) profile = parse(f, disks);
	g_autoptr(HvrProfile) reader = parse(f, reading);
	int claim = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
	g_autoptr(GError) busy = judge(f, profile);
	g_autoptr(GError) busy_too = judge(f, reader);
	hvr_fd_close(claim);
	g_autoptr(GError) none = judge(f, profile);
	detach_loop(device);
	assert_true(claim >= 0);
	assert_true(g_error_matches(busy, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_non_null(strstr(busy->message, "the host has mounted it"));
	assert_non_null(strstr(busy->message, "lsblk '/dev/loop"));
	assert_true(g_error_matches(busy_too, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_null(none);
}

/* 0, or what is not so: 1 is for a writer, 2 for a reader. @what: that refuses; NULL: nothing */
static int judge_mounted(Fixture *f, const char *device, const char *writer, const char *reader)
{
	static const char *const keys[] = { "", "readonly = yes\n", "snapshot = yes\n" };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *disks = g_strdup_printf("[disk root]\nformat = raw\nfile = %s\n%s",
							 device, keys[i]);
		g_autoptr(HvrProfile) profile = parse(f, disks);
		g_autoptr(GError) error = judge(f, profile);
		const char *wanted = i ? reader : writer;

		if (!wanted != !error || (error && !strstr(error->message, wanted))) {
			fprintf(stderr, "%s: %s\n", keys[i], error ? error->message : "(nothing)");
			return i ? 2 : 1;
		}
	}
	return 0;
}

static int mount_and_judge(Fixture *f, const char *device)
{
	g_autofree char *mkfs = g_strdup_printf("mkfs.ext4 -q -O ^has_journal %s", device);
	g_autofree char *place = g_build_filename(f->folder, "mnt", NULL);
	g_autofree char *who = g_strdup_printf(
		"[disk root] file: '%s' is in use: '%s' is mounted on '%s'", device, device, place);
	int status = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !g_spawn_command_line_sync(mkfs, NULL, NULL, &status, NULL) || status != 0 ||
	    g_mkdir(place, 0755) < 0 || mount(device, place, "ext4", 0, NULL) < 0)
		return SKIP;
	status = judge_mounted(f, device, who, who);
	if (!status && mount(NULL, place, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return SKIP;
	if (!status)
		status = judge_mounted(f, device, who, NULL);
	if (umount(place) < 0)
		return 3;
	return status ? status : judge_mounted(f, device, NULL, NULL);
}

/* Really mounted, where nobody else sees it. A file system that is read-only there may be shown. */
static void test_mounted_device(void **state)
{
	Fixture *f = *state;
	g_autofree char *device = attach_loop(f);
	int status = 0;

	if (!device)
		return;
	pid_t pid = fork();
	if (pid == 0)
		_exit(mount_and_judge(f, device));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	detach_loop(device);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP)
		print_message("nothing can be mounted here\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
}

/* By two names, and two disks are one: each node of a device is the same blocks. */
static void test_device_twice(void **state)
{
	Fixture *f = *state;
	g_autofree char *device = attach_loop(f);
	struct stat st;

	if (!device)
		return;
	assert_int_equal(stat(device, &st), 0);
	gboolean made = mknod("other", S_IFBLK | 0660, st.st_rdev) == 0 &&
			chown("other", f->user.uid, f->user.gid) == 0;
	g_autofree char *disks = g_strdup_printf("[disk a]\nformat = raw\nfile = %s\n"
						 "[disk b]\nformat = raw\nfile = other\n",
						 device);
	g_autoptr(HvrProfile) profile = parse(f, disks);
	g_autoptr(GError) error = judge(f, profile);
	detach_loop(device);
	if (!made)
		skip();
	/* in a folder of a file system that has no devices it is none */
	if (error && strstr(error->message, "Permission denied"))
		skip();
	assert_non_null(error);
	assert_non_null(strstr(error->message, "is used by [disk a], too"));
}

/* It is given to nobody: how that is done, for good, is told. */
static void test_device_of_root(void **state)
{
	Fixture *f = *state;
	g_autofree char *device = attach_loop(f);

	if (!device)
		return;
	g_autofree char *disks = g_strdup_printf("[disk root]\nformat = raw\nfile = %s\n", device);
	g_autofree char *rule = g_strdup_printf("; to last, in /etc/udev/rules.d/: "
						"SUBSYSTEM==\"block\", KERNEL==\"%s\", "
						"OWNER=\"lab\"",
						device + strlen("/dev/"));
	g_autoptr(HvrProfile) profile = parse(f, disks);
	assert_int_equal(chown(device, 0, DISK), 0);
	g_autoptr(GError) error = judge(f, profile);
	struct stat st;
	assert_int_equal(stat(device, &st), 0);
	detach_loop(device);
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	assert_non_null(strstr(error->message, "user lab cannot write '"));
	if (!strstr(error->message, rule))
		fail_msg("%s", error->message);
	assert_int_equal(st.st_uid, 0);
}

/* The kernel and its initrd. */
static void test_boot_files(void **state)
{
	static const struct {
		const char *script, *message;
	} wrong[] = {
		{ ":", "/kernel' does not exist\ncorrect the path" },
		{ ": > kernle", "/kernel' does not exist\ndid you mean 'kernle'?" },
		{ "mkdir kernel", "kernel' is a folder" },
		{ ": > kernel", "kernel' is empty" },
		{ "mkfifo kernel", "kernel' is no file" },
		{ "echo > kernel", "/initrd' does not exist" },
		{ "echo > kernel; : > initrd", "initrd' is empty" },
		{ "echo > kernel; echo > initrd; chmod 0 initrd", "initrd': Permission denied" },
		{ "echo | gzip > kernel; echo > initrd",
		  "kernel' is no kernel, but what gzip has compressed\nname a bzImage" },
		{ CREATE "qcow2 kernel 1M; echo > initrd",
		  "kernel' is no kernel, but a qcow2 image\nname it as file of a [disk" },
		{ "echo > kernel; echo | gzip > initrd", NULL },
		{ "echo > kernel; echo > initrd", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		Fixture *f = *state;
		g_autoptr(HvrProfile) profile =
			parse(f, "[boot]\nkernel = kernel\ninitrd = initrd\n");
		g_autoptr(GError) error = NULL;

		make(f, wrong[i].script);
		assert_int_equal(hvr_files_check(profile, &f->user, &error), !wrong[i].message);
		if (error && !strstr(error->message, wrong[i].message))
			fail_msg("%s", error->message);
		teardown(state);
		setup(state);
	}
}

/* The ROM that a card is given. */
static void test_rom(void **state)
{
	static const struct {
		const char *script, *message;
	} wrong[] = {
		{ ":", "[device npu] romfile: " },
		{ "mkdir card.rom", "card.rom' is a folder" },
		{ ": > card.rom", "card.rom' is empty" },
		{ "echo > card.rom; chmod 0 card.rom", "card.rom': Permission denied" },
		{ "echo > card.rom", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		Fixture *f = *state;
		g_autoptr(HvrProfile) profile = parse(f, "[device npu]\nromfile = card.rom\n");
		g_autoptr(GError) error = NULL;

		make(f, wrong[i].script);
		assert_int_equal(hvr_files_check(profile, &f->user, &error), !wrong[i].message);
		if (error && !strstr(error->message, wrong[i].message))
			fail_msg("%s", error->message);
		teardown(state);
		setup(state);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_header_of_a_guest),
		TEST(test_base),
		TEST(test_base_refused),
		TEST(test_seen_by_caller),
		TEST(test_locked),
		TEST(test_locked_backing),
		TEST(test_groups),
		TEST(test_block_device),
		TEST(test_claimed_device),
		TEST(test_device_twice),
		TEST(test_device_of_root),
		TEST(test_boot_files),
		TEST(test_mounted_device),
		TEST(test_groups_of_folders),
		TEST(test_rom),
	};
	g_autofree char *qemu = g_find_program_in_path(QEMU);
	g_autofree char *qemu_img = g_find_program_in_path("qemu-img");

	if ((!qemu || !qemu_img) && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("skipped: no %s, or no qemu-img\n", QEMU);
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
