/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers are those of real machines: an Alder Lake board, a Ryzen 9 desktop, an Ampere Altra,
 * a Xeon with VMD, a PLX switch card.
 */
#include "tests/fake/layouts.h"

#define HAILO_PORT "0000:00:1c.4"

static void add_kernel(FakeSysfs *fs, const char *arguments)
{
	fake_sysfs_put_file(fs, "proc/cmdline", arguments);
	fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", "6.1.0-40-amd64\n");
	fake_sysfs_put_file(fs, "proc/meminfo",
			    "MemTotal:       16316412 kB\nMemFree:         8123456 kB\n"
			    "MemAvailable:   12000000 kB\nHugePages_Total:       0\n"
			    "HugePages_Free:        0\nHugepagesize:       2048 kB\n");
	fake_sysfs_put_file(fs, "proc/self/attr/current", "unconfined\n");
	fake_sysfs_put_file(fs, "dev/vfio/vfio", "");
}

/* As many processors as make cpuinfo longer than a page: it is only begun to be read. */
static void add_processors(FakeSysfs *fs, const char *vendor, const char *flag)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < 16; i++)
		g_string_append_printf(
			text,
			"processor\t: %u\nvendor_id\t: %s\nmodel name\t: a processor\n"
			"flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov "
			"pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm "
			"constant_tsc %s ept smep erms invpcid avx512f avx512dq rdseed adx\n"
			"bugs\t\t: spectre_v1 spectre_v2 spec_store_bypass\nbogomips\t: "
			"4800.00\n\n",
			i, vendor, flag);
	fake_sysfs_put_file(fs, "proc/cpuinfo", text->str);
}

static void add_x86(FakeSysfs *fs, const char *vendor, const char *flag, const char *table)
{
	g_autofree char *path = g_strconcat("sys/firmware/acpi/tables/", table, NULL);

	add_processors(fs, vendor, flag);
	fake_sysfs_put_file(fs, path, "");
	fake_sysfs_put_file(fs, "sys/kernel/irq/0/chip_name", "IR-IO-APIC\n");
	fake_sysfs_put_file(fs, "sys/kernel/irq/24/chip_name", "DMAR-MSI\n");
	fake_sysfs_put_file(fs, "sys/kernel/irq/126/chip_name", "IR-PCI-MSI-0000:00:1f.2\n");
}

static void use_units(FakeSysfs *fs, const char *first, const char *second)
{
	g_autofree char *one = g_strconcat("sys/class/iommu/", first, NULL);
	g_autofree char *two = g_strconcat("sys/class/iommu/", second, NULL);

	fake_sysfs_remove_file(fs, "sys/class/iommu/dmar0");
	fake_sysfs_put_link(fs, one, "../../devices/virtual/iommu/unit");
	fake_sysfs_put_link(fs, two, "../../devices/virtual/iommu/unit");
}

FakeSysfs *fake_layout_intel(void)
{
	FakeSysfs *fs = fake_sysfs_new();

	add_kernel(fs, "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet intel_iommu=on\n");
	add_x86(fs, "GenuineIntel", "vmx", "DMAR");
	use_units(fs, "dmar0", "dmar1");
	fake_sysfs_add_hailo8(fs, HAILO_PORT, "0000:02:00.0", 14, 0);
	return fs;
}

FakeSysfs *fake_layout_amd(void)
{
	FakeSysfs *fs = fake_sysfs_new();

	add_kernel(fs, "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 quiet\n");
	add_x86(fs, "AuthenticAMD", "svm", "IVRS");
	use_units(fs, "ivhd0", "ivhd1");
	fake_sysfs_add_hailo8(fs, "0000:00:02.1", "0000:0b:00.0", 16, 0);
	return fs;
}

