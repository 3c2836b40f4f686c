# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Any endpoint can be passed: the guest has QEMU's edu card compute, move memory by DMA through
# the IOMMU and interrupt it; by its stable path, and with its reset methods kept.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs edu

card=$(card edu)
before=$(snapshot "$card")
path=$(readlink -f "/sys/bus/pci/devices/$card")
path=${path#*/pci0000:00/0000:}
path=${path%/*}/${path##*:}
profile edu edu <<-END
	[device computer]
	path = $path
END
run_vm edu
wait_for /tmp/edu.serial "guest: edu factorial ok 3628800" 30
wait_for /tmp/edu.serial "guest: edu dma ok" 30
wait_for /tmp/edu.serial "guest: edu (msi|intx) ok" 30
assert_match "bus resets \\($(tr -d '\n' < "/sys/bus/pci/devices/$card/reset_method")\\) reach it" \
	"$(cat /tmp/edu.err)"
expect_exit 0 "$HVR" unplug edu computer
assert_eq "$before" "$(snapshot "$card")" "the card, after unplug"
expect_exit 0 "$HVR" stop edu
run_ends 0 edu
nothing_left
