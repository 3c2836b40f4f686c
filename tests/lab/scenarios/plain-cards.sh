# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 200
# A QEMU that has not the feature json-cli-hotplug, such as 6.2, gets cards and ports as key=value,
# and they go and come as ever. It is this machine's QEMU, which only does not tell of the feature.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
cat > /tmp/old-qemu <<-'END'
	#!/bin/sh
	case "$*" in
	*'-qmp stdio'*) qemu-system-x86_64 "$@" | sed 's/, "json-cli-hotplug"//' ;;
	*) exec qemu-system-x86_64 "$@" ;;
	esac
END
chmod 0755 /tmp/old-qemu
profile lab <<-END
	[device npu]
	address = $card
	[qemu]
	binary = /tmp/old-qemu
END

run_vm lab
words=$(tr '\0' '\n' < "/proc/$(qemu_pid lab)/cmdline")
assert_match "driver=vfio-pci,id=npu,host=$card,bus=hvr-port0" "$words"
assert_match 'driver=pcie-root-port,id=hvr-port0,' "$words"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, out of the VM"
expect_exit 0 "$HVR" plug lab npu
assert_eq vfio-pci "$(driver_of "$card")" "driver of the card, in the VM again"
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, out again"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
nothing_left
