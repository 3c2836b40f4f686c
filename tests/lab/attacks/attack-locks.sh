# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A QEMU that somebody has taken over, and what it can do with the locks of its card and its name.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
	[security]
	user = mallory
	[qemu]
	binary = /tmp/theirs/qemu
END
sed -i 's,/tmp/lab.serial,/tmp/theirs/lab.serial,' /tmp/lab.ini
sed '/^\[qemu\]/,$d; s/^\[vm\]/&\nname = other/' /tmp/lab.ini > /tmp/other.ini

# A VM whose QEMU does this with the locks that it has, before it is QEMU
start_lab() # ATTACK...
{
	standin qemu <<-END
		for attack in $*; do
			$INTRUDER "\$attack"
		done > /tmp/theirs/report 2>&1
		exec qemu-system-x86_64 "\$@"
	END
	rm -f /tmp/theirs/lab.serial
	"$HVR" run /tmp/lab.ini 2> /tmp/lab.err &
	run_pid=$!
	wait_for /tmp/theirs/lab.serial "guest: ready" 60 > /tmp/ready
	assert_match "locks [1-9]" "$(< /tmp/theirs/report)" "what QEMU has of the locks"
	qemu=$(pgrep -u mallory -f guest=lab)
}

# Neither the card nor the name is to be had, and lab is who has them
is_held() # WHAT
{
	local file status

	for file in lab other; do
		status=0
		timeout 60 "$HVR" run "/tmp/$file.ini" > /tmp/stdout 2> /tmp/stderr || status=$?
		[[ $status == 75 ]] || hole "$1: run $file: $status: $(head -n 1 /tmp/stderr)"
		grep -q "VM 'lab'" /tmp/stderr || hole "$1: $(head -n 1 /tmp/stderr)"
	done
}

say "qemu-cannot-drop-the-lock, qemu-cannot-fill-run, qemu-cannot-forge-holder"
start_lab drop fill forge
! grep -E 'bytes [0-9]{5,}' /tmp/theirs/report || hole "QEMU fills /run"
! grep 'writable [1-9]' /tmp/theirs/report || hole "QEMU may write to locks"
is_held "QEMU drops its locks, and forges the holder"

say "the same when the supervisor is killed"
kill -KILL "$run_pid"
wait "$run_pid" || true
is_held "QEMU has dropped its locks, and the supervisor is killed"

say "stolen-descriptor-does-not-keep-a-dead-vms-lock"
as "$MALLORY" "$INTRUDER" steal "$qemu" > /tmp/stolen &
thief=$!
wait_for /tmp/stolen "stolen [1-9]" 10 > /tmp/answer
kill -KILL "$qemu"
wait_for_end "$qemu" 30
"$HVR" release --all > /tmp/stdout 2> /tmp/stderr || hole "a thief keeps the card: $(< /tmp/stderr)"
[[ -d /proc/$thief ]] || fail "the thief is gone"
[[ $before == "$(snapshot "$card")" ]] || hole "a thief keeps the card from its host"
start_lab look
[[ -d /proc/$thief ]] || fail "the thief is gone"
kill "$thief"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
nothing_left
no_holes
