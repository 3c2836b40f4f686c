/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * new: what is written is a profile, whatever host, home and wishes it is for; and nothing is
 * believed that lies about in a home.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/new/edit.h"
#include "launcher/new/make.h"
#include "launcher/new/write.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define KEY   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf02EccoHGxDb0hxVq"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define UID   4242

/* GLib looks for the home once. */
static char *home;

/* Who does not have to become anybody, and has files of their own. */
static HvrUser somebody(void)
{
	return (HvrUser){ .uid = UID, .gid = UID, .name = (char *)"me" };
}

static int setup(void **state)
{
	fake_files_remove(home, ".ssh");
	fake_files_remove(home, "work");
	fake_files_make_folder(home, ".ssh");
	fake_files_make_folder(home, "work");
	return chdir(home) || chdir("work");
}

/* Of UID's. */
static void put_key(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(home, ".ssh", name, NULL);

	fake_files_write(home, path + strlen(home) + 1, text, 0600);
	assert_int_equal(chown(path, UID, UID), 0);
}

static void assert_key(const char *line, const char *name, const char *notes)
{
	const HvrUser me = somebody();
	g_autoptr(GPtrArray) said = g_ptr_array_new_with_free_func(g_free);
	g_auto(HvrNewKey) key = { .line = NULL };

	assert_true(hvr_new_key_look(&me, NULL, &key, said, NULL));
	g_ptr_array_add(said, NULL);
	g_autofree char *all = g_strjoinv("\n", (char **)said->pdata);
	g_autofree char *from = key.file ? g_path_get_basename(key.file) : NULL;
	if (g_strcmp0(key.line, line) != 0 || g_strcmp0(from, name) != 0)
		fail_msg("'%s' of %s", key.line, from);
	if (notes ? !strstr(all, notes) : *all != '\0')
		fail_msg("said '%s'", all);
}

/* What ssh-keygen makes now goes first; an empty home is nothing to talk about. */
static void test_key(void **state)
{
	assert_key(NULL, NULL, NULL);
	put_key("id_rsa.pub", OTHER "\n");
	assert_key(OTHER, "id_rsa.pub", NULL);
	put_key("id_ed25519.pub", KEY " me@host\n");
	assert_key(KEY " me@host", "id_ed25519.pub", NULL);
	fake_files_remove(home, ".ssh");
	assert_key(NULL, NULL, NULL);
	fake_files_write(home, ".ssh", "", 0600);
	assert_key(NULL, NULL, NULL);
}

