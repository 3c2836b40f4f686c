/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a saved guest depends on: each of it that changes makes another key, and says what it was.
 * Images are real ones, by qemu-img.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "launcher/parts/parts.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/warm/key.h"
#include "launcher/warm/roms.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define SKIP 77

static const char profile_text[] = "[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
				   "[boot]\nkernel = kernel\n"
				   "[disk root]\nfile = top.qcow2\nsnapshot = yes\n"
				   "[net lan]\nmode = user\n"
				   "[cloud-init]\nuser-data = user-data\n"
				   "[guest]\nagent = yes\nready = agent\nwarm-script = warm.sh\n";

static const char uefi_text[] = "[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
				"[firmware]\nmode = uefi\ncode = code.fd\nvars = vars.fd\n"
				"[guest]\nready = serial:up\n";

static char *folder;

static void make_image(const char *line)
{
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	int status = -1;

	assert_true(g_spawn_sync(folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
				 &status, NULL));
	assert_int_equal(status, 0);
}

static void make_link(const char *to, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	assert_int_equal(symlink(to, path), 0);
}

/* The second one is not there. */
static GPtrArray *rom_folders(void)
{
	GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(folders, g_build_filename(folder, "roms", NULL));
	g_ptr_array_add(folders, g_build_filename(folder, "none", NULL));
	return folders;
}

static int setup(void **state)
{
	g_autofree char *qemu_img = g_find_program_in_path("qemu-img");

	if (!qemu_img)
		_exit(SKIP);
	folder = g_dir_make_tmp("hvr-warm-XXXXXX", NULL);
	assert_int_equal(g_chmod(folder, 0755), 0);
	fake_files_write(folder, "qemu", "QEMU 1", 0755);
	fake_files_write(folder, "kernel", "a kernel", 0644);
	fake_files_write(folder, "user-data", "#cloud-config\n", 0644);
	fake_files_write(folder, "warm.sh", "true", 0644);
	fake_files_write(folder, "roms/bios-256k.bin", "a BIOS", 0644);
	fake_files_write(folder, "roms/keymaps", "keys", 0644);
	fake_files_write(folder, "more/vgabios-stdvga.bin", "a screen's", 0644);
	make_link("../more/vgabios-stdvga.bin", "roms/vgabios.bin");
	make_image("qemu-img create -q -f raw code.fd 1M");
	make_image("qemu-img create -q -f raw vars.fd 1M");
	make_image("qemu-img create -q -f raw bottom.raw 1M");
	make_image("qemu-img create -q -f qcow2 -F raw -b bottom.raw top.qcow2");
	make_image("qemu-img create -q -f qcow2 more.qcow2 1M");
	return 0;
}

static int teardown(void **state)
{
	fake_files_end(folder);
	g_free(folder);
	return 0;
}

/* The guest as it is now, with this word of --set. [transfer full] */
static char *describe_as(const char *text, const char *set, guint uid, GError **error)
{
	const char *const sets[] = { set, NULL };
	g_autofree char *file = g_build_filename(folder, "lab.ini", NULL);
	g_autofree char *qemu = g_build_filename(folder, "qemu", NULL);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse(file, text, strlen(text), set ? sets : NULL, error);
	HvrUser user = { .name = (char *)"me", .uid = uid, .gid = getegid() };
	HvrFacts facts = { .user = &user, .qemu_path = qemu };
	HvrContext context = { .host = { .root = -1, .proc = -1, .sys = -1, .dev = -1 },
			       .runtime = -1,
			       .runtime_parent = -1 };
	HvrPlan plan = { .user = &user };

	if (!profile)
		fail_msg("%s", error && *error ? (*error)->message : "no profile");
	g_autoptr(HvrParts) parts = hvr_parts_gather(&context, profile, &user, error);
	assert_non_null(parts);
	if (parts->unreadable)
		fail_msg("%s", parts->unreadable->message);
	profile->cards_later = TRUE;
	profile->firmware.throw_away = TRUE;
	hvr_profile_make_macs(profile);
	g_autoptr(GPtrArray) roms = rom_folders();
	const HvrWarmGuest guest = { .context = &context,
				     .profile = profile,
				     .facts = &facts,
				     .parts = parts,
				     .plan = &plan,
				     .roms = roms };
	return hvr_warm_describe(&guest, error);
}

static char *describe_text(const char *text, const char *set)
{
	g_autoptr(GError) error = NULL;
	char *about = describe_as(text, set, geteuid(), &error);

	if (!about)
		fail_msg("%s", error->message);
	return about;
}