FakeSysfs *fake_layout_arm(void)
{
	FakeSysfs *fs = fake_sysfs_new();

	add_kernel(fs, "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2\n");
	fake_sysfs_put_file(fs, "proc/cpuinfo",
			    "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd evtstrm aes\n"
			    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\n");
	fake_sysfs_put_file(fs, "sys/firmware/acpi/tables/IORT", "");
	fake_sysfs_put_file(fs, "sys/kernel/irq/9/chip_name", "GICv3\n");
	fake_sysfs_put_file(fs, "sys/kernel/irq/88/chip_name", "ITS-MSI\n");
	use_units(fs, "smmu3.0x000027ffe0000000", "smmu3.0x00002bffe0000000");
	fake_sysfs_add_hailo8(fs, "0004:00:01.0", "0004:01:00.0", 3, 0);
	return fs;
}

FakeSysfs *fake_layout_vmd(void)
{
	FakeSysfs *fs = fake_layout_intel();
	const FakeFunction vmd = { .vendor = 0x8086,
				   .device = 0x28c0,
				   .class_code = 0x010400,
				   .group = 7,
				   .driver = "vmd" };
	const FakeFunction port = { .parent = "0000:00:0e.0", .group = 7 };

	fake_sysfs_remove_function(fs, HAILO_PORT);
	fake_sysfs_add_function(fs, "0000:00:0e.0", &vmd);
	fake_sysfs_add_bridge(fs, "10000:e0:06.0", &port);
	fake_sysfs_add_hailo8(fs, "10000:e0:06.0", "10000:e1:00.0", 14, 0);
	return fs;
}

static void add_port(FakeSysfs *fs, const char *parent, const char *address, int group)
{
	const FakeFunction port = {
		.parent = parent, .vendor = 0x10b5, .device = 0x8724, .group = group
	};

	fake_sysfs_add_bridge(fs, address, &port);
}

FakeSysfs *fake_layout_switches(void)
{
	FakeSysfs *fs = fake_layout_intel();

	fake_sysfs_remove_function(fs, HAILO_PORT);
	add_port(fs, NULL, "0000:00:01.0", 1);
	add_port(fs, "0000:00:01.0", "0000:01:00.0", 20);
	add_port(fs, "0000:01:00.0", "0000:02:08.0", 21);
	add_port(fs, "0000:02:08.0", "0000:03:00.0", 22);
	add_port(fs, "0000:03:00.0", "0000:04:01.0", 23);
	add_port(fs, "0000:03:00.0", "0000:04:02.0", 24);
	fake_sysfs_add_hailo8(fs, "0000:04:01.0", "0000:05:00.0", 30, 0);
	fake_sysfs_add_hailo8(fs, "0000:04:02.0", "0000:06:00.0", 31, 1);
	return fs;
}

FakeSysfs *fake_layout_sriov(void)
{
	FakeSysfs *fs = fake_layout_intel();
	const FakeFunction port = { .group = 19 };
	FakeFunction nic = { .parent = "0000:00:1d.0",
			     .vendor = 0x8086,
			     .device = 0x1520,
			     .class_code = 0x020000,
			     .group = 20,
			     .driver = "igb",
			     .reset_method = "flr bus" };

	fake_sysfs_add_bridge(fs, "0000:00:1d.0", &port);
	fake_sysfs_add_function(fs, "0000:04:00.0", &nic);
	fake_sysfs_put_file(fs, "sys/devices/pci0000:00/0000:00:1d.0/0000:04:00.0/sriov_numvfs",
			    "2\n");
	nic.virtual_function = TRUE;
	nic.device = 0x1521;
	nic.driver = "igbvf";
	nic.reset_method = "flr";
	nic.group = 21;
	fake_sysfs_add_function(fs, "0000:04:10.0", &nic);
	nic.group = 22;
	fake_sysfs_add_function(fs, "0000:04:10.1", &nic);
	return fs;
}

FakeSysfs *fake_layout_century(void)
{
	FakeSysfs *fs = fake_layout_intel();
	const FakeFunction port = { .group = 8 };
	const FakeFunction bridge = {
		.parent = "0000:00:08.0", .group = 9, .driver = "", .vendor = 0x1b36, .device = 0xe
	};
	const FakeFunction nic = { .parent = "0000:02:00.0",
				   .vendor = 0x8086,
				   .device = 0x100e,
				   .class_code = 0x020000,
				   .group = 9,
				   .driver = "e1000" };

	fake_sysfs_remove_function(fs, HAILO_PORT);
	fake_sysfs_add_bridge(fs, "0000:00:08.0", &port);
	fake_sysfs_add_bridge(fs, "0000:02:00.0", &bridge);
	fake_sysfs_add_hailo8(fs, "0000:02:00.0", "0000:03:01.0", 9, 0);
	fake_sysfs_add_hailo8(fs, "0000:02:00.0", "0000:03:02.0", 9, 1);
	fake_sysfs_add_function(fs, "0000:03:03.0", &nic);
	return fs;
}

FakeSysfs *fake_layout_no_iommu(void)
{
	FakeSysfs *fs = fake_layout_intel();

	fake_sysfs_set_iommu(fs, FALSE);
	fake_sysfs_remove_file(fs, "sys/class/iommu/dmar1");
	fake_sysfs_put_file(fs, "proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n");
	return fs;
}

FakeSysfs *fake_layout_busy(void)
{
	FakeSysfs *fs = fake_sysfs_new();
	const FakeFunction nic = { .parent = HAILO_PORT,
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 15,
				   .driver = "igb" };
	const FakeFunction disk = { .parent = HAILO_PORT,
				    .vendor = 0x144d,
				    .device = 0xa80a,
				    .class_code = 0x010802,
				    .group = 16,
				    .driver = "nvme" };

	fake_sysfs_add_hailo8(fs, HAILO_PORT, "0000:02:00.0", 14, 0);
	fake_sysfs_add_function(fs, "0000:03:00.0", &nic);
	fake_sysfs_add_interface(fs, "0000:03:00.0", "eth0");
	fake_sysfs_add_function(fs, "0000:04:00.0", &disk);
	fake_sysfs_add_node(fs, "0000:04:00.0", "nvme/nvme0", "nvme0", "nvme", 240, 0);
	fake_sysfs_add_node(fs, "0000:04:00.0", "nvme/nvme0/nvme0n1", "nvme0n1", "block", 259, 0);
	fake_sysfs_add_node(fs, "0000:04:00.0", "nvme/nvme0/nvme0n1/nvme0n1p1", "nvme0n1p1",
			    "block", 259, 1);
	return fs;
}
