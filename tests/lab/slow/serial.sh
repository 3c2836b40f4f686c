# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# One relay for the serial port: whatever [serial] mode is, in the foreground or not, it is recorded
# from the guest's first word on, two consoles see the same at once, and what was said is there when
# the VM has ended, however that came.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")

# The lab's profile with another [serial] section
with_mode() # MODE
{
	profile lab <<-END
		[device npu]
		address = $card
	END
	[[ $1 == file ]] || sed -i "s/^mode = file/mode = $1/; /^file = /d" /tmp/lab.ini
}

# A console without a terminal: what it shows is in /tmp/NAME.out. $console_pid is its process
open_console() # NAME
{
	rm -f "/tmp/$1.out"
	"$HVR" console lab < /dev/null > "/tmp/$1.out" 2> "/tmp/$1.err" &
	console_pid=$!
}

begins_at_the_begin()
{
	"$HVR" log --serial lab > /tmp/record
	assert_match 'guest: ' "$(head -n 1 /tmp/record)" "the first line that the guest has said"
	grep -q "guest: ready" /tmp/record || fail "no 'guest: ready'" "$(cat /tmp/record)"
}

two_consoles_see_it()
{
	local first second

	open_console first
	first=$console_pid
	open_console second
	second=$console_pid
	wait_for /tmp/first.out "guest: ready" 30 > /tmp/answer
	wait_for /tmp/second.out "guest: ready" 30 > /tmp/answer
	expect_exit 0 "$HVR" unplug lab npu
	wait_for /tmp/first.out "guest: unplug request" 30 > /tmp/answer
	wait_for /tmp/second.out "guest: unplug request" 30 > /tmp/answer
	expect_exit 0 "$HVR" stop --force lab
	wait_for_end "$first" 30
	wait_for_end "$second" 30
	assert_match "VM 'lab' (ended at |has ended)" "$(cat /tmp/first.err)"
}

is_there_afterwards() # REASON
{
	expect_exit 0 "$HVR" status lab
	assert_match "^lab: ended at [0-9:]+: $1" "$(cat /tmp/stdout)"
	expect_exit 0 "$HVR" log lab
	grep -q "guest: ready" /tmp/stdout || fail "the guest's words are gone" "$(cat /tmp/stdout)"
	grep -q "is running (QEMU pid" /tmp/stdout || fail "ours are gone" "$(cat /tmp/stdout)"
	expect_exit 69 "$HVR" console lab
	assert_match "it ended at [0-9:]+: $1" "$(cat /tmp/stderr)"
	assert_eq "$before" "$(snapshot "$card")" "the card, afterwards"
	nothing_left
}

for mode in stdio file socket; do
	say "mode = $mode, detached"
	with_mode "$mode"
	echo "[guest]
ready = serial:guest: ready" >> /tmp/lab.ini
	expect_exit 0 "$HVR" run --detach --wait-ready=60 /tmp/lab.ini
	begins_at_the_begin
	two_consoles_see_it
	is_there_afterwards "stopped"
done

say "mode = stdio, in the foreground: standard output has every byte, and the consoles, too"
with_mode stdio
"$HVR" run /tmp/lab.ini < /dev/null > /tmp/lab.out 2> /tmp/lab.err &
run_pid=$!
wait_for /tmp/lab.out "guest: ready" 60 > /tmp/answer
begins_at_the_begin
two_consoles_see_it
run_ends 0 lab
is_there_afterwards "stopped"
"$HVR" log --serial lab > /tmp/record 2> /tmp/answer
cmp /tmp/lab.out /tmp/record || fail "what was shown is not what was recorded"

say "QEMU is killed: its messages stay"
expect_exit 0 "$HVR" run --detach /tmp/lab.ini
wait_for "$RUNTIME/vms/lab/serial.log" "guest: ready" 60 > /tmp/answer
kill -KILL "$(qemu_pid lab)"
until ! "$HVR" status lab 2> /dev/null | grep -q "QEMU pid"; do
	sleep 0.1
done
is_there_afterwards "QEMU was ended by signal 9"

say "the supervisor is killed: a console goes on, and who stops the VM puts it away"
expect_exit 0 "$HVR" run --detach /tmp/lab.ini
wait_for "$RUNTIME/vms/lab/serial.log" "guest: ready" 60 > /tmp/answer
open_console orphan
wait_for /tmp/orphan.out "guest: ready" 30 > /tmp/answer
kill -KILL "$(supervisor_pid lab)"
wait_for /tmp/orphan.err "has lost its supervisor, and goes on" 30 > /tmp/answer
expect_exit 0 "$HVR" stop --force lab
wait_for_end "$console_pid" 30
is_there_afterwards "stopped, without its supervisor"

say "forgotten"
expect_exit 0 "$HVR" status --forget lab
expect_exit 69 "$HVR" log lab
assert_eq "" "$(ls "$RUNTIME/ended")" "what VMs have left"
