# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 1500
# The Debian guest of this folder in L2, with the card: one boot, which takes minutes under two TCGs.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/guest/play.sh
source "${LAB_LIB%/*}/../guest/play.sh"
needs alone

cache=${HVR_LAB_CACHE:-/var/cache/hailo-vm-run-lab}
tests=${LAB_LIB%/*}/..
card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
cat > /tmp/linux.ini <<-END
	[vm]
	memory = 384M
	cpus = 1
	accel = tcg
	[device npu]
	address = $card
	[boot]
	kernel = $cache/kernel/vmlinux
	initrd = $cache/guest/initrd
	cmdline = console=ttyS0 quiet panic=-1
	[disk root]
	file = $cache/guest/root.img
	format = raw
	snapshot = yes
	[serial]
	mode = socket
	[guest]
	agent = yes
	ready = agent
END

# Tells how long a command takes, which must do well
timed() # WHAT COMMAND...
{
	SECONDS=0
	expect_exit 0 "${@:2}"
	say "$1: $SECONDS s"
}

exec_in() # COMMAND...
{
	"$HVR" exec linux --wait 120 -- "$@" < /dev/null
}

# The guest's PCI functions with the card's id
cards_in_guest()
{
	exec_in sh -c 'cat /sys/bus/pci/devices/*/device' | grep -c 0x2864 || true
}

timed "boot to ready" "$HVR" run --detach --wait-ready=900 --events /tmp/events /tmp/linux.ini
assert_eq 1 "$(cards_in_guest)" "cards in the guest"
timed "exec" exec_in true

say "verify, of a stand-in"
play "$tests/guest" "$tests/data/hailo/healthy-4.23.guest" > /tmp/script
"$HVR" exec linux --wait 120 -- sh -s < /tmp/script
timed "verify" "$HVR" verify linux --wait 120
assert_match "PASS +guest-card" "$(cat /tmp/stdout)"

mkfifo /tmp/keys
exec {keys}<> /tmp/keys
timeout 300 script -qfec "$HVR console linux" /tmp/console < /tmp/keys > /dev/null &
terminal=$!
wait_for /tmp/console 'Ctrl-\] then d leaves' 30
# shellcheck disable=SC2016 # for the guest's shell
printf 'echo $((4000 + 711))\r' >&"$keys"
wait_for /tmp/console '^4711' 60
printf '\035d' >&"$keys"
wait "$terminal" || fail "console ended with $?"

timed "unplug" "$HVR" unplug linux npu --timeout 120
assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
assert_eq 0 "$(cards_in_guest)" "cards in the guest, after unplug"
timed "plug" "$HVR" plug linux npu
for _ in {1..20}; do
	[[ $(cards_in_guest) == 0 ]] || break
done
assert_eq 1 "$(cards_in_guest)" "cards in the guest, after plug"

timed "stop" "$HVR" stop linux --timeout 120
assert_eq "$before" "$(snapshot "$card")" "the card, after stop"
nothing_left
assert_eq "planned bound prepared started running ready unplugged bound plugged ended released" \
	"$(sed -E 's/.*"event":"([a-z]+)".*/\1/' /tmp/events | uniq | paste -sd ' ')" "events"

timed "test" "$HVR" test --no-input --no-verify --wait-ready 900 --junit /tmp/report.xml \
	--fetch /tmp/ids:/tmp/ids /tmp/linux.ini -- \
	sh -c 'cat /sys/bus/pci/devices/*/device > /tmp/ids; grep -q 0x2864 /tmp/ids'
grep -q 0x2864 /tmp/ids
assert_match 'failures="0" errors="0"' "$(cat /tmp/report.xml)"
assert_eq "$before" "$(snapshot "$card")" "the card, after test"
nothing_left
assert_eq 0 "$(flr_count "$card")" "FLRs"
