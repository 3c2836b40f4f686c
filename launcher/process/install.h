/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/* How a distribution gets its packages, and by which names it knows them. */
typedef enum {
	HVR_INSTALLER_UNKNOWN,
	HVR_INSTALLER_APT,    /* Debian, Ubuntu and their kin */
	HVR_INSTALLER_DNF,    /* Fedora, RHEL */
	HVR_INSTALLER_PACMAN, /* Arch */
	HVR_INSTALLER_ZYPPER, /* SUSE */
} HvrInstaller;

typedef enum {
	HVR_PACKAGE_QEMU, /* qemu-system-x86_64, or what does its work */
	HVR_PACKAGE_QEMU_IMG,
	HVR_PACKAGE_FIRMWARE, /* UEFI for that QEMU */
	HVR_PACKAGE_VIRTIOFSD,
	HVR_PACKAGE_MTOOLS,
	HVR_PACKAGE_SSH,
	HVR_PACKAGE_SWTPM,
} HvrPackage;

/**
 * hvr_installer_look - the one of @host, which may be a captured tree: by ID and then by ID_LIKE of
 * /etc/os-release, see os-release(5).
 */
HvrInstaller hvr_installer_look(const HvrHost *host);

/**
 * hvr_install_command - what to type: "apt install ovmf". Of an unknown distribution what to type
 * on others. Pure. (transfer full)
 */
char *hvr_install_command(HvrInstaller installer, HvrPackage package) G_GNUC_WARN_UNUSED_RESULT;

/* hvr_error_hint() with that command of @host behind @text: "install it (apt install ovmf)". */
void hvr_install_hint(GError **error, const char *text, const HvrHost *host, HvrPackage package);
