# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# guard: build
# reset-guard of a profile, with a module that modprobe finds as its package has it: loaded by a run,
# required, not wanted; what comes of reset_method where it came or went meanwhile; setup guard.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
modules=/lib/modules/$(uname -r)
module=/sys/module/hailo_vm_run_guard
reset_method=/sys/bus/pci/devices/$card/reset_method
give_host_driver "$card"
before=$(snapshot "$card")

guard_profile() # LINE...
{
	printf '%s\n' '[device npu]' "address = $card" "$@" | profile lab
}

# What is certain to fail is refused with nothing changed; STATUS is run's
refused() # REGEX
{
	expect_exit 69 "$HVR" run /tmp/lab.ini
	assert_match "$1" "$(cat /tmp/stderr)"
	assert_eq "$now" "$(snapshot "$card")" "the card, after a refusal"
	[[ ! -e /tmp/lab.serial ]] || fail "a QEMU was started"
}

unload()
{
	expect_exit 0 rmmod hailo_vm_run_guard
	echo default > "$reset_method"
	assert_eq "$before" "$(snapshot "$card")" "the card, when the module is gone"
}

resets()
{
	echo "$(flr_count "$card") $(reset_count "$card")"
}

say "required, and not installed"
now=$before
guard_profile "reset-guard = require"
refused "$card: reset-guard = require, and module hailo-vm-run-guard is not loaded"
[[ ! -e /sys/module/vfio_pci ]] || fail "vfio-pci was loaded for it"

say "a method that the card has not got what it takes for"
guard_profile "reset = pm"
refused "$card: reset = pm, and it cannot be reset by pm"
guard_profile "reset = af_flr flr"
refused "$card: reset = af_flr flr, and it cannot be reset by af_flr"

mount -t overlay -o "lowerdir=${GUARD%/*}/modules:$modules" guard "$modules"
trap 'umount -l "$modules"' EXIT

say "installed, and off"
guard_profile "reset-guard = off"
run_vm lab
[[ ! -e $module ]] || fail "loaded for a card that is not to have it"
grep "bus resets still reach it" /tmp/lab.err
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
rm /tmp/lab.serial
assert_eq "$before" "$(snapshot "$card")" "the card, after reset-guard = off"

say "installed: a run loads it"
guard_profile
expect_exit 0 "$HVR" run --dry-run /tmp/lab.ini
assert_match "load module hailo-vm-run-guard" "$(cat /tmp/stdout)"
[[ ! -e $module ]] || fail "loaded by --dry-run"
clear_counts "$card"
run_vm lab
grep "module hailo-vm-run-guard is loaded first, which keeps bus resets away; it stays loaded" /tmp/lab.err
grep "no reset can reach it, once module hailo-vm-run-guard is loaded for it" /tmp/lab.err
assert_eq "$card" "$(grep -x "$card" $module/parameters/cards)" "guarded"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
rm /tmp/lab.serial
assert_eq "0 0" "$(resets)" "resets of a whole run"
grep "$card: reset_method was 'flr bus' and is 'flr': module hailo-vm-run-guard takes bus resets away" /tmp/lab.err
assert_eq flr "$(< "$reset_method")" "reset_method, with the module"

say "loaded: bus is refused, require is content"
now=$(snapshot "$card")
guard_profile "reset = bus"
refused "$card: reset = bus, and module hailo-vm-run-guard keeps bus resets from it"
guard_profile "reset = flr bus"
refused "$card: reset = flr bus, and module"
guard_profile "reset-guard = require"
run_vm lab

say "it goes while a VM has the card, and nobody answers for that"
grep -x "guarded=1" "$RUNTIME/devices/$card.ini"
kill -KILL "$(supervisor_pid lab)"
wait "$run_pid" || true
qemu=$(qemu_pid lab)
kill -KILL "$qemu"
wait_for_end "$qemu" 30
expect_exit 0 rmmod hailo_vm_run_guard
expect_exit 0 "$HVR" release --all
assert_match "reset_method is 'flr', as it was while module hailo-vm-run-guard took bus resets away" \
	"$(cat /tmp/stderr)"
echo default > "$reset_method"
assert_eq "$before" "$(snapshot "$card")" "the card, with the kernel's own list"

say "for other cards"
echo "options hailo-vm-run-guard ids=8086:ffff" > /etc/modprobe.d/guard.conf
now=$before
rm -f /tmp/lab.serial
refused "it is told of cards by 'options hailo-vm-run-guard ids=1e60:2864' in /etc/modprobe.d/"
expect_exit 0 modprobe hailo-vm-run-guard
refused "module hailo-vm-run-guard is loaded for others"
expect_exit 0 rmmod hailo_vm_run_guard
echo "options hailo-vm-run-guard ids=nonsense" > /etc/modprobe.d/guard.conf
refused "it is told of cards by"
rm /etc/modprobe.d/guard.conf

say "setup guard, and back"
expect_exit 0 "$HVR" setup --yes --templates "$LAB_SOURCE/configs/setup" --device 1e60:2864 \
	--device 1e60:45c4 guard
grep -x hailo-vm-run-guard /etc/modules-load.d/hailo-vm-run-guard.conf
expect_exit 0 "$HVR" setup --status --templates "$LAB_SOURCE/configs/setup"
assert_eq "as set up" "$(tail -n 1 /tmp/stdout)" "setup --status"
# As systemd-modules-load does it
expect_exit 0 modprobe hailo-vm-run-guard
assert_eq "1e60:2864,1e60:45c4" "$(< $module/parameters/ids)" "whom it is for"
unload
expect_exit 0 "$HVR" setup --undo --yes --templates "$LAB_SOURCE/configs/setup" guard
[[ ! -e /etc/modules-load.d/hailo-vm-run-guard.conf && ! -e /etc/modprobe.d/hailo-vm-run-guard.conf ]] ||
	fail "setup --undo has left something"
expect_exit 0 modprobe hailo-vm-run-guard
assert_eq "1e60:2864" "$(< $module/parameters/ids)" "whom it is for by itself"
unload
nothing_left

say "the kernel has nothing to say against it"
dmesg > /tmp/dmesg
! grep -E 'Oops|BUG:|WARNING:|Call Trace|refcount' /tmp/dmesg || fail "see above"
