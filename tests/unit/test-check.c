/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thing that a host can lack has its own line, its own fix and the right exit status. */
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/check/check.h"
#include "launcher/command/cli.h"
#include "launcher/host/decide.h"
#include "launcher/host/judge.h"
#include "launcher/profile/read.h"
#include "launcher/runtime/holds.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"
#define PATH "sys/devices/pci0000:00/0000:00:1c.4/0000:02:00.0"

/* A QEMU that answers what it is asked. Not below the fake machine: that may be noexec. */
typedef struct {
	char *folder;
	char *binary;
} Tools;

static Tools tools;

/* The ids of lines that were seen with FAIL. */
static GHashTable *failed;

/* QEMU's own words, of raw_open_common() in its block/file-posix.c */
#define NO_NATIVE "aio=native was specified, but is not supported in this build."

static void write_qemu(const char *version, const char *devices, int sandbox_status)
{
	g_autofree char *text = g_strdup_printf(
		"#!/bin/sh\ncase \"$*\" in\n"
		"'-sandbox on -version') [ %d = 0 ] || echo no seccomp >&2; echo ok; exit %d;;\n"
		"-version) echo 'QEMU emulator version %s (Debian)';;\n"
		"'-machine none -device help') printf '%s';;\n"
		"'-machine none -device vfio-pci,help')\n"
		"  printf 'vfio-pci options:\\n  rombar=<uint32>\\n  x-no-mmap=<bool>\\n';;\n"
		"*'\"aio\":\"native\"'*) echo 'qemu: -blockdev {}: " NO_NATIVE "' >&2; exit 1;;\n"
		"*'\"aio\":\"io_uring\"'*)\n"
		"  echo 'qemu: Could not open: Permission denied' >&2; exit 1;;\n"
		"*) exit 9;;\nesac\n",
		sandbox_status, sandbox_status, version, devices);

	g_unlink(tools.binary);
	assert_true(g_file_set_contents(tools.binary, text, -1, NULL));
	assert_int_equal(chmod(tools.binary, 0755), 0);
}

#define ALL_DEVICES "name \"vfio-pci\", bus PCI\\nname \"pcie-root-port\", bus PCI\\n"

static int set_up(void **state)
{
	failed = g_hash_table_new(g_str_hash, g_str_equal);
	tools.folder = g_dir_make_tmp("hvr-check-XXXXXX", NULL);
	assert_non_null(tools.folder);
	assert_int_equal(chmod(tools.folder, 0755), 0);
	tools.binary = g_build_filename(tools.folder, "qemu", NULL);
	write_qemu("7.2.22", ALL_DEVICES, 0);
	return 0;
}

static int tear_down(void **state)
{
	g_hash_table_unref(failed);
	g_unlink(tools.binary);
	g_rmdir(tools.folder);
	g_free(tools.folder);
	g_free(tools.binary);
	return 0;
}

static HvrContext context_of(FakeSysfs *fs)
{
	return (HvrContext){ .host = fs->host,
			     .runtime = -1,
			     .runtime_parent = -1,
			     .privileged = TRUE,
			     .memlock_max = G_MAXUINT64,
			     .runtime_path = "",
			     .system_config = "/nowhere" };
}

static HvrProfile *profile_with(const char *more)
{
	g_autofree char *text = g_strdup_printf("[vm]\nmemory = 4G\naccel = tcg\n"
						"[qemu]\nbinary = %s\n%s",
						tools.binary, more ? more : "[device npu]\n");
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static GPtrArray *check(FakeSysfs *fs, const HvrContext *context, const char *more)
{
	HvrContext own = context ? *context : context_of(fs);
	g_autoptr(HvrProfile) profile = profile_with(more);
	g_autoptr(GError) error = NULL;
	g_autofree char *before = fake_sysfs_snapshot(fs);
	GPtrArray *results = hvr_check_run(&own, profile, &error);
	g_autofree char *after = fake_sysfs_snapshot(fs);

	assert_non_null(results);
	assert_string_equal(before, after);
	for (guint i = 0; i < fs->log->len; i++)
		assert_false(g_str_has_prefix(g_ptr_array_index(fs->log, i), "write"));
	return results;
}

static const HvrCheckResult *find(const GPtrArray *results, const char *id)
{
	const HvrCheckResult *worst = NULL;

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (g_str_equal(result->id, id) && (!worst || result->status == HVR_CHECK_FAIL))
			worst = result;
	}
	return worst;
}

static void show(const GPtrArray *results)
{
	g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	print_message("%s", text);
}

/* @seen, @fix: must be in the texts; NULL fix: there is none. */
static void assert_line(const GPtrArray *results, const char *id, HvrCheckStatus status,
			const char *seen, const char *fix)
{
	const HvrCheckResult *result = find(results, id);

	if (status == HVR_CHECK_FAIL)
		g_hash_table_add(failed, (gpointer)id);
	if (!result || result->status != status || !strstr(result->seen, seen) ||
	    !result->fix != !fix || (fix && !strstr(result->fix, fix))) {
		show(results);
		fail_msg("no line '%s' with status %s, '%s' and fix '%s'", id,
			 hvr_check_status_name(status), seen, fix ? fix : "none");
	}
}

static void assert_exit(const GPtrArray *results, int status)
{
	if (hvr_check_exit_status(results) != status) {
		show(results);
		assert_int_equal(hvr_check_exit_status(results), status);
	}
}

/* A fix stands where something is to be fixed, and only there; no line is empty. */
static void assert_well_formed(const GPtrArray *results)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		assert_true(result->id && *result->id && *result->subject && *result->seen);
		assert_int_equal(result->fix == NULL, result->status == HVR_CHECK_PASS);
		assert_null(strchr(result->seen, '\n'));
		if (result->fix)
			assert_null(strchr(result->fix, '\n'));
	}
}

/* Every machine that is ready is called so, in the words of its maker. */
static void test_ready(void **state)
{
	static const struct {
		FakeLayout layout;
		const char *device, *iommu;
	} cases[] = {
		{ fake_layout_intel, "[device npu]\n", "Intel VT-d (dmar0 dmar1)" },
		{ fake_layout_amd, "[device npu]\n", "AMD-Vi (ivhd0 ivhd1)" },
		{ fake_layout_switches, "[device a]\npick = free\n[device b]\npick = free\n",
		  "Intel VT-d" },
		{ fake_layout_sriov, "[device npu]\n[device vf]\naddress = 04:10.1\n",
		  "Intel VT-d" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = cases[i].layout();
		g_autoptr(GPtrArray) results = check(fs, NULL, cases[i].device);

		assert_exit(results, 0);
		assert_well_formed(results);
		assert_line(results, "iommu", HVR_CHECK_PASS, cases[i].iommu, NULL);
		assert_line(results, "interrupts", HVR_CHECK_PASS, "remapped", NULL);
		assert_line(results, "run", HVR_CHECK_PASS, "would start", NULL);
		assert_line(results, "card-resets", HVR_CHECK_PASS, "reach it", NULL);
	}
}

typedef struct {
	const char *name;
	FakeLayout layout; /* NULL: the Intel board */
	void (*damage)(FakeSysfs *fs);
	const char *profile; /* NULL: one card */
	const char *id;
	HvrCheckStatus status;
	const char *seen, *fix;
	int exit;
} Case;

static void kill_card(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, CARD);
}

