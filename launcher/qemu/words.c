/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's words, where they say which of several causes it was: sentences of Linux 5.10
 * to 6.18 (drivers/vfio/, drivers/pci/, drivers/iommu/, mm/oom_kill.c).
 */
#include "launcher/qemu/words.h"

#include <string.h>

static const HvrDiagnosis kernel_rows[] = {
	{ .id = "k-rmrr",
	  .any = { "ineligible for IOMMU domain attach due to platform RMRR" },
	  .meaning = "the host's firmware keeps memory of the card for itself (RMRR): switch "
		     "off what uses the card there (its boot ROM, remote management), or use "
		     "another slot or host" },
	{ .id = "k-direct",
	  .any = { "rejecting configuring the device without a 1:1 mapping" },
	  .meaning = "the host's firmware wants a direct mapping for the card, which VFIO "
		     "must not give: turn off pre-boot DMA protection in the firmware setup, "
		     "update the firmware, or use another slot" },
	{ .id = "k-remapping",
	  .any = { "No interrupt remapping support" },
	  .meaning = "this host cannot remap interrupts: enable that (VT-d or AMD-Vi with "
		     "interrupt remapping) in the firmware setup" },
	{ .id = "k-memlock",
	  .any = { "RLIMIT_MEMLOCK (" },
	  .and_needle = ") exceeded",
	  .meaning = "QEMU may not lock enough memory: raise the memory lock limit (ulimit "
		     "-l) above the guest's RAM, or give the VM less memory" },
	{ .id = "k-d3cold",
	  .any = { "change power state from D3cold" },
	  .meaning = "the card's power is cut while it is idle, and it does not come back: "
		     "set d3cold_allowed to 0 for it, or boot with pcie_port_pm=off; for now "
		     "take its power away and start the host again" },
	{ .id = "k-power",
	  .any = { "change power state from D", "Refused to change power state" },
	  .meaning = "the card does not leave its sleep: take its power away and start the "
		     "host again" },
	{ .id = "k-not-ready",
	  .any = { "not ready" },
	  .and_needle = "giving up",
	  .meaning = "the card did not come back from a reset: take its power away and start "
		     "the host again, and set reset = none if it happens again" },
	{ .id = "k-timeout",
	  .any = { "failed with error -110" },
	  .meaning = "the card did not answer in time: take its power away and start the host "
		     "again" },
	{ .id = "k-bar-unset",
	  .any = { "can't enable device: BAR" },
	  .meaning = "the host has given a BAR of the card no address: enable decoding above "
		     "4G in the firmware setup, or boot with pci=realloc" },
	{ .id = "k-bar-unset",
	  .any = { "BAR " },
	  .and_needle = "failed to assign",
	  .meaning = "the host has given a BAR of the card no address: enable decoding above "
		     "4G in the firmware setup, or boot with pci=realloc" },
	{ .id = "k-bar-unset",
	  .any = { "BAR " },
	  .and_needle = "can't assign; no space",
	  .meaning = "the host has given a BAR of the card no address: enable decoding above "
		     "4G in the firmware setup, or boot with pci=realloc" },
	{ .id = "k-bar-taken",
	  .any = { "BAR " },
	  .and_needle = "can't reserve",
	  .meaning = "something else of the host holds a BAR of the card: /proc/iomem names "
		     "it" },
	{ .id = "k-oom-limit",
	  .any = { "Memory cgroup out of memory" },
	  .and_needle = "(qemu",
	  .meaning = "a memory limit around this program (MemoryMax= of a unit, a container) was "
		     "reached, and the kernel ended QEMU: raise it, or give the VM less" },
	{ .id = "k-oom",
	  .any = { "Killed process" },
	  .and_needle = "(qemu",
	  .meaning = "this host ran out of memory, and the kernel ended QEMU: give the VM "
		     "less" },
	{ .id = "k-bus-error",
	  .any = { "PCIe Bus Error" },
	  .meaning = "the card's PCI Express link reported an error: check seat, riser and "
		     "power of the card" },
};

static gboolean has_any(const HvrDiagnosis *row, const char *text)
{
	for (guint i = 0; i < G_N_ELEMENTS(row->any) && row->any[i]; i++)
		if (strcasestr(text, row->any[i]))
			return TRUE;
	return FALSE;
}

const HvrDiagnosis *hvr_words_find(const HvrWordsTable *table, const char *text)
{
	for (guint i = 0; i < table->n; i++) {
		const HvrDiagnosis *row = &table->rows[i];
		if (has_any(row, text) && (!row->and_needle || strcasestr(text, row->and_needle)))
			return row;
	}
	return NULL;
}

const HvrWordsTable hvr_words_kernel = { kernel_rows, G_N_ELEMENTS(kernel_rows) };
