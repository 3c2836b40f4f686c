/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How QEMU's end is told: by what came through the pipe of its standard error, by its signal, and
 * by the kernel's log of a fake /dev, where that says which of several causes it was.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/qemu/output.h"
#include "launcher/report/error.h"
#include "launcher/session/verdict.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"

#define CARD "0000:02:00.0"
#define QEMU "qemu-system-x86_64: "
#define VFIO QEMU "-device {}: vfio " CARD ": "
#define EPERM_OF_IOMMU                                                                             \
	VFIO "failed to setup container for group 14: Failed to set iommu for container: "         \
	     "Operation not permitted\n"
#define RMRR                                                                                       \
	"vfio-pci " CARD ": Device is ineligible for IOMMU domain attach due to platform RMRR "    \
	"requirement.  Contact your platform vendor."
#define STATUS(n) ((n) << 8)

typedef struct {
	FakeSysfs *fs;
	HvrVm *vm;
	HvrProfile profile;
	GPtrArray *stops;
	HvrKmsg *kmsg;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	fake_files_write(f->fs->root, "dev/kmsg", "", 0600);
	f->kmsg = hvr_kmsg_open(&f->fs->host);
	f->vm = hvr_vm_new("lab");
	f->vm->qemu.pid = 4711;
	g_ptr_array_add(f->vm->devices, hvr_vm_device_new("npu", "npu", CARD, "port0", 14));
	f->profile.sandbox = TRUE;
	f->profile.name = g_strdup("lab");
	f->stops = g_ptr_array_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	g_free(f->profile.name);
	hvr_kmsg_free(f->kmsg);
	hvr_vm_free(f->vm);
	g_ptr_array_unref(f->stops);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static void kernel_says(const Fixture *f, const char *line)
{
	g_autofree char *path = g_build_filename(f->fs->root, "dev/kmsg", NULL);
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	fprintf(file, "4,1,1,-;%s\n", line);
	fclose(file);
}

/* What @words mean as they come through a pipe. */
static const HvrDiagnosis *meaning_of(const char *words, const char *program)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], words, strlen(words)), strlen(words));
	close(ends[1]);
	HvrQemuOutput *output = hvr_qemu_output_new(ends[0], program);
	hvr_qemu_output_drain(output);
	const HvrDiagnosis *meaning = hvr_qemu_output_meaning(output);
	hvr_qemu_output_free(output);
	return meaning;
}

/* @hint: a part of it; NULL: there is none */
static void assert_verdict(const Fixture *f, int status, const char *words, const char *hint)
{
	const HvrSession session = {
		.vm = f->vm, .profile = &f->profile, .stops = f->stops, .wait_status = status
	};
	g_autoptr(GError) error = NULL;

	hvr_verdict(&session, TRUE, meaning_of(words, "qemu-system-x86_64"), f->kmsg, &error);
	assert_non_null(error);
	if (!hint && strstr(error->message, "hint: "))
		fail_msg("'%s' has a hint", error->message);
	if (hint && !strstr(error->message, hint))
		fail_msg("no '%s' in '%s'", hint, error->message);
}

/* RMRR and missing remapping have the same errno. */
static void the_kernel_says_which_cause(void **state)
{
	const Fixture *f = *state;

	assert_verdict(f, STATUS(1), EPERM_OF_IOMMU, "either this host cannot remap interrupts");
	kernel_says(f, "vfio-pci 0000:03:00.0: not ready 65535ms after bus reset; giving up");
	assert_verdict(f, STATUS(1), EPERM_OF_IOMMU, "either this host cannot remap interrupts");
	kernel_says(f, RMRR);
	assert_verdict(f, STATUS(1), EPERM_OF_IOMMU, "(RMRR): switch off");
	kernel_says(f, "vfio_iommu_type1_attach_group: No interrupt remapping support.  Use it");
	assert_verdict(f, STATUS(1), EPERM_OF_IOMMU,
		       "(the kernel: 'vfio_iommu_type1_attach_group: No interrupt remapping");
}

/* What QEMU says for certain is not the kernel's to change. */
static void a_certain_cause_stays(void **state)
{
	const Fixture *f = *state;

	kernel_says(f, RMRR);
	assert_verdict(f, STATUS(1), VFIO "group 14 is not viable\n",
		       "hailo-vm-run check names it");
}

static void a_silent_end_has_the_kernels_words(void **state)
{
	const Fixture *f = *state;

	assert_verdict(f, STATUS(1), "", NULL);
	kernel_says(f, "vfio-pci " CARD ": Unable to change power state from D3cold to D0, device "
		       "inaccessible");
	assert_verdict(f, STATUS(1), "", "which may be why: the card's power is cut");
}

static void signals_are_understood(void **state)
{
	Fixture *f = *state;

	assert_verdict(f, SIGSYS, "", "set security.sandbox = no");
	f->profile.sandbox = FALSE;
	assert_verdict(f, SIGSYS, "", "SystemCallFilter=");
	assert_verdict(f, SIGSEGV, "", NULL);
	assert_verdict(f, SIGKILL, "", "or somebody killed it");
	kernel_says(f, "Out of memory: Killed process 471 (qemu-system-x86) total-vm:9437184kB");
	assert_verdict(f, SIGKILL, "", "or somebody killed it");
	kernel_says(f, "Out of memory: Killed process 4711 (qemu-system-x86) total-vm:9437184kB");
	assert_verdict(f, SIGKILL, "", "the kernel ended QEMU: give the VM less");
}

/* Such as one whose words are -version. */
static void one_that_never_began_has_not_ended_well(void **state)
{
	const Fixture *f = *state;
	HvrSession session = { .vm = f->vm, .profile = &f->profile, .stops = f->stops };
	g_autoptr(GError) error = NULL;

	hvr_verdict(&session, TRUE, NULL, f->kmsg, &error);
	assert_null(error);
	hvr_verdict(&session, FALSE, NULL, f->kmsg, &error);
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	assert_non_null(strstr(error->message, "with status 0 before there was a VM"));
	g_clear_error(&error);
	g_ptr_array_add(f->stops, f->vm);
	hvr_verdict(&session, FALSE, NULL, f->kmsg, &error);
	assert_null(error);
}

/* What QEMU goes on after counts only where nothing else is said. */
static void the_first_that_counts(void **state)
{
	static const char mild[] = QEMU "Failed to mmap " CARD " BAR 2. Performance may be slow\n";
	static const char hard[] = VFIO "group 14 is not viable\n";
	g_autofree char *both = g_strconcat(mild, hard, mild, NULL);
	g_autofree char *hards = g_strconcat(hard, EPERM_OF_IOMMU, NULL);

	assert_string_equal(meaning_of(mild, "qemu-system-x86_64")->id, "bar-slow");
	assert_string_equal(meaning_of(both, "qemu-system-x86_64")->id, "not-viable");
	assert_string_equal(meaning_of(hards, "qemu-system-x86_64")->id, "not-viable");
	/* The same from a guest, by QEMU's standard output. */
	assert_null(meaning_of(hard, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_says_which_cause),
		TEST(a_certain_cause_stays),
		TEST(a_silent_end_has_the_kernels_words),
		TEST(signals_are_understood),
		TEST(one_that_never_began_has_not_ended_well),
		TEST(the_first_that_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