static void hold_card(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
}

static void remove_vfio_pci(FakeSysfs *fs)
{
	fake_sysfs_remove_module(fs, "vfio_pci");
}

static void remove_type1(FakeSysfs *fs)
{
	fake_sysfs_remove_module(fs, "vfio_iommu_type1");
}

static void remove_container(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/module/vfio/refcnt", "0\n");
	fake_sysfs_remove_file(fs, "dev/vfio/vfio");
}

static void put_arguments(FakeSysfs *fs, const char *arguments)
{
	fake_sysfs_put_file(fs, "proc/cmdline", arguments);
}

static void direct_interrupts(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/irq/0/chip_name", "IO-APIC\n");
	fake_sysfs_put_file(fs, "sys/kernel/irq/126/chip_name", "PCI-MSI-0000:00:1f.2\n");
}

static void unsafe_interrupts(FakeSysfs *fs)
{
	direct_interrupts(fs);
	fake_sysfs_put_file(fs, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
			    "Y\n");
}

static void unsafe_option(FakeSysfs *fs)
{
	direct_interrupts(fs);
	fake_sysfs_put_file(fs, ".fake/options/vfio_iommu_type1", "allow_unsafe_interrupts=1");
}

static void remapping_off(FakeSysfs *fs)
{
	direct_interrupts(fs);
	put_arguments(fs, "intel_iommu=on intremap=off\n");
}

static void no_interrupts(FakeSysfs *fs)
{
	fake_sysfs_remove_file(fs, "sys/kernel/irq");
}

static void intel_off(FakeSysfs *fs)
{
	put_arguments(fs, "quiet intel_iommu=off\n");
}

static void intel_on(FakeSysfs *fs)
{
	put_arguments(fs, "quiet intel_iommu=on\n");
}

static void no_table(FakeSysfs *fs)
{
	fake_sysfs_remove_file(fs, "sys/firmware/acpi/tables/DMAR");
}

static void be_amd(FakeSysfs *fs, const char *table)
{
	no_table(fs);
	fake_sysfs_put_file(fs, "proc/cpuinfo",
			    "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu svm\n");
	if (table)
		fake_sysfs_put_file(fs, table, "");
}

static void amd_no_table(FakeSysfs *fs)
{
	be_amd(fs, NULL);
}

static void amd_off(FakeSysfs *fs)
{
	be_amd(fs, "sys/firmware/acpi/tables/IVRS");
	put_arguments(fs, "quiet amd_iommu=off\n");
}

static void arm_unused(FakeSysfs *fs)
{
	no_table(fs);
	fake_sysfs_put_file(fs, "proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\n");
	fake_sysfs_put_file(fs, "sys/firmware/acpi/tables/IORT", "");
}

/* Message-signalled interrupts as GICv2m has them: nothing remaps those. */
static void arm_direct(FakeSysfs *fs)
{
	arm_unused(fs);
	fake_sysfs_remove_file(fs, "sys/kernel/irq");
	fake_sysfs_put_file(fs, "sys/kernel/irq/126/chip_name", "MSI\n");
}

static void arm_other_groups(FakeSysfs *fs)
{
	arm_unused(fs);
	fake_sysfs_remove_file(fs, "sys/firmware");
	fake_sysfs_put_link(fs, "sys/class/iommu/1000005100.iommu", "../../devices/unit");
	fake_sysfs_put_file(fs, "sys/kernel/iommu_groups/0/devices/1000880000.pisp_be", "");
}

static void be_guest(FakeSysfs *fs)
{
	no_table(fs);
	fake_sysfs_put_file(fs, "proc/cpuinfo",
			    "processor\t: 0\nvendor_id\t: GenuineIntel\n"
			    "flags\t\t: fpu hypervisor\n");
}

static void noiommu_group(FakeSysfs *fs)
{
	const FakeFunction card = { .parent = "0000:00:1c.4",
				    .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .driver = "vfio-pci" };

	fake_sysfs_remove_function(fs, CARD);
	fake_sysfs_add_function(fs, CARD, &card);
	fake_sysfs_set_noiommu(fs, 14);
}

static void little_memory(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/meminfo",
			    "MemTotal:       2000000 kB\nMemAvailable:   1000000 kB\n");
}

static void busy_memory(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/meminfo",
			    "MemTotal:       8000000 kB\nMemAvailable:   1000000 kB\n"
			    "HugePages_Total:    1024\nHugePages_Free:     1024\n"
			    "Hugepagesize:       2048 kB\n");
}

static void old_kernel(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", "5.10.0-30-amd64\n");
	fake_sysfs_remove_file(fs, PATH "/reset_method");
}

static void be_fedora(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "etc/os-release", "ID=fedora\n");
}

static void rhel_kernel(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/sys/kernel/osrelease", "5.14.0-570.el9.x86_64\n");
}

static void without_bus(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, PATH "/reset_method", "flr\n");
}

static void guard_loaded(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/module/hailo_vm_run_guard/parameters/cards", "0000:02:00.0\n");
}

static void guard_installed(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "lib/modules/6.1.0-40-amd64/updates/dkms/hailo-vm-run-guard.ko.xz",
			    "");
	fake_sysfs_put_file(fs, ".fake/modules/hailo_vm_run_guard", "");
}

static void d3cold(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, PATH "/power_state", "D3cold\n");
}

static void kill_cold_card(FakeSysfs *fs)
{
	kill_card(fs);
	d3cold(fs);
}

static void reserve_memory(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/iommu_groups/14/reserved_regions",
			    "0x00000000000e8000 0x00000000000e8fff direct\n"
			    "0x00000000fee00000 0x00000000feefffff msi\n");
}

/* Memory that the firmware lets go of, and what every group has. */
static void reserve_harmless(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/iommu_groups/14/reserved_regions",
			    "0x00000000000e8000 0x00000000000e8fff direct-relaxable\n"
			    "0x00000000fee00000 0x00000000feefffff msi\n");
}

static void pretend_isolation(FakeSysfs *fs)
{
	put_arguments(fs, "intel_iommu=on pcie_acs_override=downstream,multifunction\n");
}

/* A neighbour in the card's group, of this class and on this driver. */
static void add_neighbour(FakeSysfs *fs, guint32 class_code, const char *driver)
{
	const FakeFunction neighbour = { .vendor = 0x8086,
					 .device = 0x3a18,
					 .class_code = class_code,
					 .group = 14,
					 .driver = driver };

	fake_sysfs_add_function(fs, "0000:00:1f.0", &neighbour);
}

static void isa_bridge(FakeSysfs *fs)
{
	add_neighbour(fs, 0x060100, "lpc_ich");
}

static void idle_isa_bridge(FakeSysfs *fs)
{
	add_neighbour(fs, 0x060100, NULL);
}

static void hotplug_port(FakeSysfs *fs)
{
	add_neighbour(fs, 0x060400, "shpchp");
}

