/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "vfio/host.h"
#include "vfio/inventory.h"

/**
 * hvr_pci_function_writable - may this process write what takes @function from its driver and gives
 * it back: drivers_probe, the driver's unbind, driver_override, reset_method, power? Each is asked
 * by faccessat(2), so a read-only sysfs (a container, ProtectKernelTunables=), a user namespace and
 * SELinux are told before the first write. Writes nothing. What is not there is not needed.
 * Errors: naming the attribute and why not: HVR_VFIO_ERROR_UNSUITABLE where nobody may,
 * HVR_VFIO_ERROR_PERMISSION where this process may not
 */
gboolean hvr_pci_function_writable(const HvrHost *host, const HvrPciFunction *function,
				   GError **error);
