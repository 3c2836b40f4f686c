/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --without and --set with an empty value: what is left of a profile, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/profile/read.h"
#include "launcher/report/error.h"

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static const char lab[] = "[vm]\nname = lab\nmemory = 1G\ncpus = 8\n"
			  "[device npu]\npath = 00:1c.4/00.0\npick = free\n"
			  "[device npu2]\nmatch = 1e60:2864\n"
			  "[disk root]\nfile = a\n"
			  "[boot]\nkernel = k\n"
			  "[graphics]\nmode = vnc\n";

static HvrProfile *try(char **without, char **sets, GError **error)
{
	const HvrProfileChanges changes = { .without = without, .sets = sets };

	return hvr_profile_read("/x/file.ini", lab, strlen(lab), &changes, NULL, error);
}

static HvrProfile *bend(char **without, char **sets)
{
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = try(without, sets, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static void assert_refused(char **without, char **sets, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_null(try(without, sets, &error));
	assert_string_equal(error->message, message);
	assert_int_equal(hvr_exit_status(error), 78);
}

static const char *device(const HvrProfile *profile, guint i)
{
	return ((HvrProfileDevice *)g_ptr_array_index(profile->devices, i))->id;
}

/* One of several, by either spelling; the others stay as they are. */
static void test_without_one(void **state)
{
	static const char *const words[] = { "device.npu", "device npu", " device  npu " };

	for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autoptr(HvrProfile) profile = bend(WORDS(words[i]), NULL);
		assert_int_equal(profile->devices->len, 1);
		assert_string_equal(device(profile, 0), "npu2");
		assert_int_equal(profile->disks->len, 1);
		assert_int_equal(profile->cpus, 8);
	}
}

/* A kind by itself is all of them; one without a name goes back to its defaults. */
static void test_without_kinds(void **state)
{
	g_autoptr(HvrProfile) profile = bend(WORDS("device", "graphics", "boot"), NULL);

	assert_int_equal(profile->devices->len, 0);
	assert_int_equal(profile->graphics, HVR_GRAPHICS_NONE);
	assert_null(profile->kernel);
	assert_int_equal(profile->disks->len, 1);
}

/* What was left out can be written anew, wherever on the command line. */
static void test_without_then_set(void **state)
{
	g_autoptr(HvrProfile) profile =
		bend(WORDS("device.npu"), WORDS("device.npu.address=03:00.0"));
	const HvrProfileDevice *last = g_ptr_array_index(profile->devices, 1);

	assert_string_equal(last->id, "npu");
	assert_int_equal(last->by, HVR_SELECT_ADDRESS);
	assert_int_equal(last->pick, HVR_PICK_ONLY);
}

/* A card that somebody believes to be left out, and is not, is the host's no more. */
static void test_without_missing(void **state)
{
	assert_refused(WORDS("device.npu3"), NULL,
		       "--without device.npu3: the profile has no such section\n"
		       "did you mean 'device.npu'?");
	assert_refused(WORDS("net"), NULL,
		       "--without net: the profile has no such section\n"
		       "it has: vm, device.npu, device.npu2, disk.root, boot, graphics");
	/* the beginning of a name is no name */
	assert_refused(WORDS("dev"), NULL,
		       "--without dev: the profile has no such section\n"
		       "it has: vm, device.npu, device.npu2, disk.root, boot, graphics");
	assert_refused(WORDS("device.npu", "device.npu"), NULL,
		       "--without device.npu: the profile has no such section\n"
		       "did you mean 'device.npu2'?");
	assert_refused(WORDS("device.npu.pick"), NULL,
		       "--without device.npu.pick: the profile has no such section\n"
		       "did you mean 'device.npu'?");
	assert_refused(WORDS(""), NULL,
		       "--without: \"\" is no section\n"
		       "write for example --without device.npu");
	assert_refused(WORDS("device\n"), NULL,
		       "--without: \"device\\n\" holds a control character or is not UTF-8");
}

/* What is needed is still missed. */
static void test_without_needed(void **state)
{
	assert_refused(WORDS("vm"), NULL,
		       "/x/file.ini: [vm] memory: is missing\nwrite for example memory = 4G");
}

/* An emptied key has its default, as if neither the file nor a word before had given it. */
static void test_emptied(void **state)
{
	g_autoptr(HvrProfile) profile =
		bend(NULL, WORDS("vm.cpus=16", "vm.cpus=", "vm.name=", "device.npu.pick=",
				 "graphics.mode= ", "boot.kernel="));

	assert_int_equal(profile->cpus, 2);
	assert_string_equal(profile->name, "file");
	assert_int_equal(((HvrProfileDevice *)profile->devices->pdata[0])->pick, HVR_PICK_ONLY);
	assert_int_equal(profile->graphics, HVR_GRAPHICS_NONE);
	assert_null(profile->kernel);
}

/* Of a choice the emptied one goes, and no other: the card stays the same. */
static void test_emptied_choice(void **state)
{
	g_autoptr(HvrProfile) kept = bend(NULL, WORDS("device.npu.match="));
	g_autoptr(HvrProfile) gone = bend(NULL, WORDS("device.npu.path="));

	assert_int_equal(((HvrProfileDevice *)kept->devices->pdata[0])->by, HVR_SELECT_PATH);
	assert_int_equal(((HvrProfileDevice *)gone->devices->pdata[0])->by, HVR_SELECT_MATCH);
}

/* It adds no section; it has to be a key all the same, and a needed one is still needed. */
static void test_emptied_nothing(void **state)
{
	g_autoptr(HvrProfile) profile = bend(NULL, WORDS("device.other.pick=", "net.lan.mac="));

	assert_int_equal(profile->devices->len, 2);
	assert_int_equal(profile->nets->len, 0);
	assert_refused(NULL, WORDS("vm.memory="),
		       "/x/file.ini:1: [vm] memory: is missing\nwrite for example memory = 4G");
	assert_refused(NULL, WORDS("disk.root.file="),
		       "/x/file.ini:10: [disk root] file: is missing\n"
		       "write for example file = root.qcow2");
	assert_refused(NULL, WORDS("device.other.pik="),
		       "--set device.other.pik: there is no such key\ndid you mean 'pick'?");
	assert_refused(NULL, WORDS("device.A.pick="),
		       "--set device.A.pick: \"A\" is not a name\n"
		       "expected up to 31 of a-z, 0-9 and '-', a letter first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_one),	 cmocka_unit_test(test_without_kinds),
		cmocka_unit_test(test_without_then_set), cmocka_unit_test(test_without_missing),
		cmocka_unit_test(test_without_needed),	 cmocka_unit_test(test_emptied),
		cmocka_unit_test(test_emptied_choice),	 cmocka_unit_test(test_emptied_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