static void boot_disk(FakeSysfs *fs)
{
	add_neighbour(fs, 0x010802, "nvme");
	fake_sysfs_add_node(fs, "0000:00:1f.0", "nvme/nvme0/nvme0n1", "nvme0n1", "block", 259, 0);
	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    "22 1 259:0 / / rw,relatime shared:1 - ext4 /dev/nvme0n1 rw\n");
}

/* Disks of which none is mounted: a pool of ZFS' would look like that. */
static void idle_disk(FakeSysfs *fs)
{
	add_neighbour(fs, 0x010601, "ahci");
}

static void disk_and_port(FakeSysfs *fs)
{
	const FakeFunction port = { .vendor = 0x8086,
				    .device = 0x3a19,
				    .class_code = 0x060400,
				    .group = 14,
				    .driver = "shpchp" };

	boot_disk(fs);
	fake_sysfs_add_function(fs, "0000:00:1f.1", &port);
}

static void virtual_neighbours(FakeSysfs *fs)
{
	add_neighbour(fs, 0x020000, "igb");
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/0000:00:1f.0/sriov_numvfs", "3\n");
}

/* A /dev that nobody fills, as a container has. */
static void no_devtmpfs(FakeSysfs *fs)
{
	struct statx stx;

	assert_int_equal(statx(fs->host.dev, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx), 0);
	g_autofree char *line = g_strdup_printf("%llu 1 0:5 / /dev rw - tmpfs tmpfs rw\n",
						(unsigned long long)stx.stx_mnt_id);
	fake_sysfs_put_file(fs, "proc/self/mountinfo", line);
}

static void no_card(FakeSysfs *fs)
{
	fake_sysfs_remove_function(fs, CARD);
}

static void second_card(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:03:00.0", 15, 1);
}

static void second_card_beside_a_bridge(FakeSysfs *fs)
{
	isa_bridge(fs);
	second_card(fs);
}

static void second_card_beside_a_dead_one(FakeSysfs *fs)
{
	kill_cold_card(fs);
	second_card(fs);
}

static void selinux(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/fs/selinux/enforce", "1");
	fake_sysfs_put_file(fs, "proc/self/attr/current", "system_u:system_r:svirt_t:s0\n");
}

static void apparmor(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/module/apparmor/parameters/enabled", "Y\n");
	fake_sysfs_put_file(fs, "proc/self/attr/current", "docker-default (enforce)\n");
}

static void lockdown(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "sys/kernel/security/lockdown",
			    "none [integrity] confidentiality\n");
}

