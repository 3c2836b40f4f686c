# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scenarios of hailo-vm-run itself share, on top of lib.sh: profiles and supervised runs.

RUNTIME=/run/hailo-vm-run

# Writes a profile for the lab's guest: lines of standard input go to the end of it
profile() # NAME [GUEST WORDS]
{
	cat > "/tmp/$1.ini" <<-END
		[vm]
		memory = 64M
		cpus = 1
		accel = tcg
		[boot]
		kernel = $GUEST
		cmdline = ${2:-guest}
		[serial]
		mode = file
		file = /tmp/$1.serial
	END
	cat >> "/tmp/$1.ini"
}

# Starts a VM in the background and waits for its guest. $run_pid is the supervisor.
run_vm() # NAME [OPTION...]
{
	rm -f "/tmp/$1.serial"
	"$HVR" run "/tmp/$1.ini" "${@:2}" > "/tmp/$1.out" 2> "/tmp/$1.err" &
	run_pid=$!
	wait_for "/tmp/$1.serial" "guest: ready" 120 "/tmp/$1.err" > /tmp/ready
}

# Waits for the end of a supervisor and compares its exit status
run_ends() # STATUS NAME
{
	local status=0

	wait "$run_pid" || status=$?
	[[ $status == "$1" ]] || fail "hailo-vm-run run $2" "expected: status $1" \
		"seen:     status $status" "$(cat "/tmp/$2.err")"
}

# What list has of all cards, a line each, without the object that is in each
cards_json()
{
	"$HVR" list --json | sed 's/"resets":{[^}]*},//g' | tr '{' '\n'
}

qemu_pid() # NAME
{
	"$HVR" status --json "$1" | sed -E 's/.*"pid":([0-9]+).*/\1/'
}

supervisor_pid() # NAME
{
	"$HVR" status --json "$1" | sed -E 's/.*"supervisor_pid":([0-9]+).*/\1/'
}

# Nothing of a VM, no journal entry and no lock is left, but what it has said
nothing_left()
{
	assert_eq "" "$(find "$RUNTIME" ! -type d ! -path "$RUNTIME/qemu/*" \
		! -path "$RUNTIME/ended/*" 2> /dev/null)" "left in the runtime folder"
	assert_eq "" "$(ls "$RUNTIME/vms" 2> /dev/null)" "left in vms/"
}

# A profile of a guest that may be saved, lab, with the card of topology alone, which its driver has:
# $card, $before
begin_warm()
{
	# Not the states of whoever's machine this is
	mkdir -p /var/cache/hailo-vm-run
	mount -t tmpfs -o mode=755 tmpfs /var/cache/hailo-vm-run
	card=$(card alone)
	give_host_driver "$card"
	# shellcheck disable=SC2034 # for the scenario
	before=$(snapshot "$card")
	clear_counts "$card"
	profile lab <<-END
		[device npu]
		address = $card
		[guest]
		ready = serial:guest: ready
	END
}

# Starts it with [vm] warm = WORD, in the background: $run_pid
start_warm() # WORD
{
	rm -f /tmp/lab.serial /tmp/lab.events
	touch /tmp/lab.events
	"$HVR" run /tmp/lab.ini --set "vm.warm=$1" --events /tmp/lab.events \
		> /tmp/lab.out 2> /tmp/lab.err &
	run_pid=$!
}
