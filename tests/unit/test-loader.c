/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which boot loader a system has, by trees that look like those of distributions, and what to do by
 * hand there. Paths and contents are those that the loaders' own documents and packages name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/host/iommu.h"
#include "launcher/host/loader-look.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"

#define EFIVARS "sys/firmware/efi/efivars/"
#define GUID	"-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define GRUB_D	"etc/default/grub=GRUB_CMDLINE_LINUX=\"\"\n", "etc/default/grub.d/init.cfg=\n"
#define DEBIAN	GRUB_D, "usr/sbin/update-grub=#!/bin/sh\n"
#define MENU	"boot/grub/grub.cfg=menuentry\n"
#define BY_GRUB "BOOT_IMAGE=/boot/vmlinuz-6.12.1 root=UUID=1 ro"
#define BY_EFI	"initrd=\\EFI\\Linux\\initrd.img root=UUID=1 ro"
#define TOKEN	"0123456789abcdef0123456789abcdef"

typedef struct {
	const char *name;
	const char *files[9]; /* PATH=TEXT */
	const char *cmdline;  /* NULL: the system does not run */
	const char *info;     /* of the EFI variable; NULL: no EFI; "": none is set */
	gboolean stub;
	HvrLoaderKind kind, other;
	const char *advice;
} Case;

