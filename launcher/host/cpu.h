/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

typedef enum { HVR_CPU_OTHER, HVR_CPU_INTEL, HVR_CPU_AMD, HVR_CPU_ARM } HvrCpuMaker;

/**
 * HvrCpu - the host's first processor.
 */
typedef struct {
	HvrCpuMaker maker;
	gboolean virtualises; /* vmx or svm; not told on Arm */
	gboolean is_guest;    /* a hypervisor is below us */
} HvrCpu;

/* Nothing is set where /proc does not say. */
HvrCpu hvr_cpu_look(const HvrHost *host);

/* Is the running kernel of this version or newer? By its name; FALSE where that is not to be had.
 */
gboolean hvr_kernel_is_at_least(const HvrHost *host, guint major, guint minor);

/* Is @word, such as "intel_iommu=on", on the running kernel's command line? */
gboolean hvr_kernel_has_argument(const HvrHost *host, const char *word);
/* The first that begins so, such as "BOOT_IMAGE=", whole. [transfer full] (nullable) */
char *hvr_kernel_find_argument(const HvrHost *host, const char *begin) G_GNUC_WARN_UNUSED_RESULT;
