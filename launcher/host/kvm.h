/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "vfio/host.h"

/**
 * hvr_kvm_try - does KVM work here? Makes a virtual machine with one processor and closes it
 * again; changes nothing. Needs access to the node, which the caller may have and the VM's user
 * may not.
 *
 * A node that opens is not enough: where this host is itself a guest, KVM may refuse the model
 * specific registers that QEMU sets, and QEMU then aborts ("failed to set MSR 0x10a").
 * Returns: 0, or an errno: ENOENT no node, EACCES, ENOTTY another API, EIO refuses registers, ...
 */
int hvr_kvm_try(const HvrHost *host);