static const Case cases[] = {
	{ .name = "debian",
	  .files = { DEBIAN, MENU },
	  .cmdline = BY_GRUB,
	  .info = "",
	  .kind = HVR_LOADER_GRUB,
	  .advice = "add a=b to GRUB_CMDLINE_LINUX in /etc/default/grub, then run update-grub" },
	{ .name = "debian image", .files = { DEBIAN, MENU }, .kind = HVR_LOADER_GRUB },
	{ .name = "debian that keeps systemd-boot's files",
	  .files = { DEBIAN, MENU, "usr/bin/kernel-install=", "boot/efi/loader/loader.conf=" },
	  .cmdline = BY_GRUB,
	  .info = "GRUB 2.12",
	  .kind = HVR_LOADER_GRUB },
	{ .name = "systemd-boot that keeps GRUB's files",
	  .files = { DEBIAN, MENU, "usr/bin/kernel-install=",
		     "boot/efi/loader/entries/" TOKEN "-6.1.0-50-amd64.conf=options ro\n",
		     "etc/machine-id=" TOKEN "\n" },
	  .cmdline = BY_EFI,
	  .info = "systemd-boot 252.39-1~deb12u1",
	  .kind = HVR_LOADER_KERNEL_INSTALL,
	  .advice = "add a=b to /etc/kernel/cmdline, then run kernel-install add" },
	{ .name = "either of both",
	  .files = { DEBIAN, MENU, "usr/bin/kernel-install=", "boot/efi/loader/loader.conf=" },
	  .kind = HVR_LOADER_GRUB,
	  .other = HVR_LOADER_KERNEL_INSTALL,
	  .advice = "where GRUB boots it, add a=b to GRUB_CMDLINE_LINUX in /etc/default/grub, then "
		    "run update-grub; where systemd-boot with kernel-install does, add a=b to "
		    "/etc/kernel/cmdline" },
	{ .name = "the entries are closed to us",
	  .files = { DEBIAN, MENU, "usr/bin/kernel-install=" },
	  .cmdline = BY_EFI,
	  .info = "systemd-boot 252.39-1~deb12u1",
	  .kind = HVR_LOADER_KERNEL_INSTALL,
	  .other = HVR_LOADER_SYSTEMD_BOOT },
	{ .name = "a BIOS cannot start systemd-boot",
	  .files = { DEBIAN, MENU, "usr/bin/kernel-install=", "boot/efi/loader/loader.conf=" },
	  .cmdline = "root=UUID=1 ro",
	  .kind = HVR_LOADER_GRUB },
	{ .name = "proxmox on ZFS",
	  .files = { DEBIAN, MENU, "etc/kernel/proxmox-boot-uuids=1234-ABCD\n",
		     "usr/bin/kernel-install=", "etc/kernel/cmdline=root=ZFS=rpool\n" },
	  .cmdline = "initrd=\\EFI\\proxmox\\6.8.12-4-pve\\initrd.img-6.8.12-4-pve root=ZFS=rpool",
	  .info = "systemd-boot 252.31-1~deb12u1",
	  .kind = HVR_LOADER_PROXMOX,
	  .advice = "/etc/kernel/cmdline, then run proxmox-boot-tool refresh" },
	{ .name = "proxmox with Secure Boot",
	  .files = { DEBIAN, MENU, "etc/kernel/proxmox-boot-uuids=1234-ABCD\n",
		     "etc/kernel/cmdline=root=ZFS=rpool\n" },
	  .cmdline = "BOOT_IMAGE=/vmlinuz-6.8.12-4-pve root=ZFS=rpool",
	  .info = "",
	  .kind = HVR_LOADER_PROXMOX_GRUB,
	  .advice = "/etc/default/grub, then run update-grub and proxmox-boot-tool refresh" },
	{ .name = "proxmox with a BIOS",
	  .files = { DEBIAN, MENU, "etc/kernel/proxmox-boot-uuids=1234-ABCD\n" },
	  .cmdline = "BOOT_IMAGE=/vmlinuz-6.8.12-4-pve root=ZFS=rpool",
	  .kind = HVR_LOADER_PROXMOX_GRUB },
	{ .name = "proxmox whose variables are not to be read",
	  .files = { DEBIAN, MENU, "etc/kernel/proxmox-boot-uuids=1234-ABCD\n" },
	  .cmdline = "initrd=\\EFI\\proxmox\\6.8.12-4-pve\\initrd.img-6.8.12-4-pve root=ZFS=rpool",
	  .kind = HVR_LOADER_PROXMOX },
	{ .name = "pop, as captured",
	  .files = { "etc/kernelstub/configuration={}\n", "usr/bin/kernelstub=" },
	  .cmdline = "root=UUID=1 ro quiet",
	  .kind = HVR_LOADER_KERNELSTUB },
	{ .name = "proxmox that does not run",
	  .files = { DEBIAN, MENU, "etc/kernel/proxmox-boot-uuids=1234-ABCD\n" },
	  .kind = HVR_LOADER_PROXMOX,
	  .other = HVR_LOADER_PROXMOX_GRUB,
	  .advice = "where systemd-boot with proxmox-boot-tool boots it" },
	{ .name = "proxmox on ext4",
	  .files = { DEBIAN, MENU },
	  .cmdline = "BOOT_IMAGE=/boot/vmlinuz-6.8.12-4-pve root=/dev/mapper/pve-root",
	  .info = "",
	  .kind = HVR_LOADER_GRUB },
	{ .name = "pop",
	  .files = { "etc/kernelstub/configuration={}\n",
		     "usr/bin/kernelstub=", "boot/efi/loader/loader.conf=default Pop_OS-current\n",
		     "boot/efi/loader/entries/Pop_OS-current.conf=options ro\n",
		     "usr/bin/kernel-install=" },
	  .cmdline = "initrd=\\EFI\\Pop_OS-1\\initrd.img root=UUID=1 ro",
	  .info = "systemd-boot 249.11",
	  .kind = HVR_LOADER_KERNELSTUB,
	  .advice = "run kernelstub --add-options=a=b" },
	{ .name = "pop with a BIOS",
	  .files = { "etc/kernelstub/configuration={}\n", DEBIAN, MENU },
	  .cmdline = BY_GRUB,
	  .kind = HVR_LOADER_GRUB },
	{ .name = "silverblue",
	  .files = { "run/ostree-booted=", "usr/bin/rpm-ostree=", "usr/sbin/grubby=",
		     "boot/grub2/grub.cfg=" },
	  .cmdline = "BOOT_IMAGE=(hd0,gpt2)/ostree/fedora-1/vmlinuz-6.12.1 root=UUID=1",
	  .info = "",
	  .kind = HVR_LOADER_RPM_OSTREE,
	  .advice = "run rpm-ostree kargs --append-if-missing=a=b" },
	{ .name = "silverblue image",
	  .files = { "ostree/repo/config=", "usr/bin/rpm-ostree=", "usr/sbin/grubby=" },
	  .kind = HVR_LOADER_RPM_OSTREE },
	{ .name = "ostree alone",
	  .files = { "run/ostree-booted=", "usr/bin/ostree=" },
	  .cmdline = BY_GRUB,
	  .kind = HVR_LOADER_OSTREE,
	  .advice = "run ostree admin kargs edit-in-place --append-if-missing=a=b" },
	{ .name = "fedora",
	  .files = { "usr/sbin/grubby=", "etc/default/grub=", "boot/grub2/grub.cfg=",
		     "usr/sbin/grub2-mkconfig=", "boot/loader/entries/" TOKEN "-6.conf=" },
	  .cmdline = "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.12.1 root=UUID=1",
	  .info = "",
	  .kind = HVR_LOADER_GRUBBY,
	  .advice = "run grubby --update-kernel=ALL --args=a=b" },
	{ .name = "fedora with a unified image",
	  .files = { "usr/sbin/grubby=", "etc/default/grub=" },
	  .cmdline = "root=UUID=1",
	  .info = "systemd-boot 256",
	  .stub = TRUE,
	  .kind = HVR_LOADER_UKI,
	  .advice = "ukify" },
	{ .name = "kernel-install with ukify",
	  .files = { "usr/bin/kernel-install=", "etc/kernel/install.conf=layout=uki\n",
		     "etc/kernel/cmdline=root=UUID=1\n" },
	  .cmdline = "root=UUID=1",
	  .info = "systemd-boot 255",
	  .stub = TRUE,
	  .kind = HVR_LOADER_KERNEL_INSTALL },
	{ .name = "arch with mkinitcpio's images",
	  .files = { "etc/mkinitcpio.d/linux.preset=#x\ndefault_uki=\"/efi/EFI/Linux/a.efi\"\n",
		     "usr/bin/kernel-install=", "boot/loader/loader.conf=",
		     "etc/kernel/cmdline=root=UUID=1\n" },
	  .cmdline = "root=UUID=1",
	  .info = "systemd-boot 257",
	  .stub = TRUE,
	  .kind = HVR_LOADER_UKI_MKINITCPIO,
	  .advice = "add a=b to /etc/kernel/cmdline, then run mkinitcpio -P" },
	{ .name = "dracut's images",
	  .files = { "etc/dracut.conf.d/uki.conf=uefi=\"yes\"\n", "usr/bin/dracut=" },
	  .cmdline = "root=UUID=1",
	  .info = "",
	  .stub = TRUE,
	  .kind = HVR_LOADER_UKI_DRACUT,
	  .advice = "then run dracut --force --regenerate-all" },
	{ .name = "arch with entries by hand",
	  .files = { "usr/bin/kernel-install=", "boot/loader/loader.conf=default arch\n",
		     "boot/loader/entries/arch.conf=options root=UUID=1\n",
		     "etc/machine-id=" TOKEN "\n" },
	  .cmdline = BY_EFI,
	  .info = "systemd-boot 257.2-2-arch",
	  .kind = HVR_LOADER_SYSTEMD_BOOT,
	  .advice = "add a=b to the line 'options' of each file in loader/entries" },
	{ .name = "entries of kernel-install beside one by hand",
	  .files = { "usr/bin/kernel-install=", "boot/loader/loader.conf=",
		     "boot/loader/entries/memtest.conf=efi /memtest\n",
		     "boot/loader/entries/" TOKEN "-6.12.1.conf=options root=UUID=1\n",
		     "etc/machine-id=" TOKEN "\n" },
	  .cmdline = BY_EFI,
	  .info = "systemd-boot 257",
	  .kind = HVR_LOADER_KERNEL_INSTALL },
	{ .name = "arch with GRUB",
	  .files = { "etc/default/grub=", "usr/bin/grub-mkconfig=. ${sysconfdir}/default/grub\n",
		     MENU, "usr/bin/kernel-install=" },
	  .cmdline = BY_GRUB,
	  .info = "",
	  .kind = HVR_LOADER_GRUB_MKCONFIG,
	  .advice = "/etc/default/grub, then run grub-mkconfig -o /boot/grub/grub.cfg" },
	{ .name = "manjaro",
	  .files = { "etc/default/grub=", "usr/bin/grub-mkconfig=. ${sysconfdir}/default/grub\n",
		     MENU, "usr/sbin/update-grub=grub-mkconfig -o /boot/grub/grub.cfg\n" },
	  .cmdline = BY_GRUB,
	  .info = "",
	  .kind = HVR_LOADER_GRUB_MKCONFIG },
	{ .name = "suse",
	  .files = { "etc/default/grub=", "usr/sbin/grub2-mkconfig=", "boot/grub2/grub.cfg=" },
	  .cmdline = BY_GRUB,
	  .info = "",
	  .kind = HVR_LOADER_GRUB2_MKCONFIG,
	  .advice = "/etc/default/grub, then run grub2-mkconfig -o /boot/grub2/grub.cfg" },
	{ .name = "two GRUBs",
	  .files = { DEBIAN, MENU, "usr/sbin/grub2-mkconfig=", "boot/grub2/grub.cfg=" },
	  .cmdline = BY_GRUB,
	  .info = "",
	  .kind = HVR_LOADER_GRUB,
	  .other = HVR_LOADER_GRUB2_MKCONFIG,
	  .advice = "update-grub; where GRUB with grub2-mkconfig does, add a=b" },
	{ .name = "refind",
	  .files = { "boot/refind_linux.conf=\"Boot\" \"root=UUID=1\"\n" },
	  .cmdline = BY_EFI,
	  .info = "rEFInd 0.14.0.2",
	  .kind = HVR_LOADER_REFIND,
	  .advice = "add a=b to each line of /boot/refind_linux.conf" },
	{ .name = "refind that starts GRUB",
	  .files = { "boot/refind_linux.conf=\n", DEBIAN, MENU },
	  .cmdline = BY_GRUB,
	  .info = "rEFInd 0.14.0.2",
	  .kind = HVR_LOADER_GRUB },
	{ .name = "raspberry pi",
	  .files = { "boot/firmware/config.txt=", "boot/firmware/cmdline.txt=root=UUID=1\n",
		     "boot/cmdline.txt=DO NOT EDIT THIS FILE\n" },
	  .cmdline = "console=tty1 root=PARTUUID=1",
	  .kind = HVR_LOADER_RASPBERRY_PI,
	  .advice = "add a=b to the one line of cmdline.txt in /boot/firmware" },
	{ .name = "armbian",
	  .files = { "boot/armbianEnv.txt=extraargs=\n" },
	  .cmdline = "root=UUID=1",
	  .kind = HVR_LOADER_ARMBIAN,
	  .advice = "extraargs= in /boot/armbianEnv.txt" },
	{ .name = "flash-kernel",
	  .files = { "usr/sbin/flash-kernel=", "etc/default/flash-kernel=" },
	  .cmdline = "root=UUID=1",
	  .kind = HVR_LOADER_FLASH_KERNEL,
	  .advice = "in /etc/default/flash-kernel, then run flash-kernel" },
	{ .name = "u-boot-menu",
	  .files = { "usr/sbin/u-boot-update=", "boot/extlinux/extlinux.conf=" },
	  .cmdline = "root=UUID=1",
	  .kind = HVR_LOADER_U_BOOT_MENU,
	  .advice = "U_BOOT_PARAMETERS in /etc/default/u-boot, then run u-boot-update" },
	{ .name = "alpine",
	  .files = { "etc/update-extlinux.conf=", "boot/extlinux.conf=" },
	  .cmdline = "BOOT_IMAGE=vmlinuz-lts root=UUID=1",
	  .kind = HVR_LOADER_ALPINE,
	  .advice = "/etc/update-extlinux.conf, then run update-extlinux" },
	{ .name = "extlinux",
	  .files = { "boot/extlinux/extlinux.conf=append root=UUID=1\n" },
	  .cmdline = "BOOT_IMAGE=/vmlinuz root=UUID=1",
	  .kind = HVR_LOADER_EXTLINUX,
	  .advice = "add a=b to each line 'append' of its extlinux.conf" },
	{ .name = "a container",
	  .files = { "etc/passwd=" },
	  .cmdline = BY_GRUB,
	  .kind = HVR_LOADER_UNKNOWN,
	  .advice = "add a=b to the kernel's command line" },
	{ .name = "nothing", .kind = HVR_LOADER_UNKNOWN },
};

