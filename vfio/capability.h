/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/**
 * hvr_reset_incapable - which methods of reset_method @function has not got what it takes for, by
 * its config space: some of "flr", "af_flr" and "pm", with a blank between. The kernel asks for the
 * same (pcie_reset_flr(), pci_af_flr() and pci_pm_reset() in Linux's drivers/pci/pci.c), but for
 * cards that it knows better, whose lists have the method.
 *
 * Reads all of its 256 bytes, which takes root, and for which the kernel wakes a suspended one.
 * Returns: (transfer full): "" also where it cannot be read or makes no sense
 */
char *hvr_reset_incapable(const HvrHost *host,
			  const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;
