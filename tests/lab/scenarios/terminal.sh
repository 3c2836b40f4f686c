# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# A terminal is left as it was found, whoever ends the VM and how: its settings and its O_NONBLOCK.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"

profile lab < /dev/null
sed -i 's/^mode = file/mode = stdio/; /^file = /d' /tmp/lab.ini

# What a user's shell sees of its terminal around one command
cat > /tmp/user <<-'END'
	state() { stty -g; sed -n 's/^flags:[[:space:]]*//p' /proc/self/fdinfo/0; }
	state > /tmp/before
	tty > /tmp/tty
	status=0
	"$@" || status=$?
	state > /tmp/after
	echo "$status" > /tmp/status
END
mkfifo /tmp/keys
exec {keys}<> /tmp/keys

# Runs a command on a terminal of its own; /tmp/screen is what that shows
on_terminal() # COMMAND...
{
	rm -f /tmp/{before,after,status,tty,screen}
	script -qfec "bash /tmp/user $*" /tmp/screen <&"$keys" > /dev/null &
	script_pid=$!
}

# The terminal is raw now, or the test shows nothing; and afterwards it is not
as_found() # STATUS WHAT
{
	wait "$script_pid" || true
	assert_eq "$1" "$(cat /tmp/status)" "status of $2"
	assert_eq "$(cat /tmp/before)" "$(cat /tmp/after)" "the terminal, after $2"
}

in_use()
{
	[[ $(stty -g -F "$(cat /tmp/tty)") != "$(head -n 1 /tmp/before)" ]] ||
		fail "the terminal is not in use: this shows nothing"
}

for name in INT TERM HUP QUIT; do
	say "SIG$name"
	on_terminal "$HVR" run /tmp/lab.ini
	wait_for /tmp/screen "guest: ready" 60 > /tmp/answer
	in_use
	kill "-$name" "$("$HVR" status --json lab | sed -E 's/.*"supervisor_pid":([0-9]+).*/\1/')"
	as_found $((128 + $(kill -l "$name"))) "SIG$name"
	nothing_left
done

say "QEMU is killed"
on_terminal "$HVR" run /tmp/lab.ini
wait_for /tmp/screen "guest: ready" 60 > /tmp/answer
in_use
kill -KILL "$(qemu_pid lab)"
as_found 69 "a killed QEMU"
nothing_left

say "console"
sed -i 's/^mode = stdio/mode = socket/' /tmp/lab.ini
"$HVR" run /tmp/lab.ini 2> /tmp/lab.err &
run_pid=$!
wait_for /tmp/lab.err "is running" 60 > /tmp/answer
on_terminal "$HVR" console lab
wait_for /tmp/screen "Ctrl-] then d leaves" 30 > /tmp/answer
until [[ $(stty -g -F "$(cat /tmp/tty)") != "$(head -n 1 /tmp/before)" ]]; do
	sleep 0.1
done
printf '\035d' >&"$keys"
as_found 0 "a console that was left"
on_terminal "$HVR" console lab
wait_for /tmp/screen "Ctrl-] then d leaves" 30 > /tmp/answer
pid=$(pgrep -x -f "$HVR console lab")
kill -TERM "$pid"
as_found 143 "a console that was ended"
on_terminal "$HVR" console lab
wait_for /tmp/screen "Ctrl-] then d leaves" 30 > /tmp/answer
expect_exit 0 "$HVR" stop --force lab
as_found 0 "a console whose VM has ended"
run_ends 0 lab
nothing_left
