# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 1500
# The program is killed at 36 random moments, HVR_CRASH_TIMES as many (suite soak): `release --all`
# puts everything back, byte for byte. Each single step of a job is test-kill's.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
RANDOM=${HVR_SEED:-$$}
say "seed ${HVR_SEED:-$$}"

# Nothing ever comes out of it
exec {silence}<> <(:)

# Starts a command and kills it after up to so many milliseconds
kill_during() # MILLISECONDS COMMAND...
{
	local pid ms=$((RANDOM % $1))

	"${@:2}" > /dev/null 2>> /tmp/killed.err &
	pid=$!
	read -r -t "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" -u "$silence" || true
	kill -KILL "$pid" 2> /dev/null || true
	wait "$pid" 2> /dev/null || true
}

# A QEMU that outlived its supervisor
end_orphans()
{
	local pid

	for pid in $(pgrep -x qemu-system-x86 || true); do
		kill -KILL "$pid"
		wait_for_end "$pid" 30
	done
}

put_right() # WHAT
{
	end_orphans
	expect_exit 0 "$HVR" release --all
	assert_eq "$before" "$(snapshot "$card")" "the card, after $1 was killed"
	nothing_left
}

times=${HVR_CRASH_TIMES:-1}
moments=0
for ((round = 1; round <= 12 * times; round++)); do
	kill_during 400 "$HVR" prepare /tmp/lab.ini
	put_right "prepare ($round)"
	expect_exit 0 "$HVR" prepare /tmp/lab.ini
	kill_during 400 "$HVR" release --all
	put_right "release ($round)"
	((moments += 2))
done
for ((round = 1; round <= 5 * times; round++)); do
	kill_during 900 "$HVR" run /tmp/lab.ini
	put_right "run ($round)"
	kill_during 600 "$HVR" run --exec /tmp/lab.ini
	put_right "run --exec ($round)"
	((moments += 2))
done
for ((round = 1; round <= 2 * times; round++)); do
	run_vm lab
	kill_during 500 "$HVR" unplug lab npu
	kill -KILL "$run_pid"
	wait "$run_pid" 2> /dev/null || true
	put_right "unplug and the supervisor ($round)"
	((++moments))
done
say "killed at $moments moments"
assert_eq 0 "$(flr_count "$card")" "FLRs"
