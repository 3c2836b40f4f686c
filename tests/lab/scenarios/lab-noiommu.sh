# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A machine whose kernel does not use its IOMMU: there is one, and there are no groups.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs alone noiommu

card=$(card alone)
assert_eq none "$(group_of "$card")" "IOMMU group of $card"
[[ -e /sys/firmware/acpi/tables/DMAR ]] || fail "the firmware tells of no IOMMU"
assert_eq "" "$(ls /sys/kernel/iommu_groups)" "IOMMU groups"