static const Case cases[] = {
	{ "dead card", NULL, kill_card, NULL, "card-alive", HVR_CHECK_FAIL, "all ones",
	  "power the host off and on", 1 },
	{ "dead and cold card", NULL, kill_cold_card, NULL, "card-alive", HVR_CHECK_FAIL,
	  "without power (D3cold)", "d3cold_allowed of it and of the ports above", 1 },
	{ "reserved memory", NULL, reserve_memory, NULL, "card-reserved", HVR_CHECK_FAIL,
	  "IOMMU group 14 (0xe8000-0xe8fff; Intel", "use another slot", 1 },
	{ "harmless memory", NULL, reserve_harmless, NULL, "card-group", HVR_CHECK_PASS, "alone",
	  NULL, 0 },
	{ "ACS override", NULL, pretend_isolation, NULL, "isolation", HVR_CHECK_WARN,
	  "pcie_acs_override=downstream,multifunction", "take it from the kernel's command line",
	  0 },
	{ "ISA bridge", NULL, isa_bridge, NULL, "card-group", HVR_CHECK_FAIL,
	  "0000:00:1f.0 (8086:3a18, driver lpc_ich)", "group = bind", 1 },
	{ "ISA bridge beside one of two", NULL, second_card_beside_a_bridge,
	  "[device npu]\npick = free\n", "card", HVR_CHECK_PASS, "path 00:1c.5/00.0", NULL, 0 },
	{ "one of two dead and cold", NULL, second_card_beside_a_dead_one,
	  "[device npu]\npick = free\n", "run", HVR_CHECK_PASS, "with 1 card", NULL, 0 },
	{ "ISA bridge, bound", NULL, isa_bridge, "[device npu]\ngroup = bind\n", "run",
	  HVR_CHECK_PASS, "2 PCI functions would change hands", NULL, 0 },
	{ "ISA bridge, pass", NULL, isa_bridge, "[device npu]\ngroup = pass\n", "run",
	  HVR_CHECK_PASS, "with 1 card; 2 PCI functions", NULL, 0 },
	{ "ISA bridge without a driver", NULL, idle_isa_bridge, NULL, "run", HVR_CHECK_PASS,
	  "1 PCI function would", NULL, 0 },
	{ "port on shpchp", NULL, hotplug_port, "[device npu]\ngroup = bind\n", "card-group",
	  HVR_CHECK_FAIL, "driver shpchp", "> /sys/bus/pci/drivers/shpchp/unbind", 1 },
	{ "boot disk in the group", NULL, boot_disk, NULL, "card-group", HVR_CHECK_FAIL,
	  "driver nvme", "cannot do without 0000:00:1f.0: a disk in use (/)", 1 },
	{ "boot disk in the group, to be bound", NULL, boot_disk, "[device npu]\ngroup = bind\n",
	  "card-group", HVR_CHECK_FAIL,
	  "0000:00:1f.0: this host cannot do without it: a disk in use (/)",
	  "slot with an IOMMU group of its own", 1 },
	{ "disks in the group", NULL, idle_disk, NULL, "card-group", HVR_CHECK_FAIL, "driver ahci",
	  "group of its own, nothing else will do: 0000:00:1f.0 has disks of this host", 1 },
	{ "boot disk and a port in the group", NULL, disk_and_port, NULL, "card-group",
	  HVR_CHECK_FAIL, "driver shpchp", "cannot do without 0000:00:1f.0: a disk in use (/)", 1 },
	{ "virtual functions of a neighbour", NULL, virtual_neighbours,
	  "[device npu]\ngroup = bind\n", "card-sriov", HVR_CHECK_FAIL,
	  "0000:00:1f.0: it has 3 virtual functions",
	  "echo 0 > /sys/bus/pci/devices/0000:00:1f.0/sriov_numvfs", 1 },
	{ "no devtmpfs", NULL, no_devtmpfs, NULL, "card-node", HVR_CHECK_FAIL,
	  "/dev/vfio/14 is not there, and will not come", "--device /dev/vfio/14", 1 },
	{ "a disk that cannot be made", NULL, NULL,
	  "[device npu]\n[disk root]\nfile = /nowhere/disk.raw\nformat = raw\nsize = 1G\n", "parts",
	  HVR_CHECK_FAIL, "/nowhere", "", 1 },
	{ "card held open", NULL, hold_card, NULL, "card-use", HVR_CHECK_FAIL,
	  "hailortcli (pid 812, has /dev/hailo0 open)", "end what uses it", 1 },
	{ "no module", NULL, remove_vfio_pci, NULL, "vfio-pci", HVR_CHECK_FAIL, "no such module",
	  "blacklist vfio-pci", 1 },
	{ "no type 1", NULL, remove_type1, NULL, "vfio-type1", HVR_CHECK_FAIL, "no such module",
	  "blacklist vfio_iommu_type1", 1 },
	{ "no container", NULL, remove_container, NULL, "vfio-container", HVR_CHECK_FAIL,
	  "no /dev/vfio/vfio", "pass /dev/vfio on", 1 },
	{ "interrupts", NULL, direct_interrupts, NULL, "interrupts", HVR_CHECK_FAIL, "not remapped",
	  "x2APIC", 1 },
	{ "unsafe interrupts", NULL, unsafe_interrupts, NULL, "interrupts", HVR_CHECK_WARN,
	  "told not to mind", "x2APIC", 0 },
	{ "unsafe interrupts, to be", NULL, unsafe_option, NULL, "interrupts", HVR_CHECK_WARN,
	  "told not to mind", "x2APIC", 0 },
	{ "remapping off by argument", NULL, remapping_off, NULL, "interrupts", HVR_CHECK_FAIL,
	  "not remapped", "take intremap=off from the kernel's command line", 1 },
	{ "no interrupt tells", NULL, no_interrupts, NULL, "interrupts", HVR_CHECK_UNKNOWN,
	  "would tell", "dmesg", 2 },
	{ "not asked for", fake_layout_no_iommu, NULL, NULL, "iommu", HVR_CHECK_FAIL,
	  "ACPI table DMAR", "add intel_iommu=on", 1 },
	{ "off by argument", fake_layout_no_iommu, intel_off, NULL, "iommu", HVR_CHECK_FAIL,
	  "does not use it", "in the place of intel_iommu=off", 1 },
	{ "asked for in vain", fake_layout_no_iommu, intel_on, NULL, "iommu", HVR_CHECK_FAIL,
	  "does not use it", "dmesg | grep -i dmar", 1 },
	{ "off in firmware", fake_layout_no_iommu, no_table, NULL, "iommu", HVR_CHECK_FAIL,
	  "no DMAR, IVRS or IORT", "enable VT-d in the firmware setup", 1 },
	{ "AMD, off in firmware", fake_layout_no_iommu, amd_no_table, NULL, "iommu", HVR_CHECK_FAIL,
	  "no DMAR, IVRS or IORT", "AMD-Vi", 1 },
	{ "AMD, off by argument", fake_layout_no_iommu, amd_off, NULL, "iommu", HVR_CHECK_FAIL,
	  "ACPI table IVRS", "remove amd_iommu=off", 1 },
	{ "Arm, unused", fake_layout_no_iommu, arm_unused, NULL, "iommu", HVR_CHECK_FAIL,
	  "ACPI table IORT", "CONFIG_ARM_SMMU_V3", 1 },
	{ "Arm", fake_layout_arm, NULL, NULL, "cpu", HVR_CHECK_FAIL, "an Arm one", "Intel or AMD",
	  1 },
	{ "Arm, groups of other devices", fake_layout_no_iommu, arm_other_groups, NULL, "iommu",
	  HVR_CHECK_FAIL, "none for PCI", "use another host", 1 },
	{ "Arm, direct interrupts", NULL, arm_direct, NULL, "interrupts", HVR_CHECK_FAIL,
	  "not remapped", "use another host", 1 },
	{ "a guest without vIOMMU", fake_layout_no_iommu, be_guest, NULL, "iommu", HVR_CHECK_FAIL,
	  "none", "-device intel-iommu", 1 },
	{ "no group", fake_layout_no_iommu, NULL, NULL, "card-group", HVR_CHECK_FAIL,
	  "it has no IOMMU group", "intel_iommu=on", 1 },
	{ "no-IOMMU group", NULL, noiommu_group, NULL, "card-group", HVR_CHECK_FAIL,
	  "protects nothing", "intel_iommu=on", 1 },
	{ "group in use", fake_layout_century, NULL, "[device a]\naddress = 03:01.0\n",
	  "card-group", HVR_CHECK_FAIL, "0000:03:03.0 (8086:100e, driver e1000)",
	  "slot that has a group of its own, or set in [device a] group = bind", 1 },
	{ "group bound", fake_layout_century, NULL, "[device a]\naddress = 03:01.0\ngroup = bind\n",
	  "card-group", HVR_CHECK_PASS, "0000:03:03.0 (driver e1000, of the host)", NULL, 0 },
	{ "VMD", fake_layout_vmd, NULL, NULL, "card-domain", HVR_CHECK_FAIL, "above ffff", "VMD",
	  1 },
	{ "physical function", fake_layout_sriov, NULL, "[device pf]\naddress = 04:00.0\n",
	  "card-sriov", HVR_CHECK_FAIL, "2 virtual functions", "sriov_numvfs", 1 },
	{ "a bridge", NULL, NULL, "[device x]\naddress = 00:1c.4\n", "card", HVR_CHECK_FAIL,
	  "is a bridge", "name another card", 1 },
	{ "no card", NULL, no_card, NULL, "card", HVR_CHECK_FAIL, "no PCI function has match",
	  "seated and powered", 1 },
	{ "two cards", NULL, second_card, NULL, "card", HVR_CHECK_FAIL, "2 PCI functions have",
	  "name one by address or path", 1 },
	{ "no card left", NULL, NULL, "[device a]\npick = free\n[device b]\npick = free\n", "card",
	  HVR_CHECK_FAIL, "take all cards that match", "remove a [device] section", 1 },
	{ "little memory", NULL, little_memory, NULL, "memory", HVR_CHECK_FAIL, "1953 MiB",
	  "smaller [vm] memory", 1 },
	{ "memory in use", NULL, busy_memory, NULL, "memory", HVR_CHECK_WARN, "976 MiB are free",
	  "end other programs", 0 },
	{ "memory in huge pages", NULL, busy_memory, NULL, "hugepages", HVR_CHECK_WARN, "2048 MiB",
	  "vm.nr_hugepages", 0 },
	{ "old kernel", NULL, old_kernel, NULL, "kernel", HVR_CHECK_WARN, "Linux 5.10", "5.15", 0 },
	{ "RHEL's kernel", NULL, rhel_kernel, NULL, "kernel", HVR_CHECK_PASS, "Linux 5.14", NULL,
	  0 },
	{ "no reset_method", NULL, old_kernel, NULL, "card-resets", HVR_CHECK_WARN,
	  "no reset_method", "5.15", 0 },
	{ "resets kept", NULL, NULL, "[device npu]\nreset = keep\n", "card-resets", HVR_CHECK_WARN,
	  "function resets (flr bus)", "reset = auto", 0 },
	{ "resets kept, of a list without bus", NULL, without_bus, "[device npu]\nreset = keep\n",
	  "card-resets", HVR_CHECK_WARN, "function resets (flr)", "reset = auto", 0 },
	{ "the guard", NULL, guard_loaded, NULL, "card-resets", HVR_CHECK_PASS,
	  "no reset can reach it: function resets are off, and module hailo-vm-run-guard", NULL,
	  0 },
	{ "the guard, not loaded", NULL, guard_installed, NULL, "card-resets", HVR_CHECK_PASS,
	  "no reset can reach it, once module hailo-vm-run-guard is loaded", NULL, 0 },
	{ "the guard, off", NULL, guard_installed, "[device npu]\nreset-guard = off\n",
	  "card-resets", HVR_CHECK_PASS, "bus resets still reach it", NULL, 0 },
	{ "the guard, required", NULL, NULL, "[device npu]\nreset-guard = require\n", "card-resets",
	  HVR_CHECK_FAIL, "module hailo-vm-run-guard is not loaded",
	  "install package hailo-vm-run-guard-dkms", 1 },
	{ "the guard and bus", NULL, guard_loaded, "[device npu]\nreset = bus\n", "card-resets",
	  HVR_CHECK_FAIL, "keeps bus resets from it", "leave out the bus", 1 },
	{ "no VGA adapter", NULL, NULL, "[device npu]\nproperties = x-req=on x-vga=on\n",
	  "card-properties", HVR_CHECK_FAIL, "x-vga is for a VGA adapter", "leave it out", 1 },
	{ "no graphics of Intel's", NULL, NULL, "[device npu]\nproperties = x-igd-opregion=on\n",
	  "card-properties", HVR_CHECK_FAIL, "x-igd-opregion is for a graphics adapter of Intel's",
	  "in [device npu]", 1 },
	{ "no graphics of NVIDIA's", NULL, NULL,
	  "[device npu]\nproperties = x-nv-gpudirect-clique=0 x-pci-vendor-id=0x10de\n",
	  "card-properties", HVR_CHECK_FAIL, "x-nv-gpudirect-clique is for", "leave it out", 1 },
	{ "D3cold", NULL, d3cold, NULL, "card-power", HVR_CHECK_WARN, "D3cold", "d3cold_allowed",
	  0 },
	{ "SELinux", NULL, selinux, NULL, "selinux", HVR_CHECK_WARN, "svirt_t", "unconfined", 0 },
	{ "AppArmor", NULL, apparmor, NULL, "apparmor", HVR_CHECK_WARN, "docker-default",
	  "apparmor=unconfined", 0 },
	{ "lockdown", NULL, lockdown, NULL, "lockdown", HVR_CHECK_PASS, "integrity", NULL, 0 },
	{ "no such QEMU", NULL, NULL, "binary2", "qemu", HVR_CHECK_FAIL, "there is no program",
	  "install QEMU", 1 },
	{ "no such QEMU on Fedora", NULL, be_fedora, "binary2", "qemu", HVR_CHECK_FAIL,
	  "there is no program", "install QEMU (dnf install qemu-kvm), or", 1 },
	{ "no such file", NULL, NULL, "[device npu]\n[disk root]\nfile = /nowhere/disk.qcow2\n",
	  "files", HVR_CHECK_FAIL, "/nowhere/disk.qcow2", "correct the path", 1 },
	{ "no such user", NULL, NULL, "[device npu]\n[security]\nuser = nobody-at-all\n", "user",
	  HVR_CHECK_FAIL, "no user 'nobody-at-all'", "useradd", 1 },
	{ "no sandbox", NULL, NULL, "[device npu]\n[security]\nsandbox = no\n", "qemu-sandbox",
	  HVR_CHECK_WARN, "switches", "sandbox = yes", 0 },
};

