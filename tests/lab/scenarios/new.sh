# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 200
# A profile that new writes for this host: with its card as it is, and without it by --without.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
path=$("$HVR" list --json | grep -o "\"address\":\"$card\",\"path\":\"[^\"]*\"" | cut -d'"' -f8)
mkdir /tmp/new
chmod 777 /tmp/new
cd /tmp/new
qemu-img create -q -f qcow2 root.qcow2 16M
chmod 666 root.qcow2
small=(--set vm.memory=192M --set vm.cpus=1 --set vm.accel=tcg --set security.user=nobody
	--set "boot.kernel=$GUEST" --set boot.initrd= --set boot.cmdline=guest --set serial.mode=socket)

say "it names the card by its slots, and the image as it is"
expect_exit 0 "$HVR" new kernel --card "$card"
assert_match "card: $card " "$(cat /tmp/stderr)"
grep -qx "path = $path" kernel.ini
grep -qx "format = qcow2" kernel.ini

say "it is not written over"
expect_exit 64 "$HVR" new kernel
assert_match "'kernel.ini' is there already" "$(cat /tmp/stderr)"

say "it starts, with the card"
expect_exit 0 "$HVR" run --detach kernel.ini "${small[@]}"
assert_match '"state":"in-vm"' "$("$HVR" status --json kernel)"
expect_exit 0 "$HVR" stop --force kernel
assert_eq "$before" "$(snapshot "$card")" "the card, after the VM"
nothing_left

say "and without it: the host keeps it"
expect_exit 0 "$HVR" run --detach kernel.ini --without device.npu "${small[@]}"
assert_eq "$before" "$(snapshot "$card")" "the card, while a VM runs without it"
assert_match '"devices":\[\]' "$("$HVR" status --json kernel)"
expect_exit 0 "$HVR" stop --force kernel
nothing_left

say "a section that is not there starts nothing"
expect_exit 78 "$HVR" run --detach kernel.ini --without device.nqu "${small[@]}"
assert_match "did you mean 'device.npu'" "$(cat /tmp/stderr)"
assert_eq "$before" "$(snapshot "$card")" "the card, after a refusal"
nothing_left
