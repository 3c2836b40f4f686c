/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Paths in the guest, as its agent gets them. None of them is ever opened on this host. */

/* The drivers: of HailoRT 4.x and 5.0.0, and of 5.0.1 and later, which knows no Hailo-8. Absent:
 * not loaded. */
#define HVR_GUEST_DRIVER_VERSION  "/sys/module/hailo_pci/version"
#define HVR_GUEST_DRIVER5_VERSION "/sys/module/hailo1x_pci/version"

/* A line for each PCI function. */
#define HVR_GUEST_PCI "/proc/bus/pci/devices"

/* A folder for each card that the driver has taken, named as its node below HVR_GUEST_DEV. */
#define HVR_GUEST_CARDS "/sys/class/hailo_chardev"
#define HVR_GUEST_DEV	"/dev/"
