# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The QEMU that is the lab host's machine: this machine's own where it can carry an emulated card,
# else Debian 12's, from a root in the cache. What runs in the lab host is this machine's in any case.
#
#	CACHE/qemu/	that root

CARRYING_SUITE=bookworm

# QEMU 8.2 and later crash with x-pci-proxy-dev where there is no KVM, as soon as the firmware routes
# interrupts (kvm_vm_ioctl() without a state). So the firmware is let run: it finds nothing to boot
# and resets, which ends QEMU. It is a quarter of a second, and nobody has to know versions.
carries_cards() # LAB-CARD QEMU...: prints what it says
{
	local card status=0

	card=$(mktemp)
	# shellcheck disable=SC2054 # the commas belong to QEMU
	{ timeout -k 5 120 "$1" "$card" -- "${@:2}" -M q35,memory-backend=memory -accel tcg -m 64 \
		-object memory-backend-memfd,id=memory,size=64M,share=on \
		-nodefaults -no-user-config -display none -no-reboot -boot reboot-timeout=1 \
		-device intel-iommu,intremap=on -device pcie-root-port,id=probed \
		-device x-pci-proxy-dev,bus=probed,fd=100 < /dev/null || status=$?; } 2>&1
	rm -f "$card"
	return "$status"
}

# Its own loader and libraries come with it, so that it runs where it lies
use_cached_qemu() # ROOT
{
	local lib=$1/usr/lib/x86_64-linux-gnu

	lab_qemu=(env "QEMU_MODULE_DIR=$lib/qemu" "$lib/ld-linux-x86-64.so.2" --library-path "$lib"
		"$1/usr/bin/qemu-system-x86_64" -L "$1/usr/share/qemu" -L "$1/usr/share/seabios"
		-L "$1/usr/lib/ipxe/qemu")
}

# Sets lab_qemu, the words that begin its command line
find_lab_qemu() # CACHE LAB-CARD
{
	lab_qemu=(qemu-system-x86_64)
	carries_cards "$2" "${lab_qemu[@]}" > /dev/null && return
	say "this machine's QEMU cannot carry the emulated card: the lab host is on Debian 12's"
	[[ -e $1/qemu ]] || make_debian "$1/qemu" "$CARRYING_SUITE" qemu-system-x86 ||
		die "Debian 12's QEMU cannot be had" "hint: run this as root, on a Debian or Ubuntu"
	use_cached_qemu "$1/qemu"
	carries_cards "$2" "${lab_qemu[@]}" ||
		die "neither this machine's QEMU nor Debian 12's can be the lab host"
}
