# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 500
# unplug and plug, 8 times in one VM: the supervisor holds no more at the end than at the start.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
profile lab <<-END
	[device npu]
	address = $card
END

descriptors()
{
	find "/proc/$run_pid/fd" -mindepth 1 | wc -l
}

run_vm lab
expect_exit 0 "$HVR" unplug lab npu
expect_exit 0 "$HVR" plug lab npu
first=$(descriptors)
for round in {1..8}; do
	expect_exit 0 "$HVR" unplug lab npu
	assert_eq "$before" "$(snapshot "$card")" "the card, out of the VM ($round)"
	expect_exit 0 "$HVR" plug lab npu
	assert_eq vfio-pci "$(driver_of "$card")" "driver of the card, in the VM ($round)"
done
assert_eq "$first" "$(descriptors)" "descriptors of the supervisor"
assert_eq "$(qemu_pid lab)" "$(tr -d ' ' < "/proc/$run_pid/task/$run_pid/children")" "its children"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
assert_eq 0 "$(flr_count "$card")" "FLRs"
nothing_left
