# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# A warm start: the guest is saved without its card once, and gets it by hot-plug each time that it
# goes on. The card is the host's until then, and again afterwards.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

begin_warm

# Starts it warm and waits until it has its card
warm_vm()
{
	start_warm require
	wait_for /tmp/lab.events '"ready"' 60 > /tmp/ready ||
		fail "the VM does not go on" "$(cat /tmp/lab.err)"
}

say "saved without its card"
expect_exit 0 "$HVR" warm /tmp/lab.ini
assert_eq "$before" "$(snapshot "$card")" "the card, when the guest is saved"
assert_eq 0 "$(reset_count "$card")" "bus resets while it is saved"
nothing_left
grep -q "guest: ready" /tmp/lab.serial
! grep -q "1e60:2864" /tmp/lab.serial || fail "the guest that is saved has seen the card"

for round in 1 2; do
	say "it goes on, and gets its card ($round)"
	warm_vm
	grep -q '"restored"' /tmp/lab.events
	wait_for /tmp/lab.serial "guest: plugged .*1e60:2864" 10
	! grep -q "guest: ready" /tmp/lab.serial || fail "the guest has booted"
	assert_eq vfio-pci "$(driver_of "$card")" "driver of the card, in the VM"
	expect_exit 0 "$HVR" unplug lab npu
	assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
	expect_exit 0 "$HVR" plug lab npu
	assert_eq vfio-pci "$(driver_of "$card")" "driver of the card, plugged again"
	expect_exit 0 "$HVR" stop lab
	run_ends 0 lab
	assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
	nothing_left
done

say "killed on its way"
for event in running restored plugged; do
	start_warm require
	wait_for /tmp/lab.events "\"$event\"" 60 > /tmp/ready
	kill -KILL "$run_pid"
	wait "$run_pid" || true
	"$HVR" stop --force lab > /tmp/stop.out 2>&1 || true
	expect_exit 0 "$HVR" release --all
	assert_eq "$before" "$(snapshot "$card")" "the card, after a kill behind $event"
done
warm_vm
expect_exit 0 "$HVR" stop lab
run_ends 0 lab

say "stopped before it has its card"
start_warm require
wait_for /tmp/lab.events '"restored"' 60 > /tmp/ready
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, of a VM that was stopped on its way"
nothing_left

say "another guest is not this one"
expect_exit 69 "$HVR" run /tmp/lab.ini --set vm.warm=require --set vm.cpus=2
assert_eq "$before" "$(snapshot "$card")" "the card, after a refusal"
expect_exit 0 "$HVR" warm --drop all
nothing_left
assert_eq 0 "$(flr_count "$card")" "FLRs"
