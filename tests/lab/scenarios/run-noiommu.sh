# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Without an IOMMU: 69, with the kernel argument to add, and nothing changed.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs noiommu

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "$card: it has no IOMMU group" "$(cat /tmp/stderr)"
assert_match "intel_iommu=on" "$(cat /tmp/stderr)"
assert_eq 2 "$(wc -l < /tmp/stderr)" "lines on standard error"
assert_eq "$before" "$(snapshot "$card")"
nothing_left
