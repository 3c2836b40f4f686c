# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# stop ends in the time that it was given, whoever is stopped by a signal, and the host has its card
# as it was.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

# What this machine may need beside the 2 s: it emulates the lab, and the kernel resets the card
MOST_MS=20000

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
profile two < /dev/null

# Runs a stop of 2 s and holds it to that
stop_in_time() # STATUS WORD...
{
	local begin ms

	begin=$(date +%s%3N)
	expect_exit "$1" "$HVR" stop --timeout 2 "${@:2}"
	ms=$(($(date +%s%3N) - begin))
	((ms < MOST_MS)) || fail "stop --timeout 2 ${*:2} took $ms ms" "$(cat /tmp/stderr)"
}

# A process stands still when the kernel says so
freeze() # PID
{
	kill -STOP "$1"
	until grep -q '^State:.*T' "/proc/$1/status"; do :; done
}

card_is_back()
{
	assert_match "npu: $card is back on" "$(cat /tmp/stderr)"
	assert_eq "$before" "$(snapshot "$card")" "the card"
}

say "the supervisor is stopped: status says so, stop has it go on"
run_vm lab
freeze "$run_pid"
assert_match "lab: stopped: its supervisor" "$("$HVR" status lab)"
stop_in_time 0 lab
assert_match "is stopped, and is told to go on" "$(cat /tmp/stderr)"
run_ends 0 lab
card_is_back
nothing_left

say "QEMU is stopped: it goes on for the power button"
run_vm lab
freeze "$(qemu_pid lab)"
assert_match "lab: stopped: QEMU" "$("$HVR" status lab)"
stop_in_time 0 lab
run_ends 0 lab
card_is_back
nothing_left

say "both, and the guest does not power down"
sed -i 's/^cmdline = .*/cmdline = powerdown=ignore/' /tmp/lab.ini
run_vm lab
freeze "$run_pid"
freeze "$(qemu_pid lab)"
stop_in_time 0 lab
assert_match "VM 'lab' has ended: (QEMU was ended|had to be killed)" "$(cat /tmp/stderr)"
run_ends 0 lab
card_is_back
nothing_left

say "unplug of a VM whose supervisor is stopped has it go on"
sed -i 's/^cmdline = .*/cmdline = guest/' /tmp/lab.ini
run_vm lab
freeze "$run_pid"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, after an unplug"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
nothing_left

say "both are killed: stop gives back what they have left"
run_vm lab
qemu=$(qemu_pid lab)
kill -KILL "$run_pid" "$qemu"
wait "$run_pid" || true
wait_for_end "$qemu" 30
stop_in_time 0 lab
card_is_back
nothing_left

say "a paused guest goes on for the power button"
run_vm lab
expect_exit 0 "$HVR" qmp lab stop --wait-event STOP
assert_match "lab: paused" "$("$HVR" status lab)"
expect_exit 0 "$HVR" stop lab
assert_match "powered off" "$(cat /tmp/stderr)"
run_ends 0 lab
card_is_back
nothing_left

say "all of them at once, one of them stopped"
run_vm two
two=$run_pid
run_vm lab
freeze "$run_pid"
stop_in_time 0 --all
assert_match "VM 'lab' has ended" "$(cat /tmp/stderr)"
assert_match "VM 'two' has ended" "$(cat /tmp/stderr)"
run_ends 0 lab
run_pid=$two
run_ends 0 two
card_is_back
nothing_left
expect_exit 0 "$HVR" stop --all