static char *describe(const char *set)
{
	return describe_text(profile_text, set);
}

/* @what: what is said to differ */
static void assert_another(const char *before, const char *now, const char *what)
{
	g_autofree char *old = hvr_warm_key(before), *new = hvr_warm_key(now);
	g_autofree char *difference = hvr_warm_difference(before, now);

	assert_string_not_equal(old, new);
	if (!strstr(difference, what))
		fail_msg("'%s' is not in '%s'", what, difference);
}

static void nothing_has_changed(void **state)
{
	g_autofree char *one = describe(NULL), *other = describe(NULL);
	g_autofree char *key = hvr_warm_key(one);

	assert_string_equal(one, other);
	assert_int_equal(strlen(key), 64);
	/* the VM's own name is not the guest's */
	assert_null(strstr(one, "guest=lab"));
	/* nor what is made of it */
	g_autofree char *named = describe("vm.name=other");
	assert_string_equal(one, named);
	assert_non_null(strstr(one, "made of the name"));
}

static void the_profile_has_changed(void **state)
{
	static const char *const cases[][2] = {
		{ "vm.cpus=3", "-smp" },
		{ "vm.memory=65M", "-m" },
		{ "net.lan.mac=52:54:00:12:34:57", "-device" },
		{ "vm.cpu=max,-avx", "-cpu" },
		{ "vm.machine=pc-q35-7.0", "-machine" },
		{ "cloud-init.hostname=other", "[cloud-init]" },
		{ "disk.more.file=more.qcow2", "-" },
		{ "boot.cmdline=quiet", "-append" },
		{ "vm.rtc=localtime", "-rtc" },
		{ "qemu.args=-device e1000,romfile=", "-device" },
		{ "qemu.args=-chardev null,id=x,logfile=y", "-chardev" },
		{ "serial.mode=none", "-chardev" },
	};
	g_autofree char *before = describe(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gboolean disk = strstr(cases[i][0], "disk.more") != NULL;
		g_autofree char *text = g_strconcat(
			profile_text, disk ? "[disk more]\nreadonly = yes\nfile = x\n" : "", NULL);
		g_autofree char *now = describe_as(text, cases[i][0], geteuid(), &error);
		if (!now)
			fail_msg("%s: %s", cases[i][0], error->message);
		assert_another(before, now, cases[i][1]);
	}
}

static void change_byte(const char *name, off_t place)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_auto(HvrFd) fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "x", 1, place), 1);
}

/* What was changed has its size and its mtime: whoever meant to hide it. */
static void a_file_has_changed(void **state)
{
	static const struct {
		const char *name, *what;
		off_t place;
		const char *text; /* NULL: profile_text */
	} cases[] = {
		{ "top.qcow2", "top.qcow2", 190000 },
		{ "bottom.raw", "bottom.raw", 5000 },
		{ "kernel", "kernel", 0 },
		{ "user-data", "user-data", 1 },
		{ "warm.sh", "warm.sh", 1 },
		{ "code.fd", "code.fd", 1, uefi_text },
		{ "vars.fd", "vars.fd", 1, uefi_text },
		{ "qemu", "QEMU's program", 5 },
		{ "roms/bios-256k.bin", "ROM bios-256k.bin", 1 },
		{ "more/vgabios-stdvga.bin", "ROM vgabios.bin", 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_build_filename(folder, cases[i].name, NULL);
		const char *text = cases[i].text ? cases[i].text : profile_text;
		g_autofree char *before = describe_text(text, NULL);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		const struct timespec times[] = { st.st_atim, st.st_mtim };
		change_byte(cases[i].name, cases[i].place);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		g_autofree char *now = describe_text(text, NULL);
		assert_another(before, now, cases[i].what);
	}
}

/* A package may bring one more, or none; what is no ROM is not in the guest. */
static void roms_come_and_go(void **state)
{
	g_autofree char *path = g_build_filename(folder, "roms/efi-virtio.rom", NULL);
	g_autofree char *before = describe(NULL);

	change_byte("roms/keymaps", 1);
	g_autofree char *keys = describe(NULL);
	assert_string_equal(before, keys);
	fake_files_write(folder, "roms/efi-virtio.rom", "a network card's", 0644);
	g_autofree char *more = describe(NULL);
	assert_another(before, more, "ROM efi-virtio.rom");
	assert_int_equal(unlink(path), 0);
	g_autofree char *none = describe(NULL);
	assert_string_equal(before, none);
}

/* The folders are what a program has told: they are looked at as who it is for. */
static void roms_of_root_are_not_told(void **state)
{
	g_autofree char *closed = g_build_filename(folder, "roms", NULL);
	g_autofree char *link = g_build_filename(folder, "open/b.rom", NULL);
	g_autofree char *open = g_path_get_dirname(link);
	g_autoptr(GPtrArray) folders = g_ptr_array_new();
	g_autoptr(HvrUser) nobody = hvr_user_find("nobody", TRUE, NULL);
	g_autoptr(GString) about = g_string_new(NULL);

	if (geteuid() != 0)
		skip();
	fake_files_write(folder, "roms/secret.bin", "root's", 0644);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(closed, 0700), 0);
	assert_int_equal(mkdir(open, 0755), 0);
	assert_int_equal(symlink("../roms/secret.bin", link), 0);
	g_ptr_array_add(folders, closed);
	g_ptr_array_add(folders, open);
	hvr_warm_roms_add(about, nobody, folders);
	assert_string_equal(about->str, "");
	assert_int_equal(chmod(closed, 0755), 0);
	hvr_warm_roms_add(about, nobody, folders);
	assert_non_null(strstr(about->str, "ROM secret.bin: "));
	assert_non_null(strstr(about->str, "ROM b.rom: "));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(open), 0);
}

