# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scenarios are written with. A scenario is a bash script that begins with
#
#	source "$LAB_LIB"
#
# and runs as root in the lab host. It passes if it ends with status 0. A failing assertion or
# command ends it and says where, what was expected and what was seen.
#
# Environment: HVR the program under test, GUEST the guest.elf of VMs, INTRUDER who attacks from
# within QEMU (intruder.c), LAB the share with the machine below, TOPOLOGY the names that the lab host
# was booted with, LAB_SOURCE the checkout, GUARD the guard module where a scenario says
# '# guard: build' in its first comments.
# Files that are waited for belong in /tmp: /lab is a network file system, without inotify.
#
# A shell of 'host --interactive' may source it too, and is not ended by failures.
[[ $- == *i* ]] || set -Eeuo pipefail

# shellcheck source=tests/lab/cards.sh
source "${LAB_LIB%/*}/cards.sh"

say()
{
	echo "# $*"
}

# The nearest line of the scenario itself, outside this library
caller_line()
{
	local i

	for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
		[[ ${BASH_SOURCE[i]} == "${LAB_LIB%/*}"/lib.sh ]] && continue
		[[ ${BASH_SOURCE[i]} == "${LAB_LIB%/*}"/cards.sh ]] && continue
		echo "${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"
		return
	done
}

fail() # LINE...
{
	trap - ERR
	echo "$(caller_line): $1" >&2
	[[ $# == 1 ]] || printf '    %s\n' "${@:2}" >&2
	[[ $- == *i* ]] || exit 1
	return 1
}

[[ $- == *i* ]] || trap 'fail "this failed with status $?: $BASH_COMMAND"' ERR

# Only in a lab host that was booted with all these topologies
needs() # TOPOLOGY...
{
	local name

	for name; do
		[[ ,$TOPOLOGY, == *,"$name",* ]] ||
			fail "this scenario needs topology $name; the lab host has $TOPOLOGY"
	done
}

assert_eq() # EXPECTED SEEN [WHAT]
{
	[[ $1 == "$2" ]] || fail "${3:-not equal}" "expected: $1" "seen:     $2"
}

assert_match() # REGEX SEEN [WHAT]
{
	[[ $2 =~ $1 ]] || fail "${3:-no match}" "expected: $1" "seen:     $2"
}

# Runs a command and compares its exit status. Its output goes to /tmp/stdout and /tmp/stderr,
# and both are shown if the status is another.
expect_exit() # STATUS COMMAND...
{
	local status=0

	"${@:2}" > /tmp/stdout 2> /tmp/stderr || status=$?
	[[ $status == "$1" ]] || fail "${*:2}" "expected: status $1" "seen:     status $status" \
		"stdout:" "$(cat /tmp/stdout)" "stderr:" "$(cat /tmp/stderr)"
}

# Waits until a line of a file matches, and prints that line. tail watches the file by inotify; one
# that is still to come it looks for every -s seconds. Where none does, the end of MESSAGES is shown, too.
wait_for() # FILE REGEX SECONDS [MESSAGES]
{
	local lines pid line end=$((SECONDS + $3))

	exec {lines}< <(exec tail -s 0.1 -n +1 -F -- "$1" 2> /dev/null)
	pid=$!
	while read -r -t "$((end > SECONDS ? end - SECONDS : 1))" line <&"$lines"; do
		line=${line%$'\r'}
		[[ $line =~ $2 ]] || continue
		kill "$pid"
		exec {lines}<&-
		echo "$line"
		return
	done
	kill "$pid"
	fail "not within $3 s in $1" "expected: $2" "seen:" "$(cat "$1" 2>&1)" \
		${4:+"$(tail -n 20 "$4" 2>&1)"}
}

wait_for_end() # PID SECONDS
{
	timeout "$2" tail -s 0.1 --pid="$1" -f /dev/null || fail "process $1 did not end within $2 s" \
		"it is: $(tr '\0' ' ' < "/proc/$1/cmdline")"
}

# QMP in plain lines: the process behind it is QEMU with '-qmp stdio' or a socat to its socket.
# Replies and events are left in $reply and $event, not printed: in a $(...) the events that come
# before a reply would be lost. Those that come meanwhile are kept for qmp_event.
qmp_events=()
export reply='' event=''

qmp_open() # COMMAND...
{
	local replies

	[[ ! ${qmp_in:-} ]] || exec {qmp_in}>&- {qmp_out}<&-
	qmp_events=()
	replies=$(mktemp -u /tmp/qmp.XXXXXX)
	mkfifo "$replies"
	exec {qmp_in}> >(exec "$@" > "$replies")
	qmp_pid=$!
	exec {qmp_out}< "$replies"
	rm "$replies"
	qmp '{"execute": "qmp_capabilities"}'
}

qmp_connect() # SOCKET
{
	qmp_open socat - "UNIX-CONNECT:$1"
}

# Sends one command and waits for its reply, which may be an error
qmp() # JSON [SECONDS]
{
	local line

	echo "$1" >&"$qmp_in"
	while read -r -t "${2:-60}" line <&"$qmp_out"; do
		line=${line%$'\r'}
		case $line in
		'{"return"'* | *'"error": {'*) reply=$line; return ;;
		*'"event"'*) qmp_events+=("$line") ;;
		esac
	done
	fail "no reply within ${2:-60} s to $1"
}

take_kept_event() # NAME
{
	local i

	for i in "${!qmp_events[@]}"; do
		[[ ${qmp_events[i]} == *"\"event\": \"$1\""* ]] || continue
		event=${qmp_events[i]}
		unset "qmp_events[i]"
		return
	done
	return 1
}

# Waits for an event and forgets it; others stay
qmp_event() # NAME SECONDS
{
	local line end=$((SECONDS + $2))

	until take_kept_event "$1"; do
		read -r -t "$((end > SECONDS ? end - SECONDS : 1))" line <&"$qmp_out" ||
			fail "no event $1 within $2 s"
		qmp_events+=("${line%$'\r'}")
	done
}

# Puts a card on vfio-pci by hand
bind_to_vfio() # ADDRESS
{
	local path=/sys/bus/pci/devices/$1

	modprobe vfio-pci
	echo vfio-pci > "$path/driver_override"
	[[ ! -e $path/driver ]] || echo "$1" > "$path/driver/unbind"
	echo "$1" > /sys/bus/pci/drivers_probe
	assert_eq vfio-pci "$(driver_of "$1")" "driver of $1"
}

# Starts a VM without the program under test: plain QEMU with the lab's guest, one root port per
# card, QMP open, serial port in /tmp/guest. Cards are named card1, card2...
vm_start() # WORDS ADDRESS...
{
	local address n=0 devices=()

	for address in "${@:2}"; do
		((++n))
		devices+=(-device "pcie-root-port,id=port$n,chassis=$n,slot=$n")
		devices+=(-device "vfio-pci,id=card$n,host=$address,bus=port$n")
	done
	rm -f /tmp/guest
	qmp_open qemu-system-x86_64 -M q35 -accel tcg -m 64 -nodefaults -no-user-config \
		-display none -no-reboot -qmp stdio -serial file:/tmp/guest \
		-kernel "$GUEST" -append "$1" "${devices[@]}"
	vm_pid=$qmp_pid
}

vm_power_down()
{
	qmp '{"execute": "system_powerdown"}'
	qmp_event SHUTDOWN 30
	assert_match '"reason": "guest-shutdown"' "$event" "how the VM ended"
	wait_for_end "$vm_pid" 30
}

vm_quit()
{
	qmp '{"execute": "quit"}'
	wait_for_end "$vm_pid" 30
}
