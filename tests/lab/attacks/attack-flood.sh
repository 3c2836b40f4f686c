# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# What a QEMU that somebody has taken over can make grow: neither /run nor the supervisor.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"

FLOOD=$((16 << 20))

# A detached VM, whose QEMU says all this when it is up: what it says before, the caller has.
# $supervisor is who stays with it.
run_flood() # COMMAND
{
	standin qemu <<-END
		{ read -r < /tmp/theirs/begin; $1; echo over > /tmp/theirs/over; } &
		exec $INTRUDER qemu good "\$@"
	END
	cat > /tmp/lab.ini <<-END
		[vm]
		name = lab
		memory = 64M
		accel = tcg
		[security]
		user = mallory
		[qemu]
		binary = /tmp/theirs/qemu
	END
	rm -f /tmp/theirs/over
	expect_exit 0 "$HVR" run --detach /tmp/lab.ini
	supervisor=$(supervisor_pid lab)
	usual=$(memory_of "$supervisor")
	echo > /tmp/theirs/begin
	wait_for /tmp/theirs/over over 60 > /tmp/answer || fail "the flood is not over"
}

# AddressSanitizer keeps freed memory, up to 256 MiB of it
most=16384
! grep -q __asan_init "$HVR" || most=400000

memory_of() # PID: the most that it ever had, in KiB
{
	sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

# What a flood has left
is_bounded() # WHAT
{
	local size memory

	size=$(du -sk "$RUNTIME" | cut -f 1)
	memory=$(($(memory_of "$supervisor") - usual))
	say "$1: $size KiB in the runtime folder, $memory KiB more in memory"
	((size < 4096)) || hole "$1: the runtime folder has $size KiB"
	((memory < most)) || hole "$1: the supervisor has $memory KiB more"
}

stop_lab()
{
	expect_exit 0 "$HVR" stop lab
	nothing_left
}

as "$MALLORY" mkfifo /tmp/theirs/begin

say "messages-log-cannot-fill-run: by lines"
run_flood "echo first >&2; head -c $FLOOD /dev/zero | tr '\\0' x | fold -w 99 >&2; echo last >&2"
is_bounded "QEMU's lines"
for word in first last; do
	grep -qam 1 "$word" < <(timeout 60 "$HVR" log -f --messages lab) ||
		fail "of the messages, the $word is gone"
done
stop_lab

say "by a line that never ends"
run_flood "$INTRUDER flood $FLOOD"
is_bounded "QEMU's endless line"
stop_lab

say "by errors that are told in turn, each of them new"
run_flood "seq -f 'qemu: %.0f: warning' 300000 >&2"
is_bounded "QEMU's warnings"
stop_lab
no_holes
