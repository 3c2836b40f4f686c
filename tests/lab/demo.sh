# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The main job as a user sees it: see tests/demo. Everything shown is also held to what it should be.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

title()
{
	printf '\n### %s\n' "$*"
}

# Shows a command behind a prompt, runs it, shows what it says and keeps it in $said
type_in() # EXPECTED_STATUS COMMAND LINE
{
	local status=0

	printf '\nroot@lab:~# %s\n' "$2"
	eval "$2" > /tmp/said 2>&1 || status=$?
	said=$(< /tmp/said)
	[[ ! $said ]] || printf '%s\n' "$said"
	[[ ,$1, == *,$status,* ]] || fail "$2" "expected: status $1" "seen:     status $status"
}

expect() # REGEX
{
	[[ $said =~ $1 ]] || fail "that should have said: $1"
}

cd "$LAB_SOURCE"

card=$(card alone)
give_host_driver "$card"
clear_counts "$card"
before=$(snapshot "$card")
reset_method=/sys/bus/pci/devices/$card/reset_method

title "A host with one Hailo-8, in use by the host's driver"
type_in 0 "lspci -Dnnk -d 1e60:"
expect "driver in use: uio_pci_generic"
type_in 0 "cat $reset_method"
expect "^flr bus$"
type_in 0 "hailo-vm-run list"
expect "$card.*uio_pci_generic"
type_in 0,1 "hailo-vm-run check configs/demo.ini --set boot.kernel=$GUEST"
expect "PASS"

title "A VM with that card: one command"
printf '\nroot@lab:~# %s &\n' "hailo-vm-run run configs/demo.ini --set boot.kernel=$GUEST"
hailo-vm-run run configs/demo.ini --set "boot.kernel=$GUEST" > >(tee /tmp/vm) 2>&1 &
run_pid=$!
wait_for /tmp/vm "guest: pci .*1e60:2864 class 0b40" 60 > /tmp/seen
wait_for /tmp/vm "guest: ready" 10 > /tmp/seen

type_in 0 "hailo-vm-run status"
expect "demo"
qemu=$(qemu_pid demo)
type_in 0 "lspci -Dnnk -d 1e60:"
expect "driver in use: vfio-pci"
type_in 0 "grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$qemu/status    # QEMU"
expect $'Uid:\t65534'
expect $'CapEff:\t0000000000000000'

title "The host wants its card back; the VM runs on"
type_in 0 "hailo-vm-run unplug demo npu"
wait_for /tmp/vm "guest: unplugged .*1e60:2864" 10 > /tmp/seen
type_in 0 "lspci -Dnnk -d 1e60:"
expect "driver in use: uio_pci_generic"
type_in 0 "cat $reset_method"
expect "^flr bus$"
type_in 0 "hailo-vm-run status"
expect "demo"
[[ -d /proc/$qemu ]] || fail "the VM does not run on"
assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"

title "The end of the VM"
type_in 0 "hailo-vm-run stop demo"
status=0
wait "$run_pid" || status=$?
assert_eq 0 "$status" "status of hailo-vm-run run"
[[ ! -d /proc/$qemu ]] || fail "QEMU is still there"
type_in 0 "hailo-vm-run status"
type_in 0 "find $RUNTIME/devices $RUNTIME/vms ! -type d    # files that a VM left"
assert_eq "" "$said"

title "What reached the card, as the card itself counted"
echo "function level resets: $(flr_count "$card"); bus resets: $(reset_count "$card")"
assert_eq 0 "$(flr_count "$card")" "FLRs"
assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
echo
