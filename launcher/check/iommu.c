/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without an IOMMU no card can be given away; without remapped interrupts VFIO refuses, unless it
 * was told not to mind.
 */
#include "launcher/check/checking.h"
#include "launcher/host/iommu.h"
#include "vfio/tree.h"

#define UNSAFE "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

static void check_direct(HvrCheck *check)
{
	g_autofree char *unsafe = hvr_tree_read_line(check->context->host.sys, UNSAFE);

	if (g_strcmp0(unsafe, "Y") == 0)
		hvr_check_say(check, HVR_CHECK_WARN, "interrupts",
			      "enable x2APIC or interrupt remapping in the firmware setup",
			      "not remapped, and VFIO was told not to mind: a guest can send any "
			      "interrupt to this host");
	else
		hvr_check_say(
			check, HVR_CHECK_FAIL, "interrupts",
			"enable x2APIC or interrupt remapping in the firmware setup, and take "
			"intremap=off and nointremap from the kernel's command line",
			"not remapped: VFIO refuses every card (\"No interrupt remapping\")");
}

static void check_interrupts(HvrCheck *check)
{
	switch (hvr_iommu_interrupts(&check->context->host)) {
	case HVR_INTERRUPTS_REMAPPED:
		hvr_check_pass(check, "interrupts", "remapped by the IOMMU");
		break;
	case HVR_INTERRUPTS_DIRECT:
		check_direct(check);
		break;
	case HVR_INTERRUPTS_UNKNOWN:
		hvr_check_say(check, HVR_CHECK_UNSURE, "interrupts",
			      "see 'dmesg | grep -i remapping'",
			      "no message-signalled interrupt is in use that would tell whether "
			      "they are remapped");
		break;
	}
}

void hvr_check_iommu(HvrCheck *check)
{
	g_autoptr(HvrIommu) iommu = hvr_iommu_look(&check->context->host);

	if (iommu->state != HVR_IOMMU_ON) {
		hvr_check_say(check, HVR_CHECK_FAIL, "iommu", iommu->advice, "%s", iommu->seen);
		return;
	}
	hvr_check_pass(check, "iommu", "%s", iommu->seen);
	check_interrupts(check);
}