/* A home may be anything; the next file counts then. None of these is waited for. */
static void test_key_hostile(void **state)
{
	static const char private[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n";
	g_autofree char *path = g_build_filename(home, ".ssh/id_ed25519.pub", NULL);
	g_autofree char *blanks = g_strnfill(65 * 1024, '\n');
	g_autofree char *huge = g_strconcat(KEY "\n", blanks, NULL);

	put_key("id_rsa.pub", OTHER "\n");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_key(OTHER, "id_rsa.pub", "id_ed25519.pub' is passed over: it is not a regular file");
	unlink(path);
	fake_files_make_folder(home, ".ssh/id_ed25519.pub");
	assert_key(OTHER, "id_rsa.pub", "is passed over: it is not a regular file");
	rmdir(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_key(OTHER, "id_rsa.pub", "is passed over: it is not a regular file");
	unlink(path);
	fake_files_write(home, ".ssh/id_ed25519.pub", KEY "\n", 0644);
	assert_key(OTHER, "id_rsa.pub", "is passed over: it is somebody else's file");
	put_key("id_ed25519.pub", private);
	assert_key(OTHER, "id_rsa.pub", "is passed over: no public key is in it");
	put_key("id_ed25519.pub", huge);
	assert_key(OTHER, "id_rsa.pub", "is passed over: no public key is in it");
	put_key("id_ed25519.pub", "\"; [qemu]\nargs = -x\n" KEY " \"'#\n[vm]\n" OTHER "\n");
	assert_key(KEY, "id_ed25519.pub", NULL);
}

/* One that was named is meant: nothing else is taken in its place. */
static void test_key_given(void **state)
{
	const HvrUser me = somebody();
	g_auto(HvrNewKey) key = { .line = NULL };
	g_autoptr(GError) error = NULL;

	put_key("id_rsa.pub", OTHER "\n");
	fake_files_write(home, "work/k", KEY "\n", 0644);
	assert_true(hvr_new_key_look(&me, "k", &key, NULL, NULL));
	assert_string_equal(key.line, KEY);
	hvr_new_key_clear(&key);
	fake_files_write(home, "work/k", "none\n", 0644);
	assert_false(hvr_new_key_look(&me, "k", &key, NULL, &error));
	assert_true(g_str_has_prefix(error->message, "--key: 'k': no public key is in it\n"));
	g_clear_error(&error);
	assert_false(hvr_new_key_look(&me, "l", &key, NULL, &error));
	assert_true(g_str_has_prefix(error->message, "--key: 'l' does not exist"));
	assert_int_equal(hvr_exit_status(error), 64);
}

static HvrProfile *make(const HvrNewWish *wish)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = hvr_new_make(wish, &error);

	if (!text)
		fail_msg("%s: %s", wish->kind->name, error->message);
	HvrProfile *profile = hvr_profile_parse("/x/y.ini", text, strlen(text), NULL, &error);
	if (!profile)
		fail_msg("%s: %s", wish->kind->name, error->message);
	return profile;
}

/* As a function of the inventory. */
static HvrPciFunction card_at(const char *path, guint16 device)
{
	return (HvrPciFunction){
		.name = "0000:02:00.0", .path = (char *)path, .vendor = 0x1e60, .device = device
	};
}

/* Every kind, with every card and with and without a key: it is a profile, and says that. */
static void test_kinds(void **state)
{
	const HvrPciFunction hailo = card_at("00:1c.4/00.0", 0x2864);
	const HvrPciFunction other = card_at(NULL, 0x45c4);
	const HvrNewCard cards[] = { { NULL, 0, FALSE },
				     { &hailo, 1, FALSE },
				     { &other, 1, FALSE },
				     { &hailo, 2, FALSE },
				     { &other, 2, FALSE } };

	for (const HvrNewKind *kind = hvr_new_kinds; kind->name; kind++)
		for (guint i = 0; i < G_N_ELEMENTS(cards) * 2; i++) {
			const HvrNewCard *card = &cards[i / 2];
			const char *key = i % 2 && kind->login ? KEY : NULL;
			const HvrNewWish wish = { .kind = kind, .card = card, .key = key };
			g_autoptr(HvrProfile) profile = make(&wish);
			guint wanted = kind->card && card->function ? 1 : 0;

			assert_int_equal(profile->devices->len, wanted);
			assert_int_equal(kind->login, profile->seed.user != NULL);
			assert_int_equal(key != NULL, profile->seed.ssh_public != NULL);
			assert_true(profile->disks->len > 0 && profile->memory_bytes > 0);
		}
}

static const HvrProfileDevice *made_device(const HvrNewCard *card, HvrProfile **out_profile)
{
	const HvrNewWish wish = { .kind = &hvr_new_kinds[0], .card = card };

	*out_profile = make(&wish);
	return g_ptr_array_index((*out_profile)->devices, 0);
}

/* The only one, or the one that was named, by its slots, else by its address; of several any. */
static void test_card(void **state)
{
	const HvrPciFunction hailo = card_at("00:1c.4/00.0", 0x2864);
	const HvrPciFunction nowhere = card_at(NULL, 0x2864);
	const HvrPciFunction other = card_at("00:1c.4/00.0", 0x45c4);
	const struct {
		HvrNewCard card;
		HvrSelectBy by;
		HvrPick pick;
		guint16 device;
	} cases[] = {
		{ { &hailo, 1, FALSE }, HVR_SELECT_PATH, HVR_PICK_ONLY, 0 },
		{ { &hailo, 2, TRUE }, HVR_SELECT_PATH, HVR_PICK_ONLY, 0 },
		{ { &nowhere, 1, FALSE }, HVR_SELECT_ADDRESS, HVR_PICK_ONLY, 0 },
		{ { &hailo, 2, FALSE }, HVR_SELECT_MATCH, HVR_PICK_FREE, 0x2864 },
		{ { &other, 3, FALSE }, HVR_SELECT_MATCH, HVR_PICK_FREE, 0x45c4 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = NULL;
		const HvrProfileDevice *device = made_device(&cases[i].card, &profile);
		assert_int_equal(device->by, cases[i].by);
		assert_int_equal(device->pick, cases[i].pick);
		assert_int_equal(device->device, cases[i].device);
	}
}

/* All that can be wished. The sample's comments follow what they speak of. */
static void test_wishes(void **state)
{
	const HvrNewWish wish = { .kind = &hvr_new_kinds[1],
				  .file = "/srv/box.ini",
				  .name = "other",
				  .user = "me",
				  .memory = "768M",
				  .cpus = 1,
				  .image = "my disk.img",
				  .image_is = { "raw", 0 } };
	g_autofree char *text = hvr_new_make(&wish, NULL);
	g_autoptr(HvrProfile) profile = make(&wish);
	const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);

	assert_string_equal(profile->name, "other");
	assert_string_equal(profile->seed.user, "me");
	assert_int_equal(profile->memory_bytes, 768 << 20);
	assert_int_equal(profile->cpus, 1);
	assert_string_equal(disk->file, "/x/my disk.img");
	assert_int_equal(disk->format, HVR_DISK_RAW);
	assert_null(strstr(text, "buntu"));
	assert_non_null(strstr(text, "wget https://cloud.debian.org/images/cloud/trixie/latest/"
				     "debian-13-generic-amd64.qcow2\n"));
	assert_non_null(strstr(text, "hailo-vm-run run box.ini "));
	assert_non_null(strstr(text, "hailo-vm-run ssh other "));
	assert_null(disk->base);
}

/* A cloud image stays as it is, with a disk on top of it that is no smaller. */
static void test_base(void **state)
{
	static const struct {
		guint64 bytes;
		guint64 size_mib;
	} cases[] = { { 1, 20480 },
		      { (guint64)3 << 30, 20480 },
		      { ((guint64)30 << 30) + 1, 30721 } };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrNewWish wish = { .kind = &hvr_new_kinds[0],
					  .image = "c.img",
					  .image_is = { "qcow2", cases[i].bytes } };
		g_autoptr(HvrProfile) profile = make(&wish);
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);
		assert_string_equal(disk->base, "/x/c.img");
		assert_string_equal(disk->file, "/x/ubuntu.qcow2");
		assert_true(disk->size_bytes == cases[i].size_mib << 20);
	}
}

