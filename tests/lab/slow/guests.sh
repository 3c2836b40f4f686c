# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# Guests that ignore, refuse, answer late, reboot or die during an unplug, and a QEMU that does.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")

guest() # WORDS
{
	profile lab "$1" <<-END
		[device npu]
		address = $card
	END
	run_vm lab
}

gone() # STATUS OF run
{
	run_ends "$1" lab
	assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
	nothing_left
}

say "ignores: 75, and the card is still in the VM"
guest unplug=ignore
expect_exit 75 "$HVR" unplug --timeout 2 lab npu
assert_match "still in VM 'lab'" "$(cat /tmp/stderr)"
assert_eq vfio-pci "$(driver_of "$card")" "nothing is rebound"
assert_match '"state":"in-vm"' "$("$HVR" status --json lab)"
expect_exit 0 "$HVR" stop lab
gone 0

say "refuses, and does not power down: stop goes on to quit"
guest "unplug=refuse powerdown=ignore"
expect_exit 75 "$HVR" unplug --timeout 2 lab npu
wait_for /tmp/lab.serial "guest: unplug refused" 5
expect_exit 0 "$HVR" stop --timeout 2 lab
gone 0

say "late: the deadline passes, and the card goes back when the guest lets go"
guest unplug=late:6
expect_exit 75 "$HVR" unplug --timeout 2 lab npu
wait_for /tmp/lab.err "left the VM and is back" 60
assert_eq "$before" "$(snapshot "$card")" "the card, given back late"
expect_exit 64 "$HVR" unplug lab npu
expect_exit 0 "$HVR" stop lab
gone 0

say "reboots during it: the reset completes the removal"
guest reboot-on-unplug
expect_exit 0 "$HVR" unplug --timeout 60 lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, after the reboot"
expect_exit 0 "$HVR" stop lab
gone 0

say "reboot: the guest has no agent to ask; --hard is a reset of the card and the guest anew"
guest guest
resets=$(reset_count "$card")
expect_exit 69 "$HVR" reboot lab
assert_match "no channel to an agent" "$(cat /tmp/stderr)"
assert_eq "$resets" "$(reset_count "$card")" "bus resets by a refused reboot"
expect_exit 0 "$HVR" reboot --hard lab
for ((tries = 0; tries < 60; tries++)); do
	(($(grep -c "guest: ready" /tmp/lab.serial) < 2)) || break
	read -rt 1 <> <(:) || true
done
assert_eq 2 "$(grep -c "guest: ready" /tmp/lab.serial)" "starts of the guest"
say "bus resets by a reboot: $(($(reset_count "$card") - resets))"
(($(reset_count "$card") > resets)) || fail "no reset of the card came with that of its VM"
expect_exit 0 "$HVR" stop lab
gone 0

say "system_reset during it"
guest unplug=refuse
"$HVR" unplug --timeout 60 lab npu 2> /tmp/unplug.err &
unplug=$!
wait_for /tmp/lab.serial "guest: unplug refused" 30
qmp_connect "$RUNTIME/vms/lab/qmp.sock"
qmp '{"execute": "system_reset"}'
wait "$unplug" || fail "unplug ended with $?" "$(cat /tmp/unplug.err)"
assert_eq "$before" "$(snapshot "$card")" "the card, after system_reset"

say "with the QMP socket taken by another client, which has it now"
expect_exit 0 "$HVR" plug lab npu
expect_exit 75 "$HVR" unplug --timeout 2 lab npu
qmp '{"execute": "quit"}'
gone 0

say "two unplugs at once"
guest unplug=late:2
"$HVR" unplug lab npu &
first=$!
expect_exit 0 "$HVR" unplug lab npu
wait "$first" || fail "the first ended with $?"
assert_eq "$before" "$(snapshot "$card")" "the card, after two unplugs"
expect_exit 0 "$HVR" stop lab
gone 0

say "QEMU is killed during it"
guest unplug=refuse
qemu=$(qemu_pid lab)
"$HVR" unplug --timeout 60 lab npu 2> /tmp/unplug.err &
unplug=$!
wait_for /tmp/lab.serial "guest: unplug refused" 30
kill -KILL "$qemu"
status=0
wait "$unplug" || status=$?
assert_eq 69 "$status" "status of an unplug whose QEMU died"
run_ends 69 lab
assert_match "QEMU was ended by signal 9" "$(cat /tmp/lab.err)"
assert_eq "$before" "$(snapshot "$card")" "the card, after QEMU was killed"
nothing_left

say "the supervisor is killed: QEMU keeps the card and the lock, unplug stands in"
guest guest
supervisor=$run_pid
qemu=$(qemu_pid lab)
kill -KILL "$supervisor"
wait "$supervisor" || true
assert_match orphaned "$("$HVR" status lab)"
expect_exit 75 "$HVR" release "$card"
expect_exit 75 "$HVR" run /tmp/lab.ini
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, by a stand-in"
[[ -d /proc/$qemu ]] || fail "the VM does not run on"
expect_exit 0 "$HVR" stop lab
[[ ! -d /proc/$qemu ]] || fail "QEMU is still there"
nothing_left

say "the same after a plug: QEMU was given that lock"
guest guest
expect_exit 0 "$HVR" unplug lab npu
expect_exit 0 "$HVR" plug lab npu
qemu=$(qemu_pid lab)
kill -KILL "$run_pid"
wait "$run_pid" || true
profile other <<-END
	[device npu]
	address = $card
END
expect_exit 75 "$HVR" run /tmp/other.ini
assert_match "in use by VM 'lab'" "$(cat /tmp/stderr)"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the plugged card, by a stand-in"
expect_exit 0 "$HVR" stop lab
[[ ! -d /proc/$qemu ]] || fail "QEMU is still there"
nothing_left
