# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# Interrupts are not remapped: check and run refuse, the card is not touched; told not to mind, VFIO
# takes it.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone direct

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
counts=$(card_state "$card")
profile lab <<-END
	[device npu]
	address = $card
END

expect_exit 1 "$HVR" check /tmp/lab.ini
assert_match "FAIL    interrupts: host: interrupts are not remapped" "$(cat /tmp/stdout)"
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "interrupts are not remapped: VFIO refuses every card" "$(cat /tmp/stderr)"
assert_eq "$before" "$(snapshot "$card")" "the card"
assert_eq "$counts" "$(card_state "$card")" "resets of the card"
nothing_left

mkdir -p /etc/modprobe.d
echo "options vfio_iommu_type1 allow_unsafe_interrupts=1" > /etc/modprobe.d/lab.conf
expect_exit 0 "$HVR" check /tmp/lab.ini
assert_match "WARN    interrupts: .*VFIO was told not to mind" "$(cat /tmp/stdout)"
run_vm lab
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
