# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 14000
# 200 cycles of run, unplug, plug, stop: nothing is left of any, and nothing grows.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

cycles=${HVR_SOAK_CYCLES:-200}
card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
profile lab <<-END
	[device npu]
	address = $card
END

resident()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$run_pid/status"
}

processes()
{
	find /proc -maxdepth 1 -name '[0-9]*' | wc -l
}

least='' most=''
for ((cycle = 1; cycle <= cycles; ++cycle)); do
	run_vm lab
	expect_exit 0 "$HVR" unplug lab npu
	expect_exit 0 "$HVR" plug lab npu
	kib=$(resident)
	least=$((${least:-$kib} < kib ? ${least:-$kib} : kib))
	most=$((${most:-$kib} > kib ? ${most:-$kib} : kib))
	expect_exit 0 "$HVR" stop lab
	run_ends 0 lab
	assert_eq "$before" "$(snapshot "$card")" "the card, after cycle $cycle"
	nothing_left
	if ((cycle == 1)); then
		first=$(processes) slab=$(grep SUnreclaim /proc/meminfo)
	elif ((cycle % 50 == 0)); then
		say "cycle $cycle: supervisors $least to $most KiB, $slab -> $(grep SUnreclaim \
			/proc/meminfo)"
	fi
done
(($(processes) <= first + 2)) || fail "processes are left" "first: $first" "now: $(processes)"
((most - least < 1024)) || fail "supervisors grow" "least: $least KiB" "most: $most KiB"
assert_eq 0 "$(flr_count "$card")" "FLRs"
say "$cycles cycles, bus resets: $(reset_count "$card")"
