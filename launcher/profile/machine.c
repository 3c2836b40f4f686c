/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's machines. A new one is an entry here, once it was seen that cards come and go on it.
 *
 * A card needs PCI Express: below a conventional bridge a guest sees no extended config space. It
 * needs a port of its own besides, or it cannot be unplugged.
 */
#include "launcher/profile/machine.h"

#include <string.h>

static const HvrMachine machines[] = {
	/* 31 slots, which QEMU deals out from slot 1 on; its own chips are in the last one, 0x1f */
	{ .name = HVR_MACHINE_DEFAULT,
	  .versions = "pc-q35-",
	  .binary = HVR_MACHINE_DEFAULT_BINARY,
	  .binary_rhel = "qemu-kvm",
	  .architecture = "x86_64",
	  .root_bus = "pcie.0",
	  .first_slot = 0x01,
	  .last_slot = 0x1e,
	  .ports_slot = 0x10,
	  .iommu_slot = 0x1e,
	  .sata_bus = "ide.",
	  .sata_ports = HVR_AHCI_PORTS,
	  .sata_device = "ahci",
	  .serial = "isa-serial",
	  .screen = "VGA",
	  .panic = "pvpanic",
	  .no_s3 = "driver=ICH9-LPC,property=disable_s3,value=1" },
};

/* Those of the same QEMU that have none, by patterns. */
static const char *const without_pcie[] = { "pc", "pc-i440fx-*", "isapc" };

/* Of QEMUs for other processors. */
static const char *const foreign[] = { "virt",	   "virt-*",   "sbsa-ref", "raspi*",
				       "pseries*", "powernv*", "s390-*",   "malta" };

const HvrMachine *hvr_machine_find(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++)
		if (strcmp(name, machines[i].name) == 0 ||
		    g_str_has_prefix(name, machines[i].versions))
			return &machines[i];
	return NULL;
}

const char *hvr_machine_refusal(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(without_pcie); i++)
		if (g_pattern_match_simple(without_pcie[i], name))
			return "has no PCI Express slots";
	for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++)
		if (g_pattern_match_simple(foreign[i], name))
			return "is a machine with another processor: hosts and guests of this "
			       "program are amd64 (x86_64) ones";
	return "is not a machine of " HVR_MACHINE_DEFAULT_BINARY " that this program knows";
}