/* What makes check fail has run refuse, with one of its lines, and nothing else does. */
static void assert_run_agrees(FakeSysfs *fs, const char *more, const GPtrArray *results)
{
	HvrContext context = context_of(fs);
	g_autoptr(HvrProfile) profile = profile_with(more);
	g_auto(HvrDecision) decision = { 0 };
	g_autoptr(GError) error = NULL;
	const HvrDecideFor whom = { .devices = profile->devices, .vm = "lab", .look = TRUE };
	gboolean would = hvr_decide(&context, profile, &whom, &decision, &error);
	gboolean told = would;

	if (would != (hvr_check_exit_status(results) != 1)) {
		show(results);
		fail_msg("run: %s", would ? "would start" : error->message);
	}
	for (guint i = 0; !told && i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		told = result->status == HVR_CHECK_FAIL && strstr(error->message, result->seen);
	}
	if (!told) {
		show(results);
		fail_msg("run: %s", error->message);
	}
}

/* One thing is wrong, and the line about it says what, and what to do. */
static void test_cases(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *one = &cases[i];
		g_autoptr(FakeSysfs) fs = one->layout ? one->layout() : fake_layout_intel();
		g_autofree char *binary = g_strdup(tools.binary);
		const char *profile = one->profile;

		if (g_strcmp0(profile, "binary2") == 0) {
			g_free(tools.binary);
			tools.binary = g_strdup("/nowhere/qemu");
			profile = NULL;
		}
		if (one->damage)
			one->damage(fs);
		g_autoptr(GPtrArray) results = check(fs, NULL, profile);
		print_message("%s\n", one->name);
		assert_line(results, one->id, one->status, one->seen, one->fix);
		assert_run_agrees(fs, profile, results);
		g_free(tools.binary);
		tools.binary = g_steal_pointer(&binary);
		assert_exit(results, one->exit);
		assert_well_formed(results);
	}
}

/* Of one card: the lines about it and no others, by any of its names; of a host a held one is no
 * defect, and of itself it is. */
