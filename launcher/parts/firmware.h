/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/* A UEFI firmware that is installed on this host, as its descriptor has it. */
typedef struct {
	char *code;	   /* absolute */
	char *code_format; /* "raw" or "qcow2" */
	char *vars;	   /* the template of the variables; absolute; NULL: there is none */
	char *vars_format;
	gboolean needs_smm;
} HvrFirmware;
void hvr_firmware_free(HvrFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrFirmware, hvr_firmware_free)

/**
 * hvr_firmware_own - a UEFI that the profile names itself, with variables that are there.
 * @code, @vars: absolute. Each is a qcow2 image where its name ends in .qcow2, as Fedora's do, and
 *		 else what is in the flash chip. Neither is looked at.
 * @secure: with Secure Boot, whose variables take System Management Mode to be safe
 */
HvrFirmware *hvr_firmware_own(const char *code, const char *vars,
			      gboolean secure) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_firmware_find - the UEFI firmware that suits a VM, by QEMU's firmware descriptors.
 * @host: whose package manager a refusal names
 * @folders: NULL-terminated, the first one counts most: a file hides those of its name in later
 *	     folders, and an empty one hides all of them
 * @machine: one that hvr_machine_find() knows
 * @secure: with Secure Boot on and keys enrolled; else without Secure Boot, or where there is
 *	    none such, with one that no key turns on
 *
 * A descriptor that cannot be read, or is not as QEMU's firmware.json has it, is passed over.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
HvrFirmware *hvr_firmware_find(const HvrHost *host, const char *const *folders, const char *machine,
			       gboolean secure, GError **error) G_GNUC_WARN_UNUSED_RESULT;
