/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without an IOMMU no card can be given away; without remapped interrupts VFIO refuses, unless it
 * was told not to mind. And is what the groups say true?
 */
#include "launcher/check/checking.h"
#include "launcher/host/isolation.h"

static void check_interrupts(HvrCheck *check)
{
	if (!hvr_check_ask(check, "interrupts", NULL))
		return;
	switch (check->facts->interrupts) {
	case HVR_INTERRUPTS_REMAPPED:
		hvr_check_pass(check, "interrupts", "remapped by the IOMMU");
		break;
	case HVR_INTERRUPTS_DIRECT:
		hvr_check_say(check, HVR_CHECK_WARN, "interrupts", check->facts->interrupts_advice,
			      "not remapped, and VFIO was told not to mind: a guest can send any "
			      "interrupt to this host");
		break;
	case HVR_INTERRUPTS_UNKNOWN:
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "interrupts",
			      "see 'dmesg | grep -i remapping'",
			      "no message-signalled interrupt is in use that would tell whether "
			      "they are remapped");
		break;
	}
}

static void check_isolation(HvrCheck *check)
{
	const char *override = check->facts->acs_override;

	if (override)
		hvr_check_say(check, HVR_CHECK_WARN, "isolation",
			      "take it from the kernel's command line, and use slots that have "
			      "groups of their own without it",
			      "%s: " HVR_ISOLATION_WARNING, override);
}

void hvr_check_iommu(HvrCheck *check)
{
	if (!hvr_check_ask(check, "iommu", NULL))
		return;
	g_autoptr(HvrIommu) iommu = hvr_iommu_look(&check->context->host);
	hvr_check_pass(check, "iommu", "%s", iommu->seen);
	check_interrupts(check);
	check_isolation(check);
}
