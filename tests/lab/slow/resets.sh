# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 900
# guard: build
# Which resets reach the card, counted by the card itself, for each `reset` and with the guard: at the
# start, at a guest's reboot, unplug, plug, the end, and when QEMU is killed. What list says that can
# reach it is held to that. `tests/bench/resets` prints the table.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone pm

# The guest says that it is ready once for each boot, in a file that only grows
ready_again() # TIMES
{
	local seen

	seen=$(timeout 60 tail -s 0.1 -n +1 -F /tmp/lab.serial 2> /dev/null |
		grep -am "$1" -c "guest: ready") || true
	assert_eq "$1" "$seen" "times that the guest was ready"
}

# What list has of the resets of the card that a VM has
claims_of() # ADDRESS
{
	expect_exit 0 "$HVR" list --json
	tr -d '\n ' < /tmp/stdout | grep -o "\"address\":\"$1\".*" | grep -o '"resets":{[^}]*}' | head -n 1
}

claimed() # KIND MOMENT COUNT
{
	[[ $3 == 0 || $claims =~ \"$1\":\[[^]]*\"$2\" ]] ||
		fail "$3 resets of the $1 at $2 that are not in list" "$claims" "$row"
}

# Function and bus resets since the last cell
cell() # MOMENT
{
	local function bus

	function=$(flr_count "$card") bus=$(reset_count "$card")
	row+=" | $function / $bus"
	claimed function "$1" "$function"
	claimed bus "$1" "$bus"
	clear_counts "$card"
}

count_resets() # NAME CARD RESET
{
	local before

	card=$2
	before=$(snapshot "$card")
	profile lab <<-END
		[device npu]
		address = $card
		reset = $3
	END
	row="| $1"
	clear_counts "$card"
	run_vm lab
	claims=$(claims_of "$card")
	cell start
	expect_exit 0 "$HVR" reboot --hard lab
	ready_again 2
	cell reboot
	expect_exit 0 "$HVR" unplug lab npu
	cell close
	expect_exit 0 "$HVR" plug lab npu
	wait_for /tmp/lab.serial "guest: plugged .*1e60:2864" 10 > /tmp/plugged
	cell start
	expect_exit 0 "$HVR" stop lab
	run_ends 0 lab
	cell close
	run_vm lab
	clear_counts "$card"
	kill -KILL "$(qemu_pid lab)"
	run_ends 69 lab
	cell close
	row+=" |"
	say "$row"
	assert_eq "$before" "$(snapshot "$card")" "the card, after reset = $3"
}

nothing_claimed()
{
	assert_eq '"resets":{"known":true,"function":[],"bus":[],"guarded":true}' "$claims" "list"
}

alone=$(card alone)
soft=$(card pm 1)	# it has FLR
softer=$(card pm 2)	# it has not
for one in $alone $soft $softer; do
	give_host_driver "$one"
done

say "| reset | start | reboot | unplug | plug | end | SIGKILL |"
say "|---|---|---|---|---|---|---|"
count_resets keep "$alone" keep
assert_match '^\| keep( \| [1-9][0-9]* / 0){6} \|$' "$row" "untouched: function resets alone"
count_resets bus "$alone" bus
assert_match '^\| bus( \| 0 / [1-9][0-9]*){6} \|$' "$row" "bus: bus resets alone"
count_resets none "$alone" none
assert_match '^\| none( \| 0 / [1-9][0-9]*){6} \|$' "$row" "emptied: bus resets instead"
grep "bus resets still reach it" /tmp/lab.err
count_resets 'pm, with FLR' "$soft" pm
assert_match 'FLR( \| [1-9][0-9]* / 0){6} \|$' "$row" "pm: function resets alone"
count_resets 'pm, no FLR' "$softer" pm
assert_match 'FLR( \| [0-9]+ / [1-9][0-9]*){2} \| [1-9][0-9]* / 0 \| [0-9]+ / [1-9][0-9]*( \| [1-9][0-9]* / 0){2} \|$' \
	"$row" "pm without FLR: QEMU resets the bus first, the kernel does not"

expect_exit 0 insmod "$GUARD"
# The kernel takes "bus" no more for such a card, so what is put back is without it
for one in $alone $soft $softer; do
	echo default > "/sys/bus/pci/devices/$one/reset_method"
done
count_resets 'none, guard' "$alone" none
assert_match '^\| none, guard( \| 0 / 0){6} \|$' "$row" "with the guard: none at all"
grep "no reset can reach it" /tmp/lab.err
nothing_claimed
count_resets 'keep, guard' "$alone" keep
assert_match '^\| keep, guard( \| [1-9][0-9]* / 0){6} \|$' "$row" "with the guard: no bus reset"
count_resets 'pm, no FLR, guard' "$softer" pm
assert_match 'guard( \| [1-9][0-9]* / 0){6} \|$' "$row" "pm with the guard: no bus reset"

say "reset = bus with the guard: refused before the card moves"
card=$alone
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
	reset = bus
END
clear_counts "$card"
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "keeps bus resets from it" "$(cat /tmp/stderr)"
assert_eq "0 / 0" "$(flr_count "$card") / $(reset_count "$card")" "resets of a start that is refused"
assert_eq "$before" "$(snapshot "$card")" "the card, after that"
expect_exit 0 rmmod hailo_vm_run_guard
nothing_left
