/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrVfioError - why this host cannot give a PCI function to a VM.
 * A code exists only where a caller or an exit status treats it differently. A plain failure of a
 * system call is a G_IO_ERROR made from errno instead.
 */
typedef enum {
	HVR_VFIO_ERROR_NOT_FOUND,  /* no such PCI function, driver or attribute */
	HVR_VFIO_ERROR_NO_IOMMU,   /* the function has no IOMMU group, or a no-IOMMU one */
	HVR_VFIO_ERROR_NOT_VIABLE, /* somebody else's endpoint in the group has a driver */
	HVR_VFIO_ERROR_UNSUITABLE, /* this function can never be passed: a bridge, a dead card, ...
				    */
	HVR_VFIO_ERROR_NO_POWER,   /* it is in D3cold and does not wake */
	HVR_VFIO_ERROR_BUSY,	   /* in use: by a VM, a process, a mount. Try again */
	HVR_VFIO_ERROR_PERMISSION, /* the caller may not */
	HVR_VFIO_ERROR_KERNEL,	   /* the kernel refused a step */
	HVR_VFIO_ERROR_TIMEOUT,	   /* the kernel did not finish a step before its deadline */
} HvrVfioError;

#define HVR_VFIO_ERROR (hvr_vfio_error_quark())
GQuark hvr_vfio_error_quark(void);