/* Attributes, then UTF-16 with its NUL, as efivarfs has it. */
static void write_info(const FakeSysfs *fs, const char *info)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_byte_array_append(bytes, (const guint8 *)"\x06\0\0\0", 4);
	for (gsize i = 0; i <= strlen(info); i++) {
		const guint8 unit[2] = { (guint8)info[i], 0 };
		g_byte_array_append(bytes, unit, sizeof(unit));
	}
	fake_files_write_bytes(fs->root, EFIVARS "LoaderInfo" GUID, bytes->data, bytes->len, 0600);
}

static void make(const FakeSysfs *fs, const Case *wanted)
{
	for (guint i = 0; i < G_N_ELEMENTS(wanted->files) && wanted->files[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(wanted->files[i], "=", 2);
		fake_files_write(fs->root, parts[0], parts[1], 0644);
	}
	if (wanted->cmdline)
		fake_files_write(fs->root, "proc/cmdline", wanted->cmdline, 0444);
	if (wanted->info)
		fake_files_make_folder(fs->root, "sys/firmware/efi/efivars");
	if (wanted->info && *wanted->info)
		write_info(fs, wanted->info);
	if (wanted->stub)
		fake_files_write(fs->root, EFIVARS "StubInfo" GUID, "", 0600);
}

static void each_system_has_its_loader(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();
		HvrHost host = fs->host;
		make(fs, &cases[i]);
		if (!cases[i].cmdline)
			host.sys = host.proc = host.run = -1;
		HvrLoader loader = hvr_loader_look(&host);
		g_autofree char *advice = hvr_loader_advice(&loader, "a=b", NULL);
		if (loader.kind != cases[i].kind || loader.other != cases[i].other)
			fail_msg("%s: %s, or %s", cases[i].name, hvr_loader_name(loader.kind),
				 hvr_loader_name(loader.other));
		if (cases[i].advice && !strstr(advice, cases[i].advice))
			fail_msg("%s: %s", cases[i].name, advice);
	}
}