/* One that starts what somebody likes. */
static void a_script_is_no_qemu(void **state)
{
	g_autoptr(GError) error = NULL;

	fake_files_write(folder, "qemu", "#!/bin/sh\nexec qemu-system-x86_64 \"$@\"\n", 0755);
	g_autofree char *about = describe_as(profile_text, NULL, geteuid(), &error);
	fake_files_write(folder, "qemu", "QEMU 1", 0755);
	assert_null(about);
	assert_non_null(strstr(error->message, "is a script"));
}

/* The same bytes in another file are not taken for granted; nor is another version of ours. */
static void somebody_else(void **state)
{
	g_autofree char *before = describe(NULL);
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) parts = g_strsplit(before, HVR_VERSION, 2);
	g_autofree char *newer = g_strjoinv("999", parts);

	assert_another(before, newer, "hailo-vm-run");
	if (geteuid() != 0)
		return;
	g_autofree char *other = describe_as(profile_text, NULL, 4711, &error);
	assert_non_null(other);
	assert_another(before, other, "the VM's user");
}

static void what_cannot_be_saved(void **state)
{
	static const char *const cases[][3] = {
		{ "guest.warm-script=warm.sh", "without an agent", uefi_text },
		{ "disk.root.snapshot=no", "keeps what the guest writes" },
		{ "disk.root.bus=nvme", "QEMU cannot save" },
		{ "guest.ready=none", "when the guest is ready" },
		{ "qemu.args=-incoming tcp:127.0.0.1:1", "[qemu] args = -incoming" },
		{ "qemu.args=--incoming defer", "[qemu] args = --incoming" },
		{ "qemu.args=-device vfio-pci,host=01:00.0", "[qemu] args = vfio-pci" },
		{ "qemu.args=-S", "[qemu] args = -S" },
		{ "qemu.args=-drive file=x.img,if=virtio", "[qemu] args = -drive" },
		{ "qemu.args=--blockdev file,filename=x,node-name=x", "[qemu] args = --blockdev" },
		{ "qemu.args=-bios other.bin", "[qemu] args = -bios" },
		{ "qemu.args=-L roms", "[qemu] args = -L" },
		{ "qemu.args=-fw_cfg name=opt/x,file=x", "[qemu] args = name=opt/x,file=x" },
		{ "qemu.args=-device e1000,romfile=x", "[qemu] args = e1000,romfile=x" },
		{ "qemu.first-args=-device usb-host,hostbus=1", "[qemu] first-args = usb-host" },
		{ "graphics.mode=spice", "[graphics]" },
		{ "tpm.model=crb", "[tpm]" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		const char *text = cases[i][2] ? cases[i][2] : profile_text;
		g_autofree char *about = describe_as(text, cases[i][0], geteuid(), &error);
		if (about)
			fail_msg("%s is not refused", cases[i][0]);
		assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
		if (!strstr(error->message, cases[i][1]))
			fail_msg("'%s' is not in '%s'", cases[i][1], error->message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_changed),	cmocka_unit_test(the_profile_has_changed),
		cmocka_unit_test(a_file_has_changed),	cmocka_unit_test(somebody_else),
		cmocka_unit_test(what_cannot_be_saved), cmocka_unit_test(a_script_is_no_qemu),
		cmocka_unit_test(roms_come_and_go),	cmocka_unit_test(roms_of_root_are_not_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
