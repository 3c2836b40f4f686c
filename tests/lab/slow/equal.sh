# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# Equal lines of a rig, started at the same moment: each VM gets a name, a card and a port of its own,
# also where one card more is dead.
# Two that want the one port: one is refused before any card has moved for it.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone two switch

cards=("$(card alone)" "$(card two)" "$(card two 2)" "$(card switch)")
unused=$(card switch 2)
echo vfio-pci > "/sys/bus/pci/devices/$unused/driver_override"
before=$(for card in "${cards[@]}"; do snapshot "$card"; done)
cat > /tmp/rig.ini <<-END
	[vm]
	memory = 64M
	cpus = 1
	accel = tcg
	[boot]
	kernel = $GUEST
	cmdline = guest
	[serial]
	mode = socket
	[graphics]
	mode = vnc
	[guest]
	ready = serial:guest: ready
	[net lan]
	forward = auto
	[device npu]
	match = 1e60:2864
	pick = free
END

start_one() # NUMBER [OPTION...]
{
	rm -f "/tmp/rig$1.events"
	"$HVR" run --name auto --events "/tmp/rig$1.events" "${@:2}" /tmp/rig.ini \
		2> "/tmp/rig$1.err" &
	pids[$1]=$!
}

# What the status has of all VMs, a line each
all() # REGEX
{
	"$HVR" status --json | grep -oE "$1" | sort -u
}

# All of them at once, and what they have
four_at_once()
{
	local i

	for i in {1..4}; do
		start_one "$i"
	done
	for i in {1..4}; do
		wait_for "/tmp/rig$i.events" '"event":"ready"' 240 > /dev/null ||
			fail "run $i is not ready" "$(cat /tmp/rig*.err)"
		assert_match "this VM's name is 'rig-[1-4]'" "$(head -n 1 "/tmp/rig$i.err")"
	done
	assert_eq $'"name":"rig-1"\n"name":"rig-2"\n"name":"rig-3"\n"name":"rig-4"' \
		"$(all '"name":"rig-[0-9]+"')"
	assert_eq 4 "$(all '"address":"[^"]*","state":"in-vm"' | wc -l)" "cards in VMs"
	assert_eq 4 "$(all '"port":[0-9]+' | wc -l)" "ports"
	for i in {1..4}; do
		expect_exit 0 "$HVR" stop "rig-$i"
	done
	for i in {1..4}; do
		wait "${pids[i]}" || fail "run $i ended with $?" "$(cat "/tmp/rig$i.err")"
	done
	nothing_left
}

say "four equal runs, four cards"
four_at_once
assert_eq "$before" "$(for card in "${cards[@]}"; do snapshot "$card"; done)" "the cards, after all"

say "two of one port"
for card in "${cards[@]}"; do
	clear_counts "$card"
done
fixed=(--set net.lan.forward=tcp::20422-22)
start_one 1 "${fixed[@]}"
start_one 2 "${fixed[@]}"
status=0
wait -n -p ended "${pids[1]}" "${pids[2]}" || status=$?
assert_eq 75 "$status" "status of the one that came too late"
loser=1
winner=2
[[ $ended == "${pids[1]}" ]] || { loser=2; winner=1; }
assert_match "forward: tcp port 20422 of 127.0.0.1" "$(cat "/tmp/rig$loser.err")"
wait_for "/tmp/rig$winner.events" '"event":"ready"' 120 > /dev/null ||
	fail "the other is not ready" "$(cat "/tmp/rig$winner.err")"
taken=$(all '"address":"[^"]*","state":"in-vm"' | cut -d'"' -f4)
for card in "${cards[@]}"; do
	[[ $card == "$taken" ]] ||
		assert_eq "flr=000000 reset=000000 dead=0" "$(card_state "$card")" "$card"
done
name=$(all '"name":"rig-[0-9]+"' | cut -d'"' -f4)
expect_exit 0 "$HVR" stop "$name"
wait "${pids[winner]}" || fail "it ended with $?" "$(cat "/tmp/rig$winner.err")"
nothing_left
assert_eq "$before" "$(for card in "${cards[@]}"; do snapshot "$card"; done)" "the cards, after all"

say "four equal runs, five cards, and the first is dead"
echo > "/sys/bus/pci/devices/$unused/driver_override"
kill_card "${cards[0]}"
four_at_once
assert_match "dead=1" "$(card_state "${cards[0]}")"