/* Each kind is one that a tree has. */
static void no_kind_is_dead(void **state)
{
	for (guint kind = 0; kind < HVR_LOADER_N_KINDS; kind++) {
		gboolean found = FALSE;
		for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
			found = found || cases[i].kind == kind || cases[i].other == kind;
		if (!found)
			fail_msg("no tree has %s", hvr_loader_name((HvrLoaderKind)kind));
	}
}

static void arguments_go_and_come(void **state)
{
	static const struct {
		HvrLoaderKind kind;
		const char *add, *drop, *advice;
	} changes[] = {
		{ HVR_LOADER_GRUB, "a=b", "c", "put a=b in the place of c in GRUB_CMDLINE_LINUX" },
		{ HVR_LOADER_GRUB, NULL, "c", "remove c from GRUB_CMDLINE_LINUX in /etc" },
		{ HVR_LOADER_RPM_OSTREE, "a=b d", "c",
		  "run rpm-ostree kargs --delete-if-present=c --append-if-missing=a=b "
		  "--append-if-missing=d" },
		{ HVR_LOADER_GRUBBY, "a=b d", "c",
		  "run grubby --update-kernel=ALL --remove-args=c '--args=a=b d'" },
		{ HVR_LOADER_KERNELSTUB, "a=b d", NULL, "run kernelstub '--add-options=a=b d'" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		const HvrLoader loader = { .kind = changes[i].kind };
		g_autofree char *advice =
			hvr_loader_advice(&loader, changes[i].add, changes[i].drop);
		if (!g_str_has_prefix(advice, changes[i].advice))
			fail_msg("'%s', not '%s'", advice, changes[i].advice);
	}
}

/* What check says of an IOMMU that is not used is in the words of this host's loader. */
static void the_iommus_advice_names_it(void **state)
{
	static const Case proxmox = {
		.files = { "etc/kernel/proxmox-boot-uuids=1234-ABCD\n",
			   "sys/firmware/acpi/tables/DMAR=DMAR" },
		.cmdline = "initrd=\\EFI\\proxmox\\initrd.img root=ZFS=rpool intel_iommu=off",
		.info = "systemd-boot 252",
	};
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();

	make(fs, &proxmox);
	g_autofree char *instead = hvr_iommu_advice(&fs->host);
	assert_string_equal(instead,
			    "put intel_iommu=on in the place of intel_iommu=off in the one line of "
			    "/etc/kernel/cmdline, then run proxmox-boot-tool refresh, and reboot");
	fake_files_write(fs->root, "proc/cmdline", "root=ZFS=rpool", 0444);
	g_autofree char *add = hvr_iommu_advice(&fs->host);
	assert_string_equal(add, "add intel_iommu=on to the one line of /etc/kernel/cmdline, then "
				 "run proxmox-boot-tool refresh, and reboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_system_has_its_loader),
		cmocka_unit_test(no_kind_is_dead),
		cmocka_unit_test(arguments_go_and_come),
		cmocka_unit_test(the_iommus_advice_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
