# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A passed card computes, moves memory through the IOMMU and interrupts the guest.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs edu

card=$(card edu)
bind_to_vfio "$card"
vm_start edu "$card"
wait_for /tmp/guest "guest: edu factorial ok 3628800" 60
wait_for /tmp/guest "guest: edu dma ok" 60
wait_for /tmp/guest "guest: edu msi ok" 60
vm_power_down