/* What would make another profile of it is no value. */
static void test_wishes_refused(void **state)
{
	static const struct {
		HvrNewWish wish;
		int status;
		const char *message;
	} cases[] = {
		{ { .name = "a\nb" }, 64, "new: --name: a control character" },
		{ { .user = "\xff" }, 64, "new: --user: a control character" },
		{ { .image = "a\n[qemu]", .image_is = { "raw", 0 } },
		  64,
		  "new: --image: a control" },
		{ { .file = "a\nargs = b.ini" }, 64, "new: FILE: a control character" },
		{ { .image = " a", .image_is = { "raw", 0 } },
		  64,
		  "new: --image: a profile cannot have" },
		{ { .image = "a #b", .image_is = { "raw", 0 } }, 78, "stands behind the value" },
		{ { .memory = "lots" }, 78, "[vm] memory: " },
		{ { .name = "A" }, 78, "[vm] name: " },
		{ { .user = "-oProxyCommand=x" }, 78, "[cloud-init] user: " },
		{ { .file = "My Lab.ini" }, 78, "[vm] name: is missing" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		HvrNewWish wish = cases[i].wish;
		g_autoptr(GError) error = NULL;
		wish.kind = &hvr_new_kinds[0];
		g_autofree char *text = hvr_new_make(&wish, &error);
		if (text || !strstr(error->message, cases[i].message))
			fail_msg("%u: %s", i, text ? text : error->message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
	}
}

/* The format is the file's, whatever its name says; what is none is refused before it is written.
 */
static void test_image(void **state)
{
	const HvrUser me = { .uid = getuid(), .gid = getgid(), .name = (char *)"me" };
	static const guint8 qcow2[512] = { 'Q',	     'F',      'I',	 0xfb,	    0,
					   0,	     0,	       3,	 [23] = 16, [29] = 16,
					   [39] = 1, [46] = 3, [52] = 2, [99] = 4,  [103] = 104 };
	static const guint8 xz[512] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	static const guint8 vmdk[512] = { 'K', 'D', 'M', 'V', 1 };
	static const guint8 nothing[512];
	HvrNewImage none;
	static const struct {
		const guint8 *bytes;
		const char *format, *message;
	} cases[] = {
		{ qcow2, "qcow2", NULL },
		{ nothing, "raw", NULL },
		{ xz, NULL, "'i.qcow2' is packed by xz, and a disk is not" },
		{ vmdk, NULL, "'i.qcow2' is a vmdk image, and a disk is qcow2 or raw" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		fake_files_write_bytes(home, "work/i.qcow2", cases[i].bytes, 512, 0644);
		HvrNewImage image = { NULL, 0 };
		if (hvr_new_image_look(&me, "i.qcow2", &image, &error) != !cases[i].message ||
		    g_strcmp0(image.format, cases[i].format) != 0 ||
		    (error && !strstr(error->message, cases[i].message)))
			fail_msg("%u: %s, %s", i, image.format, error ? error->message : "");
	}
	assert_false(hvr_new_image_look(&me, "none", &none, NULL));
	assert_false(hvr_new_image_look(&me, ".", &none, NULL));
}

/* Nothing that is there is touched, and nothing half is left. */
static void test_write(void **state)
{
	const HvrUser me = { .uid = getuid(), .gid = getgid(), .name = (char *)"me" };
	g_autoptr(GError) error = NULL;

	assert_true(hvr_new_write(&me, "new", "a.ini", "x\n", NULL));
	assert_false(hvr_new_write(&me, "new", "a.ini", "y\n", &error));
	assert_true(g_str_has_prefix(error->message, "new: 'a.ini' is there already"));
	assert_int_equal(hvr_exit_status(error), 64);
	g_clear_error(&error);
	g_autofree char *text = fake_files_read(home, "work/a.ini");
	assert_string_equal(text, "x");
	assert_int_equal(symlink("b.ini", "link.ini"), 0);
	assert_false(hvr_new_write(&me, "new", "link.ini", "y\n", NULL));
	assert_false(fake_files_exist(home, "work/b.ini"));
	assert_false(hvr_new_write(&me, "new", "none/a.ini", "y\n", &error));
	assert_true(g_str_has_prefix(error->message, "new: 'none/a.ini' does not exist"));
	assert_int_equal(hvr_exit_status(error), 69);
}

/* By sudo it is the caller's file, or none. */
static void test_write_by_sudo(void **state)
{
	const HvrUser caller = { UID, UID, (char *)"me", NULL, 0, TRUE, FALSE };
	g_autoptr(GError) error = NULL;
	struct stat st;

	if (getuid() != 0)
		skip();
	assert_int_equal(chmod(home, 0755), 0);
	assert_false(hvr_new_write(&caller, "new", "c.ini", "x\n", &error));
	assert_int_equal(hvr_exit_status(error), 77);
	assert_false(fake_files_exist(home, "work/c.ini"));
	assert_int_equal(chown(".", UID, UID), 0);
	assert_true(hvr_new_write(&caller, "new", "c.ini", "x\n", NULL));
	assert_int_equal(stat("c.ini", &st), 0);
	assert_int_equal(st.st_uid, UID);
}

/* A key where it is, in its comment, and where it is nowhere; other sections stay as they are. */
static void test_edit(void **state)
{
	g_autoptr(GString) text =
		g_string_new("# [a]\n[a]\nk = 1\n#l = 2\nkk = 3\n\n[b c]\n# k = 4\n"
			     "k = 5\n[d]\nk = 6\n");

	hvr_edit_set(text, "a", "k", "x");
	hvr_edit_set(text, "a", "l", "y");
	hvr_edit_set(text, "b c", "m", "z");
	assert_string_equal(text->str, "# [a]\n[a]\nk = x\nl = y\nkk = 3\n\n[b c]\nm = z\n# k = 4\n"
				       "k = 5\n[d]\nk = 6\n");
	hvr_edit_comment(text, "a", "l");
	assert_non_null(strstr(text->str, "k = x\n#l = y\nkk = 3\n"));
	hvr_edit_set(text, "a", "l", "y");
	hvr_edit_comment(text, "b c", NULL);
	assert_string_equal(text->str,
			    "# [a]\n[a]\nk = x\nl = y\nkk = 3\n\n#[b c]\n#m = z\n# k = 4\n"
			    "#k = 5\n[d]\nk = 6\n");
}

/* The command itself, on a host with a card. @words: behind "new" */
static int run_in(FakeSysfs *fs, gboolean captured, char **words, GError **error)
{
	const HvrCommand *command = hvr_command_find("new");
	HvrContext context = {
		.host = fs->host, .captured = captured, .runtime = -1, .runtime_parent = -1
	};
	HvrInvocation *it = hvr_invocation_parse(command, words, error);
	int status = it ? command->run(&context, it, error) : -1;

	if (it)
		hvr_invocation_free(command, it);
	return status;
}

static int run(FakeSysfs *fs, char **words, GError **error)
{
	return run_in(fs, FALSE, words, error);
}

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

/* What it makes of a host: its card, its memory, an image that lies there. */
static void test_command(void **state)
{
	FakeSysfs *fs = fake_layout_intel();
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_file(fs, "proc/meminfo", "MemTotal:        3000000 kB\n");
	fake_files_write(home, "work/debian-13-generic-amd64.qcow2", "raw", 0644);
	assert_int_equal(run(fs, WORDS("debian"), NULL), 0);
	g_autofree char *text = fake_files_read(home, "work/debian.ini");
	assert_non_null(strstr(text, "\n[device npu]\npath = 00:1c.4/00.0\n"));
	assert_non_null(strstr(text, "\nmemory = 1024M\n"));
	assert_non_null(strstr(text, "\nfile = debian-13-generic-amd64.qcow2\nformat = raw\n"));
	assert_int_equal(run(fs, WORDS("debian"), &error), -1);
	assert_int_equal(hvr_exit_status(error), 64);
	assert_int_equal(run(fs, WORDS("debian", "none.ini", "--card=none"), NULL), 0);
	g_autofree char *none = fake_files_read(home, "work/none.ini");
	assert_non_null(strstr(none, "\n#[device npu]\n#path = "));
	g_clear_error(&error);
	assert_int_equal(run(fs, WORDS("debian", "x.ini", "--card", "03:00.0"), &error), -1);
	assert_string_equal(error->message,
			    "--card: this host has no card '03:00.0'\nhailo-vm-run list shows the "
			    "cards; a number counts its lines from 0");
	g_clear_error(&error);
	assert_int_equal(run(fs, WORDS("windows", "--card=0"), &error), -1);
	assert_string_equal(error->message, "new: --card: this kind has none yet");
	g_clear_error(&error);
	assert_int_equal(run(fs, WORDS("debain"), &error), -1);
	assert_string_equal(error->message,
			    "new: there is no kind 'debain'\ndid you mean 'debian'?");
	assert_false(fake_files_exist(home, "work/x.ini"));
	fake_sysfs_free(fs);
}

/* --run, where that is certain to fail: told before anything is written. */
static void test_run_refused(void **state)
{
	static const struct {
		const char *line, *message;
		int status;
		gboolean captured;
	} cases[] = {
		{ "debian --run",
		  "new: --run: there is no debian-13-generic-amd64.qcow2 beside debian.ini\n"
		  "fetch it first: wget https://cloud.debian.org/",
		  69 },
		{ "rig --run", "new: --run: a rig is for 'test', with a command\n", 64 },
		{ "debian --run -", "new: --run takes a profile in a file, on this host\n", 64 },
		{ "debian --run", "new: --run takes a profile in a file, on this host\n", 64,
		  TRUE },
	};
	FakeSysfs *fs = fake_layout_intel();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) words = g_strsplit(cases[i].line, " ", -1);
		g_autoptr(GError) error = NULL;
		assert_int_equal(run_in(fs, cases[i].captured, words, &error), -1);
		if (!g_str_has_prefix(error->message, cases[i].message))
			fail_msg("'%s': %s", cases[i].line, error->message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
	}
	assert_false(fake_files_exist(home, "work/debian.ini"));
	assert_false(fake_files_exist(home, "work/rig.ini"));
	fake_sysfs_free(fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_key, setup),
		cmocka_unit_test_setup(test_key_hostile, setup),
		cmocka_unit_test_setup(test_key_given, setup),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_card),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_wishes_refused),
		cmocka_unit_test_setup(test_image, setup),
		cmocka_unit_test_setup(test_write, setup),
		cmocka_unit_test_setup(test_write_by_sudo, setup),
		cmocka_unit_test(test_edit),
		cmocka_unit_test_setup(test_command, setup),
		cmocka_unit_test_setup(test_run_refused, setup),
	};

	/* Files are another user's here. */
	if (getuid() != 0)
		return 77;
	home = g_dir_make_tmp("hvr-new-XXXXXX", NULL);
	g_setenv("HOME", home, TRUE);
	int status = cmocka_run_group_tests(tests, NULL, NULL);
	fake_files_end(home);
	g_free(home);
	return status;
}
