# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What one start and exit of QEMU does to a card, with reset_method untouched and emptied, counted
# by the card itself. This is the fact that the reset quirk rests on.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs alone

card=$(card alone)
bind_to_vfio "$card"

start_and_stop()
{
	clear_counts "$card"
	vm_start "" "$card"
	wait_for /tmp/guest "guest: pci 01:00.0 1e60:2864 class 0b40" 60
	wait_for /tmp/guest "guest: hailo answers" 60
	wait_for /tmp/guest "guest: ready" 60
	vm_power_down
	say "$(card_state "$card")"
}

start_and_stop
assert_eq "3 0" "$(flr_count "$card") $(reset_count "$card")" "FLRs and bus resets, untouched"

echo > "/sys/bus/pci/devices/$card/reset_method"
assert_match 'reset_method=$' "$(snapshot "$card" | grep reset_method)"
start_and_stop
assert_eq "0 2" "$(flr_count "$card") $(reset_count "$card")" "FLRs and bus resets, emptied"
