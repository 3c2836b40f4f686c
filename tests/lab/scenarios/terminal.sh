# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# A terminal is left as it was found, whoever ends the VM and how: its settings and its O_NONBLOCK.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/on-terminal.sh
source "${LAB_LIB%/*}/on-terminal.sh"

profile lab < /dev/null
sed -i 's/^mode = file/mode = stdio/; /^file = /d' /tmp/lab.ini

for name in INT TERM HUP QUIT; do
	say "SIG$name"
	on_terminal "$HVR" run /tmp/lab.ini
	wait_for /tmp/screen "guest: ready" 60 > /tmp/answer
	in_use
	kill "-$name" "$(supervisor_pid lab)"
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
in_use
type_keys '\035d'
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
