/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/fake/fake-sysfs.h"

/*
 * A machine from a text, one thing a line, as tests/data/hosts/record prints them of a real one:
 *
 *   # a comment
 *   file PATH TEXT      a line of a file, PATH from the root; lines of one file stand together
 *   unit NAME           of class/iommu
 *   table NAME          of the firmware's ACPI tables
 *   pci ADDRESS PARENT VENDOR:DEVICE CLASS GROUP DRIVER RESETS
 *   dead ADDRESS        its config space reads as ones
 *   node ADDRESS PATH NAME SUBSYSTEM MAJOR MINOR   what its driver has made: fake_sysfs_add_node()
 *
 * A parent comes first. "-" is none; RESETS are separated by commas. What is not in the text, such
 * as config space, is the fake machine's own.
 */
FakeSysfs *fake_recorded_host(const char *path);
