# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A VM with an IOMMU of its own: its cards, each with an address space of its own, arrive, compute and
# move memory, leave, come and go back. The guest leaves the IOMMU as firmware does, switched off.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs edu alone noacs

edu=$(card edu)
npu=$(card alone)
give_host_driver "$npu"
before=$(snapshot "$edu"; snapshot "$npu")
clear_counts "$npu"

for kind in intel virtio; do
	say "$kind"
	profile "$kind" edu <<-END
		[device computer]
		address = $edu
		[device npu]
		address = $npu
	END
	run_vm "$kind" --set "vm.iommu=$kind"
	assert_match "$kind-iommu" "$(tr '\0' '\n' < "/proc/$(qemu_pid "$kind")/cmdline")"
	wait_for "/tmp/$kind.serial" "guest: hailo answers" 30
	wait_for "/tmp/$kind.serial" "guest: edu dma ok" 30
	wait_for "/tmp/$kind.serial" "guest: edu (msi|intx) ok" 30
	# Both cards lock all of the memory
	assert_match "Max locked memory +$((2 * 64 * 1024 * 1024 + 1024 * 1024 * 1024)) " \
		"$(grep locked "/proc/$(qemu_pid "$kind")/limits")"
	for card in computer npu; do
		expect_exit 0 "$HVR" unplug "$kind" "$card"
	done
	assert_eq "$before" "$(snapshot "$edu"; snapshot "$npu")" "the cards, out of the VM"
	expect_exit 0 "$HVR" plug "$kind" npu
	wait_for "/tmp/$kind.serial" "guest: plugged .* 1e60:2864" 30
	expect_exit 0 "$HVR" plug "$kind" computer
	wait_for "/tmp/$kind.serial" "guest: plugged .* 1234:11e8" 30
	expect_exit 0 "$HVR" stop "$kind"
	run_ends 0 "$kind"
	assert_eq "$before" "$(snapshot "$edu"; snapshot "$npu")" "the cards, at the end"
	nothing_left
done
assert_eq 0 "$(flr_count "$npu")" "FLRs"

say "two of one group are refused, where QEMU would refuse them"
card=$(card noacs)
before=$(snapshot "$card"; snapshot "$(nic noacs)")
profile noacs <<-END
	[device npu]
	address = $card
	group = pass
END
expect_exit 69 "$HVR" run /tmp/noacs.ini --set vm.iommu=intel
assert_match "shares IOMMU group .* which the VM gets as well" "$(cat /tmp/stderr)"
assert_eq "$before" "$(snapshot "$card"; snapshot "$(nic noacs)")" "noacs, after the refusal"
nothing_left
