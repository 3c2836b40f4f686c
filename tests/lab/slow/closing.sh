# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# Whoever reads /proc/PID/smaps, stat or the like as QEMU dies has its memory for that moment, and the
# kernel may close and reset the card in that reader, with QEMU gone already: whoever gives back has to
# wait for that. A reader that does nothing else is there in each of the ways that lead to giving back.
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

# Ends with that process
read_on() # PID
{
	while cat /proc/"$1"/smaps{,,,,,,,,,,,,,,,} > /tmp/smaps 2> /tmp/cat; do
		:
	done
}

# A VM with a console and a reader. $qemu and $supervisor are its processes
begin()
{
	expect_exit 0 "$HVR" run --detach /tmp/lab.ini
	wait_for "$RUNTIME/vms/lab/serial.log" "guest: ready" 60 > /tmp/answer
	"$HVR" console lab < /dev/null > /tmp/console.out 2> /tmp/console.err &
	console_pid=$!
	wait_for /tmp/console.out "guest: ready" 30 > /tmp/answer
	qemu=$(qemu_pid lab)
	supervisor=$(supervisor_pid lab)
	read_on "$qemu" &
	reader_pid=$!
}

lose_supervisor()
{
	kill -KILL "$supervisor"
	wait_for /tmp/console.err "has lost its supervisor, and goes on" 30 > /tmp/answer
}

kill_both()
{
	lose_supervisor
	kill -KILL "$qemu"
	wait_for_end "$qemu" 30
}

is_over()
{
	wait_for_end "$console_pid" 30
	wait_for_end "$reader_pid" 30
	assert_eq "$before" "$(snapshot "$card")" "the card, afterwards"
	nothing_left
}

for _ in 1 2 3; do
	say "stop --force without a supervisor"
	begin
	lose_supervisor
	expect_exit 0 "$HVR" stop --force lab
	is_over
done

say "two at once"
begin
lose_supervisor
"$HVR" stop --force lab 2> /tmp/other.err &
other_pid=$!
expect_exit 0 "$HVR" stop --force lab
assert_match "VM 'lab' has ended" "$(cat /tmp/stderr)"
wait "$other_pid" || fail "the other one" "$(cat /tmp/other.err)"
is_over

say "the supervisor gives back"
begin
kill -KILL "$qemu"
wait_for_end "$supervisor" 60
is_over

say "release"
begin
kill_both
expect_exit 0 "$HVR" release --all
is_over

say "stop, with QEMU dead"
begin
kill_both
expect_exit 0 "$HVR" stop lab
is_over

say "the next run of that name"
begin
kill_both
begin
expect_exit 0 "$HVR" stop --force lab
is_over
