# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A VM with a card on somebody's terminal: left by Ctrl-] d and come back to, ended by its keys, and
# what happens to the process that the shell has; each time the card is back.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/on-terminal.sh
source "${LAB_LIB%/*}/on-terminal.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
sed -i 's/^mode = file/mode = stdio/; /^file = /d' /tmp/lab.ini

# The guest has its card, and the terminal
at_terminal()
{
	on_terminal "$HVR" run /tmp/lab.ini
	wait_for /tmp/screen "Ctrl-\] then \? for help" 60 > /tmp/answer
	wait_for /tmp/screen "guest: ready" 60 > /tmp/answer
	in_use
	assert_eq "vfio-pci" "$(driver_of "$card")"
}

card_is_back() # WHAT
{
	assert_eq "$before" "$(snapshot "$card")" "the card, after $1"
	nothing_left
}

# The process that the shell has: the supervisor's parent
front_pid()
{
	sed -n 's/^PPid:[[:space:]]*//p' "/proc/$(supervisor_pid lab)/status"
}

say "left and come back to"
at_terminal
type_keys '\035d'
as_found 0 "Ctrl-] d"
assert_match "running" "$("$HVR" status lab)"
assert_eq "vfio-pci" "$(driver_of "$card")"
on_terminal "$HVR" console lab
wait_for /tmp/screen "Ctrl-\] then d leaves" 30 > /tmp/answer
type_keys '\035d'
as_found 0 "a console that was left"
expect_exit 0 "$HVR" stop lab
card_is_back "a VM that was left"

say "Ctrl-] s"
at_terminal
type_keys '\035s'
wait_for /tmp/screen "guest: power button" 30 > /tmp/answer
as_found 0 "Ctrl-] s"
card_is_back "Ctrl-] s"

say "Ctrl-] q"
at_terminal
type_keys '\035q'
as_found 0 "Ctrl-] q"
card_is_back "Ctrl-] q"

say "stopped, and the VM is not"
at_terminal
front=$(front_pid)
kill -STOP "$front"
expect_exit 0 "$HVR" stop lab
card_is_back "stop beside a job that is stopped"
kill -CONT "$front"
as_found 0 "a job that was stopped meanwhile"

say "killed, and the VM goes on"
at_terminal
kill -KILL "$(front_pid)"
wait "$script_pid" || true
assert_eq 137 "$(cat /tmp/status)" "status of a front that was killed"
assert_match "running" "$("$HVR" status lab)"
assert_eq "vfio-pci" "$(driver_of "$card")"
expect_exit 0 "$HVR" stop lab
card_is_back "stop of a VM whose front was killed"
