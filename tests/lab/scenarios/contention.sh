# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# 16 runs want one card: one gets it, 15 end with 75. 8 runs share 4 cards and wait for them: all
# have their turn, and no card is ever in two VMs.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone two switch

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")

say "16 on one card"
for i in {1..16}; do
	profile "vm$i" <<-END
		[device npu]
		address = $card
	END
	"$HVR" run "/tmp/vm$i.ini" 2> "/tmp/vm$i.err" &
	pids[i]=$!
done
won=()
busy=0
for i in {1..16}; do
	# Fifteen end by themselves; the one that runs is stopped when it is the last
	((busy < 15)) || break
	wait -n -p ended "${pids[@]}" && fail "a run ended well by itself"
	status=$?
	assert_eq 75 "$status" "status of a run that came too late"
	((++busy))
	for k in "${!pids[@]}"; do
		[[ ${pids[k]} != "$ended" ]] || unset "pids[k]"
	done
done
won=("${!pids[@]}")
assert_eq 1 "${#won[@]}" "runs that have the card"
for i in {1..16}; do
	[[ $i == "${won[0]}" ]] ||
		assert_match "$card: in use by VM 'vm${won[0]}', pid ${pids[${won[0]}]}, since " \
			"$(cat "/tmp/vm$i.err")"
done
wait_for "/tmp/vm${won[0]}.serial" "guest: ready" 60
expect_exit 0 "$HVR" stop "vm${won[0]}"
wait "${pids[${won[0]}]}" || fail "the run that won ended with $?"
assert_eq "$before" "$(snapshot "$card")" "the card, after all"
nothing_left

say "8 on four cards"
cards=("$card" "$(card two)" "$(card two 2)" "$(card switch)")
unused=$(card switch 2)
echo vfio-pci > "/sys/bus/pci/devices/$unused/driver_override"
before=$(for card in "${cards[@]}"; do snapshot "$card"; done)
mkfifo /tmp/readiness
exec {readiness}<> /tmp/readiness
for i in {1..8}; do
	profile "pool$i" <<-END
		[device npu]
		match = 1e60:2864
		pick = free
	END
	"$HVR" run --wait=300 "/tmp/pool$i.ini" 2> "/tmp/pool$i.err" &
	pids[i]=$!
	# Says who is ready, in the order in which they are
	(wait_for "/tmp/pool$i.serial" "guest: ready" 300 > /dev/null; echo "$i" > /tmp/readiness) &
done

# Whoever is ready is stopped; what is in a VM at that moment must be in no other
for _ in {1..8}; do
	read -r -t 300 ready <&"$readiness" || fail "nobody is ready" "$(cat /tmp/pool*.err)"
	"$HVR" status --json > /tmp/status
	taken=$(grep -o '"address":"[^"]*","state":"in-vm"' /tmp/status | sort)
	assert_eq "$taken" "$(sort -u <<< "$taken")" "cards in VMs at one time"
	expect_exit 0 "$HVR" stop "pool$ready"
	wait "${pids[ready]}" || fail "pool$ready ended with $?" "$(cat "/tmp/pool$ready.err")"
done
echo > "/sys/bus/pci/devices/$unused/driver_override"
assert_eq "$before" "$(for card in "${cards[@]}"; do snapshot "$card"; done)" "the cards, after all"
nothing_left
