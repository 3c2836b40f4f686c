# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# The main job, for a card that starts on a host driver: run, a second run, unplug, end.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
profile lab <<-END
	[device npu]
	address = $card
END

say "run"
run_vm lab
wait_for /tmp/lab.serial "guest: pci .*1e60:2864 class 0b40" 5
grep "bus resets still reach it" /tmp/lab.err
assert_eq "vfio-pci" "$(driver_of "$card")"

say "who QEMU is"
qemu=$(qemu_pid lab)
status=$(cat "/proc/$qemu/status")
assert_match $'Uid:\t65534\t65534\t65534\t65534' "$status"
assert_match $'Gid:\t65534\t65534\t65534\t65534' "$status"
assert_match $'Groups:\t *\n' "$status"
for set in Inh Prm Eff Bnd Amb; do
	assert_match "Cap$set:"$'\t'0000000000000000 "$status"
done
assert_match $'NoNewPrivs:\t1' "$status"
assert_match $'Seccomp:\t2' "$status"
ls -l "/proc/$qemu/fd" > /tmp/fds
locks=$(grep /locks/ /tmp/fds)
assert_eq 1 "$(wc -l <<< "$locks")" "descriptors of locks that QEMU has"
assert_match '^lr-x.*/locks/group-[0-9]+\.qemu$' "$locks"
grep -q "$((64 * 1048576 + 1024 * 1048576))" "/proc/$qemu/limits"

say "a second run of that card"
sed 's/\[vm\]/[vm]\nname = other/' /tmp/lab.ini > /tmp/other.ini
expect_exit 75 "$HVR" run /tmp/other.ini
assert_match "in use by VM 'lab', pid $run_pid" "$(cat /tmp/stderr)"
say "and of that VM"
expect_exit 75 "$HVR" run /tmp/lab.ini
assert_match "VM 'lab' is running already" "$(cat /tmp/stderr)"

say "unplug"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
wait_for /tmp/lab.serial "guest: unplugged .*1e60:2864" 5
[[ -d /proc/$qemu ]] || fail "the VM does not run on"
expect_exit 64 "$HVR" unplug lab npu

say "plug again, and unplug"
expect_exit 0 "$HVR" plug lab npu
wait_for /tmp/lab.serial "guest: plugged .*1e60:2864" 10
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, after plug and unplug"

say "SIGTERM ends it"
kill -TERM "$run_pid"
run_ends 143 lab
wait_for /tmp/lab.serial "guest: power button" 5
[[ ! -d /proc/$qemu ]] || fail "QEMU is still there"
nothing_left
assert_eq 0 "$(flr_count "$card")" "FLRs"
say "bus resets: $(reset_count "$card")"
