/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UEFI by QEMU's firmware descriptors: which one is taken, and what is no descriptor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/firmware.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"

/* Nothing of a distribution is to be seen. */
static const HvrHost no_host = { .root = -1 };

typedef struct {
	char *own, *shared; /* two folders; the first one counts more */
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->own = g_dir_make_tmp("hvr-firmware-XXXXXX", NULL);
	f->shared = g_dir_make_tmp("hvr-firmware-XXXXXX", NULL);
	*state = f;
	return 0;
}

static void remove_folder(char *folder)
{
	fake_files_end(folder);
	g_free(folder);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	remove_folder(f->own);
	remove_folder(f->shared);
	g_free(f);
	return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

#define MAPPING(file)                                                                              \
	"'mapping':{'device':'flash','executable':{'filename':'/fw/" file ".fd','format':'raw'},"  \
	"'nvram-template':{'filename':'/fw/" file ".vars.fd','format':'qcow2'}},"
#define TARGET "'targets':[{'architecture':'x86_64','machines':['pc-i440fx-*','pc-q35-*']}],"
#define UEFI   "{'interface-types':['uefi'],"

/* A descriptor with these features. [transfer full] */
static char *descriptor(const char *file, const char *features)
{
	g_autoptr(GString) text =
		g_string_new(UEFI MAPPING("FILE") TARGET "'features':[FEATURES]}");

	g_string_replace(text, "FILE", file, 0);
	g_string_replace(text, "FEATURES", features, 0);
	g_string_replace(text, "'", "\"", 0);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void put_descriptor(const char *folder, const char *name, const char *features)
{
	g_autofree char *text = descriptor(name, features);
	g_autofree char *file = g_strconcat(name, ".json", NULL);

	put(folder, file, text);
}

static HvrFirmware *find(const Fixture *f, const char *machine, gboolean secure)
{
	const char *const folders[] = { f->own, "/nowhere/at/all", f->shared, NULL };

	return hvr_firmware_find(&no_host, folders, machine, secure, NULL);
}

static void assert_code(const Fixture *f, const char *machine, gboolean secure, const char *name)
{
	g_autoptr(HvrFirmware) firmware = find(f, machine, secure);
	g_autofree char *code = name ? g_strdup_printf("/fw/%s.fd", name) : NULL;

	if (g_strcmp0(firmware ? firmware->code : NULL, code) != 0)
		fail_msg("found %s", firmware ? firmware->code : "none");
}

static void put_all(const Fixture *f)
{
	put_descriptor(f->shared, "40-enrolled", "'enrolled-keys','requires-smm','secure-boot'");
	put_descriptor(f->shared, "50-secure", "'requires-smm','secure-boot'");
	put_descriptor(f->shared, "60-plain", "'acpi-s3','amd-sev'");
}

/* The three that distributions ship: keys for secure, else none of it, else nothing enrolled. */
static void test_kinds(void **state)
{
	Fixture *f = *state;
	g_autofree char *plain = g_build_filename(f->shared, "60-plain.json", NULL);

	put_all(f);
	assert_code(f, "q35", TRUE, "40-enrolled");
	assert_code(f, "q35", FALSE, "60-plain");
	assert_code(f, "pc-q35-7.2", FALSE, "60-plain");
	g_unlink(plain);
	assert_code(f, "q35", FALSE, "50-secure");
}

static void test_whole(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrFirmware) secure = NULL;
	g_autoptr(HvrFirmware) plain = NULL;

	put_all(f);
	secure = find(f, "q35", TRUE);
	plain = find(f, "q35", FALSE);
	assert_string_equal(secure->code_format, "raw");
	assert_string_equal(secure->vars, "/fw/40-enrolled.vars.fd");
	assert_string_equal(secure->vars_format, "qcow2");
	assert_true(secure->needs_smm && !plain->needs_smm);
}

/* The administrator's folder comes first: other files by their names, the same name in place. */
static void test_folders(void **state)
{
	Fixture *f = *state;

	put_all(f);
	put_descriptor(f->own, "55-ours", "'acpi-s3'");
	assert_code(f, "q35", FALSE, "55-ours");
	put(f->own, "55-ours.json", "");
	assert_code(f, "q35", FALSE, "60-plain");
	put(f->own, "60-plain.json", "");
	assert_code(f, "q35", FALSE, "50-secure");
}

/* None of these is a descriptor of a firmware that suits, and none of them ends the program. */
static void test_unsuitable(void **state)
{
	static const char *const texts[] = {
		"{",
		"[]",
		"null",
		"3",
		"'uefi'",
		"{}",
		UEFI "}",
		"{'interface-types':'uefi'}",
		"{'interface-types':[1,null,{},['uefi']]}",
		"{'interface-types':['bios']," MAPPING("a") TARGET "'features':[]}",
		UEFI TARGET "'features':[]}",
		UEFI "'mapping':[]," TARGET "'features':[]}",
		UEFI "'mapping':{'device':'memory','filename':'/a'}," TARGET "'features':[]}",
		UEFI "'mapping':{'device':'flash','mode':'stateless','executable':{'filename':'/a',"
		     "'format':'raw'}}," TARGET "'features':[]}",
		UEFI "'mapping':{'device':'flash','executable':{'filename':'a','format':'raw'},"
		     "'nvram-template':{'filename':'/a','format':'raw'}}," TARGET "'features':[]}",
		UEFI "'mapping':{'device':'flash','executable':{'filename':'/a','format':'vmdk'},"
		     "'nvram-template':{'filename':'/a','format':'raw'}}," TARGET "'features':[]}",
		UEFI "'mapping':{'device':'flash','executable':{'filename':7,'format':'raw'},"
		     "'nvram-template':'x'}," TARGET "'features':[]}",
		UEFI MAPPING("a") "'targets':[{'architecture':'aarch64','machines':['pc-q35-*']}]}",
		UEFI MAPPING(
			"a") "'targets':[{'architecture':'x86_64','machines':['pc-i440fx-*']}]}",
		UEFI MAPPING("a") "'targets':[3,null,{'architecture':['x86_64'],'machines':{}}]}",
		UEFI MAPPING("a") "'targets':[{'architecture':'x86_64','machines':[null]}]}",
	};
	Fixture *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GString) text = g_string_new(texts[i]);

		g_string_replace(text, "'", "\"", 0);
		put(f->shared, "a.json", text->str);
		assert_code(f, "q35", FALSE, NULL);
		assert_code(f, "q35", TRUE, NULL);
	}
}

