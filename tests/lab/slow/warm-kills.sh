# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 2400
# A warm start twenty times, each with its card, and fifty supervisors that are killed at any moment
# of one, or of the save before it: the card is given back, and no state is damaged.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

begin_warm
RANDOM=$(date +%s) # which is told below

milliseconds()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# And the VM is stopped
goes_on() # WORD
{
	local began

	began=$(milliseconds)
	start_warm "$1"
	wait_for /tmp/lab.events '"ready"' 90 > /tmp/ready ||
		fail "the VM does not go on" "$(cat /tmp/lab.err)"
	took=$(($(milliseconds) - began))
	grep -q '"restored"' /tmp/lab.events || fail "it has booted" "$(cat /tmp/lab.err)"
	wait_for /tmp/lab.serial "guest: plugged .*1e60:2864.*bar4=" 10 > /tmp/plugged
	expect_exit 0 "$HVR" unplug lab npu
	assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
	expect_exit 0 "$HVR" stop lab
	run_ends 0 lab
	nothing_left
}

say "twenty"
expect_exit 0 "$HVR" warm /tmp/lab.ini
for round in {1..20}; do
	goes_on require
done
say "$round of 20 had their card; the last was ready after $took ms"
assert_eq 0 "$(flr_count "$card")" "FLRs"

# Whoever starts QEMU may die before anybody else knows of it
no_qemu()
{
	local left

	left=$(pgrep -f "qemu-system.*guest=lab" | paste -sd ' ') || true
	[[ ! $left ]] || fail "a QEMU is left that nobody knows of: $left" "$(ls -R "$RUNTIME")"
}

# Sleeps for so long: the moment is nobody's event
killed_after() # MS WHAT
{
	read -r -t "$(awk "BEGIN { print $1 / 1000 }")" <> <(:) || true
	kill -KILL "$run_pid" 2> /dev/null || true
	wait "$run_pid" 2> /dev/null || true
	# of a VM that is being saved it is another name
	for name in "$RUNTIME"/vms/*; do
		[[ ! -e $name ]] || "$HVR" stop --force "${name##*/}" > /tmp/stop.out 2>&1 || true
	done
	expect_exit 0 "$HVR" release --all
	assert_eq "$before" "$(snapshot "$card")" "the card, killed $1 ms into $2"
	no_qemu
	nothing_left
}

say "forty killed on their way"
for _ in {1..40}; do
	start_warm require
	killed_after $((RANDOM % (took + took / 4))) "a start"
done
goes_on require

say "ten killed while the guest is saved"
for _ in {1..10}; do
	expect_exit 0 "$HVR" warm --drop all
	"$HVR" warm /tmp/lab.ini > /tmp/lab.out 2> /tmp/lab.err &
	run_pid=$!
	killed_after $((RANDOM % took)) "a save"
	expect_exit 0 "$HVR" run --detach --wait-ready 120 /tmp/lab.ini --set vm.warm=auto
	expect_exit 0 "$HVR" stop lab
	nothing_left
done
goes_on require
left=$(find /var/cache/hailo-vm-run/warm -name '.*' ! -name .)
assert_eq "" "$left" "what killed savers have left"
expect_exit 0 "$HVR" warm --drop all
