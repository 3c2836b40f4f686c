/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's last words and what they mean: texts as QEMU 7.2 and 10.0 print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "launcher/qemu/diagnose.h"

#define QEMU "qemu-system-x86_64: -device {\"driver\":\"vfio-pci\"}: vfio 0000:02:00.0: "

/* A word of the meaning that only this line has; NULL: no meaning. */
static void test_diagnose(void **state)
{
	static const struct {
		const char *line, *meaning;
	} cases[] = {
		{ "qemu-system-x86_64: VFIO_MAP_DMA failed: Cannot allocate memory", "ulimit -l" },
		{ QEMU "group 14 is not viable", "hailo-vm-run check names it" },
		{ QEMU "failed to setup container for group 14: No interrupt remapping support",
		  "cannot remap interrupts" },
		{ QEMU "failed to setup container for group 14: Failed to set iommu for container: "
		       "Operation not permitted",
		  "dmesg" },
		{ QEMU "failed to open /dev/vfio/vfio: Permission denied", "chmod 0666" },
		{ QEMU "failed to open /dev/vfio/14: Permission denied", "udev rule" },
		{ QEMU "failed to open /dev/vfio/14: Device or resource busy", "one VM at a time" },
		{ QEMU "failed to open /dev/vfio/14: No such file or directory",
		  "no longer on vfio-pci" },
		{ QEMU "no iommu_group found: No such file or directory", "IOMMU is off" },
		{ "Could not access KVM kernel module: No such file or directory", "accel = tcg" },
		{ "qemu-system-x86_64: cannot set up guest memory 'ram': Cannot allocate memory",
		  "give the VM less" },
		{ "qemu-system-x86_64: -blockdev {}: Failed to get \"write\" lock",
		  "snapshot = yes" },
		{ "qemu-system-x86_64: -netdev user: Could not set up host forwarding rule "
		  "'tcp::22'",
		  "port is in use" },
		{ "qemu-system-x86_64: -blockdev {}: Image is not in qcow2 format",
		  "format = raw" },
		{ "qemu-system-x86_64: -device {\"driver\":\"vhost-user-fs-pci\"}: "
		  "vhost_backend_init failed: Protocol error",
		  "via = 9p" },
		{ "qemu-system-x86_64: warning: TCG doesn't support requested feature", NULL },
		{ "VFIO_MAP_DMA failed: Invalid argument", NULL },
		{ "VFIO_MAP_DMA", NULL },
		{ "", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *meaning = hvr_diagnose(cases[i].line);
		if (!cases[i].meaning)
			assert_null(meaning);
		else if (!meaning || !strstr(meaning, cases[i].meaning))
			fail_msg("'%s': '%s'", cases[i].line, meaning);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diagnose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
