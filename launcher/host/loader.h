/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Who has the say over the kernel's command line. */
typedef enum {
	HVR_LOADER_UNKNOWN,
	HVR_LOADER_RPM_OSTREE,
	HVR_LOADER_OSTREE,
	HVR_LOADER_PROXMOX,	 /* proxmox-boot-tool and systemd-boot */
	HVR_LOADER_PROXMOX_GRUB, /* proxmox-boot-tool and GRUB */
	HVR_LOADER_KERNELSTUB,	 /* Pop!_OS */
	HVR_LOADER_UKI_MKINITCPIO,
	HVR_LOADER_UKI_DRACUT,
	HVR_LOADER_UKI,	   /* a unified kernel image of some other making */
	HVR_LOADER_GRUBBY, /* Fedora and its kin, whatever the loader is */
	HVR_LOADER_RASPBERRY_PI,
	HVR_LOADER_GRUB,	   /* reads etc/default/grub.d: Debian, Ubuntu */
	HVR_LOADER_GRUB_MKCONFIG,  /* does not: Arch and its kin */
	HVR_LOADER_GRUB2_MKCONFIG, /* ... under its other name: openSUSE */
	HVR_LOADER_KERNEL_INSTALL, /* etc/kernel/cmdline: systemd-boot, also with unified images */
	HVR_LOADER_SYSTEMD_BOOT,   /* with entries that somebody has written */
	HVR_LOADER_REFIND,
	HVR_LOADER_ARMBIAN,
	HVR_LOADER_FLASH_KERNEL,
	HVR_LOADER_U_BOOT_MENU,
	HVR_LOADER_ALPINE, /* update-extlinux */
	HVR_LOADER_EXTLINUX,
	HVR_LOADER_N_KINDS,
} HvrLoaderKind;

/* The loader of a system, as its files tell and, of one that runs, how it was booted. */
typedef struct {
	HvrLoaderKind kind;
	HvrLoaderKind other; /* just as plausible; _UNKNOWN: none is */
} HvrLoader;

/* How `setup` gives the kernel an argument there. */
typedef enum {
	HVR_LOADER_BY_HAND,	 /* not at all */
	HVR_LOADER_BY_GRUB_FILE, /* a file in etc/default/grub.d */
	HVR_LOADER_BY_CMDLINE,	 /* etc/kernel/cmdline */
	HVR_LOADER_BY_COMMAND,	 /* hvr_loader_command() */
} HvrLoaderBy;

/* For people: "GRUB", "systemd-boot with kernel-install". */
const char *hvr_loader_name(HvrLoaderKind kind);
HvrLoaderBy hvr_loader_by(HvrLoaderKind kind);

/**
 * hvr_loader_command - the argv that changes the kernel's arguments, of loaders of _BY_COMMAND.
 * @add, @drop: (nullable): arguments, with a space between two
 * Returns: (transfer full): ends with NULL; what is there already, or is gone already, is no
 * failure to it
 */
char **hvr_loader_command(HvrLoaderKind kind, const char *add,
			  const char *drop) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_loader_advice - what to do by hand to change the kernel's arguments: the file and the
 * command, by their names. Where two loaders are plausible, for both.
 * @add, @drop: as above; one of them at least
 * Returns: (transfer full): "add intel_iommu=on to GRUB_CMDLINE_LINUX in /etc/default/grub, then
 * run update-grub"
 */
char *hvr_loader_advice(const HvrLoader *loader, const char *add,
			const char *drop) G_GNUC_WARN_UNUSED_RESULT;
