/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's log, as a file in a fake /dev: records as Linux 6.1 gives them, one after the other.
 * Where this machine has a log, also that one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/kmsg.h"

#define CARD "0000:02:00.0"

static const char *const card_names[] = { CARD, "vfio", NULL };

static FakeSysfs *with_log(const char *text)
{
	FakeSysfs *fs = fake_sysfs_new();

	fake_files_write(fs->root, "dev/kmsg", text, 0600);
	return fs;
}

static void append(const FakeSysfs *fs, const char *text)
{
	g_autofree char *path = g_build_filename(fs->root, "dev/kmsg", NULL);
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void assert_lines(HvrKmsg *kmsg, const char *wanted)
{
	g_autoptr(GPtrArray) lines = hvr_kmsg_read(kmsg, card_names);

	g_ptr_array_add(lines, NULL);
	g_autofree char *text = g_strjoinv("\n", (char **)lines->pdata);
	assert_string_equal(text, wanted);
}

/* What was said before is another's; what is said twice is asked for once. */
static void only_what_is_new(void **state)
{
	g_autoptr(FakeSysfs) fs = with_log("4,1,1,-;vfio-pci " CARD ": before\n");
	g_autoptr(HvrKmsg) kmsg = hvr_kmsg_open(&fs->host);

	assert_non_null(kmsg);
	assert_lines(kmsg, "");
	append(fs, "4,812,9127411,-;vfio-pci " CARD ": not ready 65535ms after bus reset; giving "
		   "up\n SUBSYSTEM=pci\n DEVICE=+pci:" CARD "\n"
		   "6,813,9127412,-;usb 1-1: new device\n"
		   "4,814,9127413,-,caller=T91;vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) "
		   "exceeded\n");
	assert_lines(kmsg, "vfio-pci " CARD ": not ready 65535ms after bus reset; giving up\n"
			   "vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded");
	assert_lines(kmsg, "");
	/* A line that comes in pieces is one. */
	append(fs, "3,815,9127414,-;vfio-pci " CARD);
	assert_lines(kmsg, "");
	append(fs, ": resetting\n");
	assert_lines(kmsg, "vfio-pci " CARD ": resetting");
}

/* A process cannot have the kernel's facility, nor make a record inside of its own: a newline is
 * escaped. What is behind a space belongs to the record above. */
static void only_the_kernels_own(void **state)
{
	static const char *const foreign[] = {
		"12,1,1,-;vfio-pci " CARD ": user\n",	/* facility 1 */
		"30,1,1,-;vfio-pci " CARD ": daemon\n", /* facility 3 */
		"6,1,1,-;sh: \\x0a3,1,1,-;nothing\n SUBSYSTEM=pci\n DEVICE=+pci:" CARD "\n",
		" 3,1,1,-;vfio-pci " CARD ": indented\n",
		"vfio-pci " CARD ": no header\n",
		"x,1,1,-;vfio-pci " CARD "\n",
		";vfio-pci " CARD "\n",
		"3;vfio-pci " CARD "\n",
		"\n\n",
	};
	g_autoptr(FakeSysfs) fs = with_log("");
	g_autoptr(HvrKmsg) kmsg = hvr_kmsg_open(&fs->host);

	for (guint i = 0; i < G_N_ELEMENTS(foreign); i++)
		append(fs, foreign[i]);
	append(fs, "3,1,1,-;vfio-pci " CARD ": a\tb\x1b[2J\xff\n");
	assert_lines(kmsg, "vfio-pci " CARD ": a?b?[2J?");
}

static void names_are_words(void **state)
{
	static const struct {
		const char *text, *name;
		gboolean is_there;
	} cases[] = {
		{ "vfio-pci 0000:02:00.0: x", "0000:02:00.0", TRUE },
		{ "DMAR: [DMA Read] Request device [0000:02:00.0] fault", "0000:02:00.0", TRUE },
		{ "0000:02:00.0", "0000:02:00.0", TRUE },
		{ "pci 10000:02:00.0: x", "0000:02:00.0", FALSE },
		{ "pci 10000:02:00.0: and 0000:02:00.0", "0000:02:00.0", TRUE },
		{ "pci 0000:02:00.01: x", "0000:02:00.0", FALSE },
		{ "pci 0000:02:00.1: x", "0000:02:00.0", FALSE },
		{ "hailo_pci: loading", "hailo", TRUE },
		{ "my-hailo: loading", "hailo", FALSE },
		{ "vfio_iommu_type1_attach_group: No interrupt remapping", "vfio", TRUE },
		{ "e1000e 0000:00:1f.6: x", "e1000", FALSE },
		{ "anything", "", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		if (hvr_kmsg_names(cases[i].text, cases[i].name) != cases[i].is_there)
			fail_msg("'%s' in '%s'", cases[i].name, cases[i].text);
}

/* Of many the newest, of a long one its beginning. */
static void much_is_bounded(void **state)
{
	g_autoptr(FakeSysfs) fs = with_log("");
	g_autoptr(HvrKmsg) kmsg = hvr_kmsg_open(&fs->host);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *more = g_strnfill(100000, 'x');

	for (guint i = 0; i < 1000; i++)
		g_string_append_printf(text, "3,%u,1,-;vfio-pci " CARD ": %u\n", i, i);
	g_string_append_printf(text, "3,1,1,-;vfio-pci " CARD ": %s\n", more);
	append(fs, text->str);
	g_autoptr(GPtrArray) lines = hvr_kmsg_read(kmsg, card_names);
	assert_int_equal(lines->len, 32);
	assert_string_equal(g_ptr_array_index(lines, 0), "vfio-pci " CARD ": 969");
	assert_int_equal(strlen(g_ptr_array_index(lines, 31)), 512);
}

/* Whatever is there instead of a log is not waited for. */
static void without_a_log_there_is_none(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	g_autofree char *fifo = g_build_filename(fs->root, "dev/kmsg", NULL);
	HvrHost nowhere = fs->host;

	assert_null(hvr_kmsg_open(&fs->host));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(hvr_kmsg_open(&fs->host));
	nowhere.dev = -1;
	assert_null(hvr_kmsg_open(&nowhere));
	hvr_kmsg_free(NULL);
	assert_lines(NULL, "");
}

/* The real log: a process cannot speak for the kernel there, whatever priority it names. */
static void nobody_speaks_for_the_kernel(void **state)
{
	static const char words[] = "<3>vfio-pci " CARD ": a unit test of hailo-vm-run\n";
	HvrHost host = { .dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	g_autoptr(HvrKmsg) kmsg = hvr_kmsg_open(&host);
	int out = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	close(host.dev);
	if (!kmsg || out < 0 || write(out, words, strlen(words)) < 0)
		print_message("there is no log here to write to\n");
	else
		assert_lines(kmsg, "");
	if (out >= 0)
		close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_new),
		cmocka_unit_test(only_the_kernels_own),
		cmocka_unit_test(names_are_words),
		cmocka_unit_test(much_is_bounded),
		cmocka_unit_test(without_a_log_there_is_none),
		cmocka_unit_test(nobody_speaks_for_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
