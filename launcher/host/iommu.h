/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/* dmesg will not do: its words differ between makers and kernels, and it is forgotten. What decides
 * is whether there are groups; the firmware's tables and the kernel's arguments tell why not. */
typedef enum {
	HVR_IOMMU_ON,	  /* functions have groups */
	HVR_IOMMU_UNUSED, /* the firmware describes one that the kernel does not use */
	HVR_IOMMU_ABSENT, /* the firmware describes none: off in its setup, or not there */
} HvrIommuState;

typedef struct {
	HvrIommuState state;
	char *seen;   /* what there is: "Intel VT-d (dmar0 dmar1), 24 groups" */
	char *advice; /* what to do to have it on; NULL when it is */
} HvrIommu;
void hvr_iommu_free(HvrIommu *iommu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrIommu, hvr_iommu_free)

/* Changes nothing. [transfer full] */
HvrIommu *hvr_iommu_look(const HvrHost *host) G_GNUC_WARN_UNUSED_RESULT;

/* Has any function an IOMMU group that protects? The state of hvr_iommu_look(), for less. */
gboolean hvr_iommu_is_on(const HvrHost *host);

/* What to do where PCI functions have no IOMMU group: from the CPU's maker, the firmware's tables
 * and the kernel's arguments. [transfer full] */
char *hvr_iommu_advice(const HvrHost *host) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
	HVR_INTERRUPTS_REMAPPED,
	HVR_INTERRUPTS_DIRECT,
	HVR_INTERRUPTS_UNKNOWN, /* no message-signalled interrupt in use that would tell */
} HvrInterrupts;

/* What has them remapped. Static */
const char *hvr_iommu_interrupts_advice(const HvrHost *host);

/* Are message-signalled interrupts isolated? VFIO refuses a device where they are not. */
HvrInterrupts hvr_iommu_interrupts(const HvrHost *host);
