/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/*
 * Devices that are the functions of one slot, by the VM's record. A guest lets go of a slot whole
 * (acpi_pcihp_eject_slot() in QEMU's hw/acpi/pcihp.c, pcie_cap_slot_do_unplug() in its
 * hw/pci/pcie.c), so whoever asks for less does not mean it.
 */

/**
 * hvr_slot_check_first - may @name be unplugged by itself: is it alone, or function 0?
 * Errors: HVR_LAUNCH_ERROR_USAGE (hint: by whose name it leaves)
 */
gboolean hvr_slot_check_first(const HvrSession *session, const char *name,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Does @device leave with @section: is it of that one, or of one in whose slot that is function 0?
 */
gboolean hvr_slot_leaves_with(const HvrSession *session, const HvrVmDevice *device,
			      const char *section);

/* Is there another function in its slot now? */
gboolean hvr_slot_has_others(const HvrSession *session, const HvrVmDevice *device);