/* Too long, of another name, a folder: not even looked at. */
static void test_files(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = descriptor("a", "");
	g_autofree char *blanks = g_strnfill(17000, ' ');
	g_autofree char *deep = g_strnfill(16000, '[');
	g_autofree char *large = g_strconcat(text, blanks, NULL);
	g_autofree char *folder = g_build_filename(f->shared, "c.json", NULL);

	put(f->shared, "a.json", large);
	put(f->shared, "b.json~", text);
	put(f->shared, "d.json", deep);
	assert_int_equal(g_mkdir(folder, 0755), 0);
	assert_code(f, "q35", FALSE, NULL);
	assert_int_equal(g_rmdir(folder), 0);
}

static void assert_refused(const Fixture *f, gboolean secure, const char *message)
{
	const char *const folders[] = { f->shared, NULL };
	g_autoptr(GError) error = NULL;

	assert_null(hvr_firmware_find(&no_host, folders, "pc-q35-7.2", secure, &error));
	assert_string_equal(error->message, message);
	assert_int_equal(hvr_exit_status(error), 69);
}

static void test_none(void **state)
{
	Fixture *f = *state;

	assert_refused(f, FALSE,
		       "[firmware] mode: this host has no UEFI firmware without Secure "
		       "Boot for pc-q35-7.2\ninstall it (Debian, Ubuntu: apt install "
		       "ovmf; Fedora, RHEL: dnf install edk2-ovmf)");
	put_descriptor(f->shared, "60-plain", "");
	assert_refused(f, TRUE,
		       "[firmware] mode: this host has no UEFI firmware with Secure Boot "
		       "and keys for pc-q35-7.2\ninstall it (Debian, Ubuntu: apt install "
		       "ovmf; Fedora, RHEL: dnf install edk2-ovmf)");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kinds),      TEST(test_whole), TEST(test_folders),
		TEST(test_unsuitable), TEST(test_files), TEST(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
