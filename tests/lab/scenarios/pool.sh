# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 500
# Five cards, of which one is dead: eight jobs (or HVR_POOL_JOBS) with pick = free all pass. Cards that are held, that
# HAILO_VM_CARDS does not name, or that a device cgroup forbids. What list, check --card, metrics and
# the audit say of it.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone two switch

mapfile -t cards < <(printf '%s\n' "$(card alone)" "$(card two)" "$(card two 2)" "$(card switch)" \
	"$(card switch 2)" | sort)
dead=${cards[0]}

all_cards()
{
	local card

	for card in "${cards[@]}"; do
		snapshot "$card"
	done
}

job() # NAME
{
	profile "$1" <<-END
		[device npu]
		match = 1e60:2864
		pick = free
	END
}

for card in "${cards[@]}"; do
	give_host_driver "$card"
done
before=$(all_cards)
kill_card "$dead"

say "the dead one is shown"
cards_json > /tmp/list
assert_match "\"address\":\"$dead\".*\"health\":\"dead\",\"health_reason\":\"does not answer" \
	"$(grep "\"$dead\"" /tmp/list)"
assert_eq 4 "$(grep -o '"health":"ok"' /tmp/list | wc -l)" "cards that are well"
expect_exit 1 "$HVR" check --card "$dead"
assert_match "FAIL +card-alive: $dead: " "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" check --card "${cards[1]}"

jobs=${HVR_POOL_JOBS:-8}
say "$jobs jobs"
mkfifo /tmp/readiness
exec {readiness}<> /tmp/readiness
for ((i = 1; i <= jobs; i++)); do
	job "pool$i"
	"$HVR" run --wait=400 "/tmp/pool$i.ini" 2> "/tmp/pool$i.err" &
	pids[i]=$!
	(wait_for "/tmp/pool$i.serial" "guest: ready" 400 > /dev/null; echo "$i" > /tmp/readiness) &
done
for ((i = 1; i <= jobs; i++)); do
	read -r -t 400 ready <&"$readiness" || fail "nobody is ready" "$(cat /tmp/pool*.err)"
	expect_exit 0 "$HVR" stop "pool$ready"
	wait "${pids[ready]}" || fail "pool$ready ended with $?" "$(cat "/tmp/pool$ready.err")"
done
# Who came while another one looked at the dead card found its lock taken: not each of them says so.
assert_match "another card is taken, as $dead: does not answer" "$(cat /tmp/pool*.err)"
assert_eq "$before" "$(all_cards)" "the cards, after all"
nothing_left

say "held"
expect_exit 64 "$HVR" hold "${cards[1]}"
expect_exit 0 "$HVR" hold "${cards[1]}" --reason "the fan is loud"
assert_match "held since .*: the fan is loud" "$("$HVR" list | grep "^${cards[1]}")"
expect_exit 1 "$HVR" check --card "${cards[1]}"
assert_match "FAIL +card-held: ${cards[1]}: held since .*: the fan is loud" "$(cat /tmp/stdout)"
profile named <<-END
	[device npu]
	address = ${cards[1]}
END
expect_exit 69 "$HVR" run /tmp/named.ini
assert_match "the fan is loud" "$(cat /tmp/stderr)"
assert_match "hailo-vm-run unhold ${cards[1]}" "$(cat /tmp/stderr)"
job free
HAILO_VM_CARDS=${cards[1]} expect_exit 69 "$HVR" run /tmp/free.ini
HAILO_VM_CARDS=$dead,${cards[1]} expect_exit 69 "$HVR" run /tmp/free.ini
HAILO_VM_CARDS=nonsense expect_exit 64 "$HVR" run /tmp/free.ini
assert_match "HAILO_VM_CARDS: 'nonsense'" "$(cat /tmp/stderr)"
assert_eq "$before" "$(all_cards)" "the cards, after refusals"
expect_exit 0 "$HVR" unhold "${cards[1]}"

say "the list"
export HAILO_VM_CARDS=${cards[1]}
run_vm free
unset HAILO_VM_CARDS
assert_match "\"address\":\"${cards[1]}\",\"state\":\"in-vm\"" "$("$HVR" status --json free)"
SLURM_JOB_GPUS=2 expect_exit 0 "$HVR" run --dry-run --set vm.name=other /tmp/free.ini
assert_match "${cards[2]}: bind to vfio-pci" "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" stop free
run_ends 0 free

say "a device cgroup"
mkdir -p /tmp/devices
mount -t cgroup -o devices none /tmp/devices
mkdir /tmp/devices/job
in_job()
{
	(echo "$BASHPID" > /tmp/devices/job/cgroup.procs; exec "$@")
}
profile named <<-END
	[device npu]
	address = ${cards[2]}
END
expect_exit 0 "$HVR" prepare /tmp/named.ini
printf 'c %d:%d rwm\n' "0x$(stat -c %t "/dev/vfio/$(group_of "${cards[2]}")")" \
	"0x$(stat -c %T "/dev/vfio/$(group_of "${cards[2]}")")" > /tmp/devices/job/devices.deny
expect_exit 77 in_job "$HVR" run --dry-run /tmp/named.ini
assert_match "device cgroup .* forbids /dev/vfio/$(group_of "${cards[2]}")" "$(cat /tmp/stderr)"
HAILO_VM_CARDS=${cards[2]},${cards[3]} expect_exit 0 in_job "$HVR" run --dry-run /tmp/free.ini
assert_match "${cards[3]}: bind to vfio-pci" "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" release "${cards[2]}"

say "which forbids a node that is not there yet: each card is tried, and put back"
echo "c $(awk '$2 == "vfio" { print $1 }' /proc/devices):* rwm" > /tmp/devices/job/devices.deny
HAILO_VM_CARDS=${cards[3]},${cards[4]} expect_exit 77 in_job "$HVR" run /tmp/free.ini
assert_match "${cards[3]}: cannot ask VFIO .*${cards[4]}: cannot ask VFIO" "$(cat /tmp/stderr)"
umount /tmp/devices
assert_eq "$before" "$(all_cards)" "the cards, after the cgroup"
nothing_left

say "numbers and audit"
expect_exit 0 "$HVR" metrics --output=/tmp/cards.prom
assert_match 'hailo_vm_cards\{state="dead"\} 1' "$(cat /tmp/cards.prom)"
assert_match 'hailo_vm_cards\{state="free"\} 4' "$(cat /tmp/cards.prom)"
assert_match 'hailo_vm_card_uses_total\{path="[^"]*",id="1e60:2864"\} [1-9]' "$(cat /tmp/cards.prom)"
assert_eq "# EOF" "$(tail -n 1 /tmp/cards.prom)" "the end of the metrics"
# The lab host has no journald.
grep -q "\"event\":\"taken\".*\"card\":\"${cards[1]}\".*\"name\":\"free\"" \
	/var/lib/hailo-vm-run/audit.log || fail "no line" "$(cat /var/lib/hailo-vm-run/audit.log)"
grep -q "\"event\":\"held\".*\"result\":\"the fan is loud\"" /var/lib/hailo-vm-run/audit.log ||
	fail "no line" "$(cat /var/lib/hailo-vm-run/audit.log)"
