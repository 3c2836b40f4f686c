# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# guard: build
# Which resets reach the card, counted by the card itself, for each `reset` and with the guard: at the
# start, at a guest's reboot, unplug, plug, the end, and when QEMU is killed. `tests/bench/resets`
# prints the table.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
row=''

# The guest says that it is ready once for each boot, in a file that only grows
ready_again() # TIMES
{
	local seen

	seen=$(timeout 60 tail -s 0.1 -n +1 -F /tmp/lab.serial 2> /dev/null |
		grep -am "$1" -c "guest: ready") || true
	assert_eq "$1" "$seen" "times that the guest was ready"
}

# Function and bus resets since the last cell
cell()
{
	row+=" | $(flr_count "$card") / $(reset_count "$card")"
	clear_counts "$card"
}

count_resets() # NAME METHODS
{
	profile lab <<-END
		[device npu]
		address = $card
		reset = $2
	END
	row="| $1"
	clear_counts "$card"
	run_vm lab
	cell
	expect_exit 0 "$HVR" reboot --hard lab
	ready_again 2
	cell
	expect_exit 0 "$HVR" unplug lab npu
	cell
	expect_exit 0 "$HVR" plug lab npu
	wait_for /tmp/lab.serial "guest: plugged .*1e60:2864" 10 > /tmp/plugged
	cell
	expect_exit 0 "$HVR" stop lab
	run_ends 0 lab
	cell
	run_vm lab
	clear_counts "$card"
	kill -KILL "$(qemu_pid lab)"
	run_ends 69 lab
	cell
	row+=" |"
	say "$row"
	assert_eq "$before" "$(snapshot "$card")" "the card, after reset = $2"
}

say "| reset | start | reboot | unplug | plug | end | SIGKILL |"
say "|---|---|---|---|---|---|---|"
count_resets keep keep
assert_match '^\| keep( \| [1-9][0-9]* / 0){6} \|$' "$row" "untouched: function resets alone"
count_resets bus bus
assert_match '^\| bus( \| 0 / [1-9][0-9]*){6} \|$' "$row" "bus: bus resets alone"
count_resets none none
assert_match '^\| none( \| 0 / [1-9][0-9]*){6} \|$' "$row" "emptied: bus resets instead"
grep "bus resets still reach it" /tmp/lab.err

expect_exit 0 insmod "$GUARD"
assert_eq "$card" "$(< /sys/module/hailo_vm_run_guard/parameters/cards)" "guarded"
# The kernel takes "bus" no more for such a card, so what is put back is without it
before=${before/flr bus/flr}
count_resets 'none, guard' none
assert_match '^\| none, guard( \| 0 / 0){6} \|$' "$row" "with the guard: none at all"
grep "no reset can reach it" /tmp/lab.err
expect_exit 0 "$HVR" list --json
assert_match '"resets":\{"known":true,"function":\["start","reboot","close"\],"bus":\[\],"guarded":true\}' \
	"$(tr -d '\n ' < /tmp/stdout)" "list"
profile lab <<-END
	[device npu]
	address = $card
	reset = bus
END
clear_counts "$card"
say "reset = bus with the guard: the kernel refuses it"
expect_exit 71 "$HVR" run /tmp/lab.ini
assert_eq "0 / 0" "$(flr_count "$card") / $(reset_count "$card")" "resets of a start that is refused"
expect_exit 0 rmmod hailo_vm_run_guard
nothing_left