static void test_one_card(void **state)
{
	static const struct {
		const char *word;
		gboolean held, dead;
		const char *id;
		HvrCheckStatus status;
		const char *seen, *fix;
		int exit;
	} asked[] = {
		{ CARD, FALSE, FALSE, "card-alive", HVR_CHECK_PASS, "answers", NULL, 0 },
		{ "0", FALSE, FALSE, "card", HVR_CHECK_PASS, "path 00:1c.4/00.0", NULL, 0 },
		{ "00:1c.4/00.0", FALSE, TRUE, "card-alive", HVR_CHECK_FAIL, "all ones",
		  "power the host off", 1 },
		{ CARD, TRUE, FALSE, "card-held", HVR_CHECK_FAIL, "sparks",
		  "hailo-vm-run unhold " CARD, 1 },
		{ "09:00.0", FALSE, FALSE, "card", HVR_CHECK_FAIL, "no card '09:00.0'", "list", 1 },
		{ NULL, TRUE, FALSE, "card-held", HVR_CHECK_WARN, "sparks",
		  "hailo-vm-run unhold " CARD, 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		HvrContext context = context_of(fs);
		HvrPciAddress address;
		assert_true(hvr_pci_address_parse(CARD, &address));
		fake_sysfs_put_file(fs, "var/lib/.keep", "");
		g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
		g_autoptr(HvrHold) hold =
			hvr_hold_new(hvr_inventory_find(inventory, &address), "sparks");
		if (asked[i].held)
			assert_true(hvr_hold_write(&context, hold, NULL));
		if (asked[i].dead)
			fake_sysfs_set_dead(fs, CARD);
		g_autoptr(GPtrArray) results =
			asked[i].word ? hvr_check_card(&context, asked[i].word, NULL)
				      : hvr_check_run(&context, NULL, NULL);
		assert_line(results, asked[i].id, asked[i].status, asked[i].seen, asked[i].fix);
		if (asked[i].word)
			assert_exit(results, asked[i].exit);
		for (guint k = 0; asked[i].word && k < results->len; k++) {
			const HvrCheckResult *line = g_ptr_array_index(results, k);
			assert_true(g_str_has_prefix(line->id, "card"));
		}
	}
}

/* QEMU is asked, and what it answers counts. */
static void test_qemu(void **state)
{
	static const struct {
		const char *version, *devices;
		int sandbox;
		const char *id;
		HvrCheckStatus status;
		const char *seen, *fix;
		int exit;
	} answers[] = {
		{ "6.1.0", ALL_DEVICES, 0, "qemu", HVR_CHECK_FAIL, "version 6.1", "6.2 or newer",
		  1 },
		{ "6.2.0", ALL_DEVICES, 0, "qemu", HVR_CHECK_PASS, "version 6.2", NULL, 0 },
		{ "10.0.13", ALL_DEVICES, 0, "qemu", HVR_CHECK_PASS, "version 10.0", NULL, 0 },
		{ "none", ALL_DEVICES, 0, "qemu", HVR_CHECK_UNKNOWN, "does not tell its version",
		  "-version", 2 },
		{ "8.0", "name \"pcie-root-port\"\\n", 0, "qemu-devices", HVR_CHECK_FAIL,
		  "no device vfio-pci", "qemu-system-x86", 1 },
		{ "8.0", ALL_DEVICES, 1, "qemu-sandbox", HVR_CHECK_FAIL, "no seccomp",
		  "sandbox = no", 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();

		write_qemu(answers[i].version, answers[i].devices, answers[i].sandbox);
		g_autoptr(GPtrArray) results = check(fs, NULL, NULL);
		assert_line(results, answers[i].id, answers[i].status, answers[i].seen,
			    answers[i].fix);
		assert_exit(results, answers[i].exit);
	}
	write_qemu("7.2.22", ALL_DEVICES, 0);
}

/* What a QEMU may be built without is asked for where the profile has it. */
static void test_devices(void **state)
{
	static const struct {
		const char *profile;
		HvrCheckStatus status;
		const char *seen;
	} asked[] = {
		{ "[tpm]\nmodel = none\n", HVR_CHECK_PASS, "it has vfio-pci" },
		{ "[tpm]\nmodel = crb\n", HVR_CHECK_FAIL, "it has no device tpm-crb" },
		{ "[audio]\nmodel = virtio\n", HVR_CHECK_FAIL,
		  "it has no device virtio-sound-pci" },
		{ "[usb a]\nport = 1-2\n", HVR_CHECK_FAIL, "it has no device usb-host" },
		{ "[tpm]\nmodel = tis\n", HVR_CHECK_FAIL, "it has no device tpm-tis" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		g_autoptr(GPtrArray) results = check(fs, NULL, asked[i].profile);

		assert_line(results, "qemu-devices", asked[i].status, asked[i].seen,
			    asked[i].status == HVR_CHECK_FAIL ? "full QEMU" : NULL);
	}
}

/* A property that a card is to have is asked for by its whole name. */
static void test_card_properties(void **state)
{
	static const struct {
		const char *profile;
		HvrCheckStatus status;
		const char *seen, *fix;
	} asked[] = {
		{ "[device npu]\nproperties = x-no-mmap=on\n", HVR_CHECK_PASS, "it has vfio-pci",
		  NULL },
		{ "[device npu]\nproperties = x-no-mmap=on x-req=off\n", HVR_CHECK_FAIL,
		  "its vfio-pci has no property x-req", "properties" },
		{ "[device npu]\nproperties = x-no-kvm-msi=off\n", HVR_CHECK_FAIL,
		  "no property x-no-kvm-msi", "another QEMU" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		g_autoptr(GPtrArray) results = check(fs, NULL, asked[i].profile);

		assert_line(results, "qemu-devices", asked[i].status, asked[i].seen, asked[i].fix);
		assert_exit(results, asked[i].status == HVR_CHECK_FAIL ? 1 : 0);
	}
}

/* Those that are for one kind of card, of cards of each kind. */
static void test_properties_of_a_kind(void **state)
{
	static const struct {
		guint16 vendor;
		guint32 class_code;
		const char *properties;
		gboolean well;
	} kinds[] = {
		{ 0x1e60, 0x120000, "x-msix-relocation=bar0", TRUE },
		{ 0x1e60, 0x120000, "x-msix-relocation=off", TRUE },
		{ 0x1e60, 0x120000, "x-msix-relocation=bar1", FALSE },
		{ 0x1e60, 0x120000, "x-msix-relocation=bar4", FALSE },
		{ 0x1e60, 0x120000, "x-msix-relocation=bar5", FALSE },
		{ 0x1002, 0x030000, "x-vga=on", TRUE },
		{ 0x10de, 0x030200, "x-vga=on", FALSE },
		{ 0x10de, 0x030200, "x-vga=off x-igd-opregion=off acpi-index=3", TRUE },
		{ 0x8086, 0x030000, "x-igd-opregion=on x-igd-gms=1", TRUE },
		{ 0x8086, 0x038000, "x-igd-opregion=on", TRUE },
		{ 0x8086, 0x020000, "x-igd-opregion=on", FALSE },
		{ 0x1002, 0x030000, "x-igd-opregion=on", FALSE },
		{ 0x10de, 0x030200, "x-nv-gpudirect-clique=0", TRUE },
		{ 0x1002, 0x030200, "x-nv-gpudirect-clique=3", FALSE },
		{ 0x10de, 0x030200, "x-pci-vendor-id=0x1002 x-nv-gpudirect-clique=3", FALSE },
	};

	HvrBars bars = { .kinds = { [1] = HVR_BAR_UPPER, [4] = HVR_BAR_IO, [5] = HVR_BAR_FULL } };

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *text = g_strconcat(
			"[vm]\nmemory = 1G\n[device x]\naddress = 02:00.0\nproperties = ",
			kinds[i].properties, "\n", NULL);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("/x.ini", text, strlen(text), NULL, NULL);
		const HvrPciFunction function = { .name = "0000:02:00.0",
						  .vendor = kinds[i].vendor,
						  .class_code = kinds[i].class_code };
		const HvrClaimedCard card = { .device = g_ptr_array_index(profile->devices, 0),
					      .function = &function };
		g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
		const HvrPlanView view = { .bars = seen };
		const HvrPlanInput input = { .profile = profile, .view = &view };

		g_hash_table_insert(seen, (gpointer)&function, &bars);
		if (hvr_judge("card-properties", &input, &card, NULL) != kinds[i].well)
			fail_msg("%u: %s", (guint)i, kinds[i].properties);
	}
}

/* An aio that a disk is to have is tried; what QEMU says of the file is not held against it. */
static void test_disk_aio(void **state)
{
	static const struct {
		const char *key;
		HvrCheckStatus status;
		const char *seen, *fix;
	} asked[] = {
		{ "cache = none\naio = native\n", HVR_CHECK_FAIL,
		  "it cannot do aio = native: " NO_NATIVE, "set aio = threads" },
		{ "aio = io_uring\n", HVR_CHECK_PASS, "it has vfio-pci", NULL },
		{ "cache = none\n", HVR_CHECK_PASS, "it has vfio-pci", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		g_autofree char *profile = g_strconcat("[disk root]\nfile = a\n", asked[i].key,
						       "[device npu]\n", NULL);
		g_autoptr(GPtrArray) results = check(fs, NULL, profile);

		assert_line(results, "qemu-devices", asked[i].status, asked[i].seen, asked[i].fix);
	}
}

/* Words for QEMU that no key reaches are told, and others are not. */
static void test_qemu_args(void **state)
{
	static const struct {
		const char *args, *seen; /* NULL: nothing is told */
	} words[] = {
		{ "args = -rtc clock=vm -global a.b=c", NULL },
		{ "args = -device", NULL },
		{ "args = -chardev null,id=a -object rng-builtin,id=b", NULL },
		{ "args = -drive if=none,id=a,file=/x/y.img -rtc clock=vm --device "
		  "nvme,drive=a,serial=1",
		  "[qemu] args: outside of snapshot, of the checks of files and of the boot order: "
		  "-drive if=none,id=a,file=/x/y.img, -device nvme,drive=a,serial=1" },
		{ "first-args = -device intel-iommu",
		  "[qemu] first-args: outside of snapshot, of the checks of files and of the boot "
		  "order: -device intel-iommu" },
		{ "args = -chardev file,id=a,path=/x -object memory-backend-file,id=m,mem-path=/y",
		  "-chardev file,id=a,path=/x, -object memory-backend-file,id=m,mem-path=/y" },
		{ "args = -fw_cfg name=opt/a,string=b -netdev user,id=n -nic none", NULL },
		{ "args = -fw_cfg name=opt/a,file=/x -netdev user,id=n,tftp=/y -nic user,smb=/z",
		  "-fw_cfg name=opt/a,file=/x, -netdev user,id=n,tftp=/y, -nic user,smb=/z" },
		{ "args = -hda a -hdb b -hdc c -cdrom d -fda e -fdb f",
		  "-hda a, -hdb b, -hdc c, -cdrom d, ..." },
		{ "args = -cdrom "
		  "/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa",
		  "-cdrom /aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaaaaaaaaa/aaa..." },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		g_autofree char *keys = g_strconcat(words[i].args, "\n[device npu]\n", NULL);
		g_autoptr(GPtrArray) results = check(fs, NULL, keys);
		gboolean told = FALSE;

		for (guint k = 0; k < results->len; k++)
			told = told ||
			       g_str_equal(((HvrCheckResult *)results->pdata[k])->id, "qemu-args");
		assert_int_equal(told, words[i].seen != NULL);
		if (told)
			assert_line(results, "qemu-args", HVR_CHECK_WARN, words[i].seen,
				    "[disk NAME]");
	}
}

/* How many processes have @word in their command line, of whoever runs. */
static guint count_processes(const char *word)
{
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	const char *name;
	guint n = 0;

	while ((name = g_dir_read_name(proc))) {
		g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
		g_autofree char *text = NULL;
		gsize length = 0;
		if (g_ascii_isdigit(*name) && g_file_get_contents(path, &text, &length, NULL))
			n += memmem(text, length, word, strlen(word)) != NULL;
	}
	return n;
}

/* A process that was killed is there until the kernel comes to it. */
static gboolean wait_for_none(const char *word)
{
	gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

	while (count_processes(word) > 0 && g_get_monotonic_time() < end)
		g_usleep(10000);
	return count_processes(word) == 0;
}

/* What is named as QEMU and never answers holds nobody up, and nothing of it stays behind. */
static void test_qemu_hangs(void **state)
{
	static const struct {
		const char *answered; /* options, as the shell's case has them */
		const char *id;
	} table[] = {
		{ "none", "qemu" },
		{ "-version", "qemu-devices" },
		{ "-version | -machine", "qemu-sandbox" },
	};
	g_autofree char *word = g_strdup_printf("60.%d", (int)getpid());

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		HvrContext context = context_of(fs);
		g_autofree char *text = g_strdup_printf(
			"#!/bin/sh\ncase $1 in %s) echo 'version 7.2'; printf '%s';; "
			"*) sleep %s;; esac\n",
			table[i].answered, ALL_DEVICES, word);

		g_unlink(tools.binary);
		assert_true(g_file_set_contents(tools.binary, text, -1, NULL));
		assert_int_equal(chmod(tools.binary, 0755), 0);
		context.answer_ms = 4000;
		g_autoptr(GPtrArray) results = check(fs, &context, NULL);
		assert_line(results, table[i].id, HVR_CHECK_UNKNOWN, "was not done after 4 s",
			    "run it by hand");
		assert_exit(results, 2);
		assert_well_formed(results);
		assert_true(wait_for_none(word));
	}
	write_qemu("7.2.22", ALL_DEVICES, 0);
}

/* One that never stops talking is no endless answer. */
static void test_qemu_floods(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();

	g_unlink(tools.binary);
	assert_true(
		g_file_set_contents(tools.binary, "#!/bin/sh\nexec yes version 7.2\n", -1, NULL));
	assert_int_equal(chmod(tools.binary, 0755), 0);
	g_autoptr(GPtrArray) results = check(fs, NULL, NULL);
	assert_line(results, "qemu", HVR_CHECK_UNKNOWN, "does not tell its version", "-version");
	write_qemu("7.2.22", ALL_DEVICES, 0);
}

/* A plain user with a tiny limit, and no card prepared for them. */
static void test_plain_user(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	HvrContext context = context_of(fs);

	context.privileged = FALSE;
	context.memlock_max = 64 << 20;
	g_autoptr(GPtrArray) results = check(fs, &context, NULL);
	assert_line(results, "memlock", HVR_CHECK_FAIL, "may lock 64 MiB", "memlock unlimited");
	assert_line(results, "card-node", HVR_CHECK_FAIL, "not prepared", "prepare");
	assert_line(results, "card-use", HVR_CHECK_UNKNOWN, "cannot be seen", "check as root");
	assert_exit(results, 1);
}

/* Without a profile every accelerator is judged, and none is not enough. */
static void test_no_profile(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_switches();
	HvrContext context = context_of(fs);
	g_autoptr(GPtrArray) results = hvr_check_run(&context, NULL, NULL);
	guint cards = 0;

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		cards += g_str_equal(result->id, "card-alive") && !result->fix;
	}
	assert_int_equal(cards, 2);
	fake_sysfs_remove_function(fs, "0000:00:01.0");
	g_autoptr(GPtrArray) none = hvr_check_run(&context, NULL, NULL);
	assert_line(none, "card", HVR_CHECK_FAIL, "no known accelerator", "lspci -nn");
	assert_exit(none, 1);
}

/* A captured tree is judged by what is in it: nothing of this machine gets in. */
static void test_captured(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_amd();
	HvrContext context = context_of(fs);

	context.captured = TRUE;
	g_autoptr(GPtrArray) results = hvr_check_run(&context, NULL, NULL);
	assert_exit(results, 2);
	assert_line(results, "qemu", HVR_CHECK_UNKNOWN, "neither QEMU nor KVM", "on that host");
	assert_null(find(results, "kvm"));
	assert_null(find(results, "vfio-container"));
	assert_line(results, "iommu", HVR_CHECK_PASS, "AMD-Vi", NULL);
	assert_line(results, "vfio-pci", HVR_CHECK_UNKNOWN, "no modules", "on that host");
}

/* Neither this machine's users, programs, files nor limits have a say: what is not in the tree is
 * not known. */
static void test_captured_with_profile(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	HvrContext context = context_of(fs);
	const char *text = "[vm]\nmemory = 4G\naccel = kvm\n[device npu]\n"
			   "[disk root]\nfile = /nowhere/disk.qcow2\n"
			   "[security]\nuser = of-that-host\n[qemu]\nbinary = /nowhere/qemu\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);

	context.captured = TRUE;
	context.privileged = FALSE;
	context.memlock_max = 64 << 10;
	g_autoptr(GPtrArray) results = hvr_check_run(&context, profile, NULL);
	assert_exit(results, 2);
	assert_line(results, "memlock", HVR_CHECK_UNKNOWN, "no limits", "on that host");
	assert_line(results, "files", HVR_CHECK_UNKNOWN, "not in a captured tree", "on that host");
	assert_null(find(results, "user"));
	assert_line(results, "qemu", HVR_CHECK_UNKNOWN, "neither QEMU nor KVM", "on that host");
}

/* What was not captured is not held against the host. */
static void test_captured_without_config(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	HvrContext context = context_of(fs);

	context.captured = TRUE;
	fake_sysfs_remove_file(fs, PATH "/config");
	g_autoptr(GPtrArray) results = hvr_check_run(&context, NULL, NULL);
	assert_line(results, "card-alive", HVR_CHECK_UNKNOWN, "captured", "on that host");
	assert_exit(results, 2);
}

/* Not even a PCI bus: said once, and the rest is judged all the same. */
static void test_no_pci(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();

	fake_sysfs_remove_file(fs, "sys/bus/pci");
	g_autoptr(GPtrArray) results = check(fs, NULL, NULL);
	assert_line(results, "pci", HVR_CHECK_FAIL, "no PCI bus", "sysfs is mounted");
	assert_line(results, "qemu", HVR_CHECK_PASS, "version 7.2", NULL);
	assert_exit(results, 1);
}

/* A user of the VM's own is none that other programs share. */
static void test_nobody_is_warned_of(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autoptr(GPtrArray) shared = check(fs, NULL, "[device npu]\n[security]\nuser = nobody\n");
	g_autoptr(GPtrArray) own = check(fs, NULL, "[device npu]\n[security]\nuser = daemon\n");

	assert_line(shared, "user", HVR_CHECK_WARN,
		    "QEMU runs as nobody, and any other process of that user can read the VM's "
		    "memory",
		    "useradd --system --no-create-home --shell /usr/sbin/nologin");
	assert_line(own, "user", HVR_CHECK_PASS, "QEMU runs as daemon", NULL);
}

/* A profile that insists on KVM is refused where there is none, one that does not is warned. */
static void test_kvm(void **state)
{
	static const char *const accels[] = { "kvm", "auto" };

	for (gsize i = 0; i < G_N_ELEMENTS(accels); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_intel();
		HvrContext context = context_of(fs);
		g_autofree char *text = g_strdup_printf("[vm]\nmemory = 1G\naccel = %s\n"
							"[device npu]\n[qemu]\nbinary = %s\n",
							accels[i], tools.binary);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
		g_autoptr(GPtrArray) results = hvr_check_run(&context, profile, NULL);

		assert_line(results, "kvm", i ? HVR_CHECK_WARN : HVR_CHECK_FAIL, "has no KVM",
			    "modprobe kvm_intel");
		assert_exit(results, i ? 0 : 1);
	}
}

/* The keys that scripts rely on. */
static void test_json(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autoptr(GPtrArray) results = check(fs, NULL, NULL);
	JsonObject *root = hvr_check_to_json(results);
	JsonArray *checks = json_object_get_array_member(root, "checks");
	JsonObject *first = json_array_get_object_element(checks, 0);

	assert_true(json_object_get_boolean_member(root, "ready"));
	assert_int_equal(json_array_get_length(checks), results->len);
	assert_string_equal(json_object_get_string_member(first, "id"), "cpu");
	assert_string_equal(json_object_get_string_member(first, "status"), "PASS");
	assert_string_equal(json_object_get_string_member(first, "subject"), "host");
	assert_non_null(json_object_get_string_member(first, "seen"));
	assert_true(json_object_get_null_member(first, "fix"));
	json_object_unref(root);
}

/* Colour is only between the marks, and the text without it is the same. */
static void test_text(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_no_iommu();
	g_autoptr(GPtrArray) results = check(fs, NULL, NULL);
	g_autofree char *plain = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	g_autofree char *coloured = hvr_check_to_text(results, &(HvrCheckStyle){ .colour = TRUE });

	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(coloured, "\033[1;31mFAIL   \033[0m iommu: host: "));
	assert_non_null(strstr(plain, "FAIL    iommu: host: the firmware describes one"));
	assert_non_null(strstr(plain, "\n        fix: add intel_iommu=on"));
	assert_non_null(strstr(plain, "not ready: iommu, card-group (2 of "));
}

/* Who is not root can have it loaded by who is. */
static void test_guard_for_plain_users(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	HvrContext context = context_of(fs);

	guard_installed(fs);
	context.privileged = FALSE;
	g_autoptr(GPtrArray) results = check(fs, &context, NULL);
	assert_line(results, "card-resets", HVR_CHECK_PASS,
		    "'modprobe hailo-vm-run-guard', by root, would keep bus resets away", NULL);
}

/* As in a container: refused before the first write is tried, and of a card that is prepared
 * nothing has to be written. Its mount stays in this process's own namespace. */
static void test_read_only_sysfs(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_intel();
	g_autofree char *sys = g_strconcat(fs->root, "/sys", NULL);
	HvrContext context = context_of(fs);

	if (unshare(CLONE_NEWNS) < 0)
		skip();
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(sys, sys, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, sys, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	context.host.sys = open(sys, O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GPtrArray) results = check(fs, &context, NULL);
	assert_line(results, "card-sysfs", HVR_CHECK_FAIL,
		    "driver_override cannot be written: Read-only file system", "container");
	assert_exit(results, 1);
	hvr_fd_close(context.host.sys);
	assert_int_equal(umount(sys), 0);
}

/* Each question that may stop a run has been answered with "no" by one of the tests before. */
static void test_every_judgement(void **state)
{
	for (const HvrJudgement *judgement = hvr_judgements; judgement->id; judgement++)
		if (!g_hash_table_contains(failed, judgement->id))
			fail_msg("nothing has '%s' fail", judgement->id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_one_card),
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_card_properties),
		cmocka_unit_test(test_properties_of_a_kind),
		cmocka_unit_test(test_disk_aio),
		cmocka_unit_test(test_qemu_args),
		cmocka_unit_test(test_qemu_hangs),
		cmocka_unit_test(test_qemu_floods),
		cmocka_unit_test(test_plain_user),
		cmocka_unit_test(test_no_profile),
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_captured_with_profile),
		cmocka_unit_test(test_captured_without_config),
		cmocka_unit_test(test_no_pci),
		cmocka_unit_test(test_nobody_is_warned_of),
		cmocka_unit_test(test_kvm),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_guard_for_plain_users),
		cmocka_unit_test(test_read_only_sysfs),
		cmocka_unit_test(test_every_judgement),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
