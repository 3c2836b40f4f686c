/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/fake/fake-sysfs.h"

/*
 * Machines as people have them, each ready for a VM unless its comment says otherwise. What is not
 * under test is left out; what tells the makers apart is there: cpuinfo, the firmware's tables,
 * class/iommu, interrupt chips.
 */
typedef FakeSysfs *(*FakeLayout)(void);

/* A board with a Hailo-8 in an M.2 slot: 0000:02:00.0 below 0000:00:1c.4, group 14. */
FakeSysfs *fake_layout_intel(void);
/* The same on a Ryzen: ivhd units, IVRS table, card at 0000:0b:00.0, group 16. */
FakeSysfs *fake_layout_amd(void);
/* Arm server: SMMUv3 units, IORT table, domain 0004, card at 0004:01:00.0, group 3. */
FakeSysfs *fake_layout_arm(void);
/* The card is behind Intel VMD: 10000:e1:00.0, domain of five digits, group 14. */
FakeSysfs *fake_layout_vmd(void);
/* Two cards behind two switches, one after the other: 0000:05:00.0 and 0000:06:00.0, groups 30
 * and 31. */
FakeSysfs *fake_layout_switches(void);
/* A network card of which two virtual functions are in use, next to the card of the Intel board:
 * 0000:04:00.0, with 0000:04:10.0 and 0000:04:10.1, groups 20 to 22. */
FakeSysfs *fake_layout_sriov(void);
/* Two cards and a network card of the host on one conventional bus: 0000:03:01.0, 0000:03:02.0,
 * 0000:03:03.0 (e1000), group 9. Not ready: the host uses the network card. */
FakeSysfs *fake_layout_century(void);
/* The Intel board with its IOMMU off: no unit, no group, the DMAR table is there. Not ready. */
FakeSysfs *fake_layout_no_iommu(void);
/* What a host may have in use, each in a group of its own, and nothing else of the machine: a
 * Hailo-8 at 0000:02:00.0, network card eth0 at 0000:03:00.0, NVMe disk nvme0n1 with one partition
 * at 0000:04:00.0, groups 14 to 16. */
FakeSysfs *fake_layout_busy(void);
