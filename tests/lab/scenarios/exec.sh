# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# --exec: the launcher becomes QEMU; unplug and stop stand in for the supervisor; release.
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

say "run --exec: QEMU has the launcher's pid"
run_vm lab --exec
assert_eq "$run_pid" "$(qemu_pid lab)" "QEMU's pid"
assert_match 'qemu-system' "$(readlink "/proc/$run_pid/exe")"
status=$(cat "/proc/$run_pid/status")
assert_match $'Uid:\t65534' "$status"
assert_match $'CapEff:\t0000000000000000' "$status"
assert_match $'NoNewPrivs:\t1' "$status"
assert_match 'unsupervised' "$("$HVR" status lab)"

say "release refuses while QEMU has it"
expect_exit 75 "$HVR" release "$card"
assert_match "in use by VM 'lab'" "$(cat /tmp/stderr)"

say "unplug stands in for the supervisor"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
[[ -d /proc/$run_pid ]] || fail "the VM does not run on"
say "the group is free for another VM"
sed 's/\[vm\]/[vm]\nname = other/; s,/tmp/lab.serial,/tmp/other.serial,' /tmp/lab.ini > /tmp/other.ini
first=$run_pid
run_vm other
kill -TERM "$run_pid"
run_ends 143 other
assert_eq "$before" "$(snapshot "$card")" "the card, after the other VM"

say "stop stands in too"
expect_exit 69 "$HVR" plug lab npu
expect_exit 0 "$HVR" stop lab
wait "$first" || true
nothing_left

say "run --exec, the VM ends by itself, release"
run_vm lab --exec
expect_exit 0 "$HVR" stop --force lab
wait "$run_pid" || true
assert_eq "$before" "$(snapshot "$card")" "the card, after stop"
run_vm lab --exec
kill -KILL "$run_pid"
wait "$run_pid" || true
assert_eq vfio-pci "$(driver_of "$card")" "driver of a card that nobody gave back"
expect_exit 0 "$HVR" release "$card"
assert_eq "$before" "$(snapshot "$card")" "the card, after release"
expect_exit 0 "$HVR" release --all
nothing_left

say "a stand-in that is ended leaves the VM as it is"
sed -i 's/cmdline = guest/cmdline = unplug=refuse/' /tmp/lab.ini
run_vm lab --exec
"$HVR" unplug --timeout 60 lab npu 2> /tmp/unplug.err &
unplug=$!
wait_for /tmp/lab.serial "guest: unplug refused" 30
kill -TERM "$unplug"
status=0
wait "$unplug" || status=$?
assert_eq 143 "$status" "status of an unplug that was ended"
assert_match 'interrupted' "$(cat /tmp/unplug.err)"
say "so does one that waits in vain, or is asked for what there is not"
expect_exit 75 "$HVR" unplug --timeout 2 lab npu
assert_match "still in VM 'lab'" "$(cat /tmp/stderr)"
assert_match 'in-vm' "$("$HVR" status --json lab)"
expect_exit 64 "$HVR" unplug lab gpu
expect_exit 0 "$HVR" stop lab
wait "$run_pid" || true
assert_eq "$before" "$(snapshot "$card")" "the card, after a stand-in was ended"
nothing_left
sed -i 's/cmdline = unplug=refuse/cmdline = guest/' /tmp/lab.ini

say "the next run gives back what a killed QEMU left"
run_vm lab --exec
kill -KILL "$run_pid"
wait "$run_pid" || true
run_vm lab
assert_match 'gave back 1 PCI function' "$(cat /tmp/lab.err)"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, at last"
nothing_left
assert_eq 0 "$(flr_count "$card")" "FLRs"
