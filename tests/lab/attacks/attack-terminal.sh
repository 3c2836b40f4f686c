# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A QEMU that somebody has taken over, and the terminal of root: it types nothing there, and reads nothing.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"

standin qemu <<-END
	$INTRUDER keys > /tmp/theirs/report 2>&1
	exec qemu-system-x86_64 "\$@"
END

# A VM that powers itself down, whose serial port is as MODE says
write_profile() # MODE
{
	cat > /tmp/lab.ini <<-END
		[vm]
		name = lab
		memory = 64M
		cpus = 1
		accel = tcg
		[boot]
		kernel = $GUEST
		cmdline = guest
		[serial]
		mode = $1
		[security]
		user = mallory
		[qemu]
		binary = /tmp/theirs/qemu
	END
}

# Root's shell around one command: what it finds typed afterwards
cat > /tmp/shell <<-'END'
	"$@"
	stty -icanon min 0 time 2
	head -c 64 > /tmp/typed
	stty icanon
END
mkfifo /tmp/keys
exec {keys}<> /tmp/keys

on_terminal() # COMMAND...
{
	rm -f /tmp/{typed,screen} /tmp/theirs/report
	script -qfec "bash /tmp/shell $*" /tmp/screen <&"$keys" > /dev/null &
	script_pid=$!
}

# What QEMU says that it could do, and what root's shell has
typed_nothing() # WHAT
{
	wait "$script_pid" || true
	grep -q over /tmp/theirs/report || fail "there was no attack"
	[[ ! -s /tmp/typed ]] || hole "$1: typed into root's shell: $(cat -v /tmp/typed)"
	! grep -E 'pushed [1-9]|read [1-9]' /tmp/theirs/report || hole "$1: QEMU has the terminal"
	nothing_left
}

for mode in stdio none socket; do
	say "pushed-keys: [serial] mode = $mode"
	write_profile "$mode"
	on_terminal "$HVR" run /tmp/lab.ini
	wait_for /tmp/theirs/report over 60 > /tmp/answer
	wait_for /tmp/screen "is running" 60 > /tmp/answer
	expect_exit 0 "$HVR" stop --force lab
	typed_nothing "mode = $mode"
done

say "keys-with-exec: nobody relays, so root is refused stdio, and none has no terminal"
write_profile stdio
on_terminal "$HVR" run --exec /tmp/lab.ini
: > /tmp/theirs/report
wait_for /tmp/screen "refused|--exec|ready" 60 > /tmp/answer
[[ ! -s /tmp/theirs/report ]] || hole "--exec, mode = stdio: QEMU has the terminal"
"$HVR" stop --force lab > /tmp/stdout 2>&1 || true
wait "$script_pid" || true
[[ ! -s /tmp/typed ]] || hole "--exec, mode = stdio: typed into root's shell: $(cat -v /tmp/typed)"
write_profile none
on_terminal "$HVR" run --exec /tmp/lab.ini
wait_for /tmp/theirs/report over 60 > /tmp/answer
"$HVR" stop --force lab > /tmp/stdout 2>&1 || true
typed_nothing "--exec, mode = none"

say "read-keys: in the background, while root types"
write_profile none
cat > /tmp/shell <<-'END'
	set -m
	"$@" &
	wait
	stty -icanon min 0 time 2
	head -c 64 > /tmp/typed
	stty icanon
END
standin qemu <<-END
	read -r < /tmp/theirs/begin
	$INTRUDER keys > /tmp/theirs/report 2>&1
	exec qemu-system-x86_64 "\$@"
END
as "$MALLORY" mkfifo /tmp/theirs/begin
on_terminal "$HVR" run /tmp/lab.ini
echo secret > /tmp/keys
echo > /tmp/theirs/begin
wait_for /tmp/theirs/report over 60 > /tmp/answer
wait_for /tmp/screen "is running" 60 > /tmp/answer
expect_exit 0 "$HVR" stop --force lab
wait "$script_pid" || true
! grep -E 'read [1-9]' /tmp/theirs/report || hole "in the background: QEMU has read root's keys"
grep -q secret /tmp/typed || hole "in the background: root's keys are gone: $(cat -v /tmp/typed)"
! grep -q evil /tmp/typed || hole "in the background: typed into root's shell"
no_holes
