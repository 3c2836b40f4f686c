# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# `test` and what keeps it from a result: each fault's class, status, report and event, and the card
# as it was. The lab's guest has no agent: what happens in a guest is in tests/unit/test-trial.c.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
reports=(--result /tmp/result --junit /tmp/junit --events /tmp/events --no-input)

# What the reports say; @ELEMENT is JUnit's
reported() # CLASS WHERE ELEMENT CAUSE
{
	local result

	result=$(cat /tmp/result)
	assert_match "\"class\":\"$1\"" "$result"
	assert_match "\"where\":\"$2\"" "$result"
	assert_match "$4" "$result"
	assert_match "<$3 message=" "$(cat /tmp/junit)"
	assert_match "\"class\":\"$1\"" "$(grep '"event":"result"' /tmp/events)"
	assert_eq "$before" "$(snapshot "$card")" "the card, behind $4"
}

# A test to its end
comes_to() # STATUS CLASS WHERE ELEMENT CAUSE [WORDS OF test...]
{
	rm -f /tmp/events
	expect_exit "$1" "$HVR" test "${reports[@]}" "${@:6}" -- true
	reported "${@:2:4}"
}

# A test in the background, until an event has come. $test_pid is it.
begins() # EVENT [WORDS OF test...]
{
	rm -f /tmp/events
	"$HVR" test "${reports[@]}" "${@:2}" -- true 2> /tmp/test.err &
	test_pid=$!
	wait_for /tmp/events "\"event\":\"$1\"" 60 > /dev/null
}

ends() # STATUS
{
	local status=0

	wait "$test_pid" || status=$?
	assert_eq "$1" "$status" "status of test: $(cat /tmp/test.err)"
}

say "1 a report that cannot be written: before anything else"
expect_exit 125 "$HVR" test --junit /nonexistent/x --no-input /tmp/lab.ini -- true
say "2 a bad profile"
sed 's/memory = 64M/memory = lots/' /tmp/lab.ini > /tmp/bad.ini
comes_to 125 infrastructure profile error memory /tmp/bad.ini
say "3 a disk that cannot be read"
{ cat /tmp/lab.ini; printf '[disk root]\nfile = /tmp/none.img\nformat = raw\n'; } > /tmp/disk.ini
comes_to 125 infrastructure start error none.img /tmp/disk.ini
say "4 a card that is not there"
comes_to 125 infrastructure start error ff:1f.0 --set device.npu.address=0000:ff:1f.0 /tmp/lab.ini
say "5 a port that somebody has"
socat TCP-LISTEN:2299,bind=127.0.0.1,fork /dev/null &
socat=$!
{ cat /tmp/lab.ini; printf '[net lan]\nmode = user\nforward = tcp:127.0.0.1:2299-22\n'; } > /tmp/port.ini
comes_to 125 infrastructure start error 2299 /tmp/port.ini
kill "$socat"
nothing_left

say "6 a guest without an agent; its last words are in the report"
comes_to 125 infrastructure start error 'not ready within 20 s' --wait-ready 20 /tmp/lab.ini
assert_match 'guest: ready' "$(cat /tmp/junit)"
say "7 the deadline of the whole"
comes_to 125 infrastructure start error 'deadline of 8 s has passed' --deadline 8 /tmp/lab.ini
nothing_left
say "8 a VM that is killed"
begins running /tmp/lab.ini
kill -KILL "$(sed -n 's/.*"event":"running".*"pid":\([0-9]*\).*/\1/p' /tmp/events)"
ends 125
reported infrastructure start error 'signal 9'
say "9 cancelled"
begins running /tmp/lab.ini
kill -TERM "$test_pid"
ends 143
reported cancelled start skipped 'by signal 15'
nothing_left
say "10 killed: somebody else says so, and gives the card back"
begins running /tmp/lab.ini
kill -KILL "$test_pid"
ends 137
wait_for /tmp/events '"event":"released"' 90 > /dev/null
wait_for /tmp/events '"event":"result"' 10 > /dev/null
reported infrastructure start error 'test was killed'

say "11 a card that another VM has: who waits is seen"
sed 's/\[vm\]/[vm]\nname = other/; s,/tmp/lab.serial,/tmp/other.serial,' /tmp/lab.ini > /tmp/other.ini
before=$(snapshot "$card")
run_vm other
given=$before
before=$(snapshot "$card")
comes_to 125 infrastructure start error "in use by VM 'other'" /tmp/lab.ini
begins waiting --wait=60 --deadline 5 /tmp/lab.ini
assert_match "\"address\":\"$card\",\"holder\":\"other\"" "$(cat /tmp/events)"
assert_match 'waits for a card' "$("$HVR" status)"
ends 125
reported infrastructure start error 'it waited for a card'
say "12 a name that is taken"
comes_to 125 infrastructure start error 'is running already' --set vm.name=other /tmp/lab.ini
expect_exit 0 "$HVR" stop other
run_ends 0 other
assert_eq "$given" "$(snapshot "$card")" "the card, at last"
nothing_left
