# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# What is certain to fail on this host is refused by run, as check says, before the card moves: the
# card itself counts no reset. What the hint says makes it pass.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone isa

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
counts=$(card_state "$card")

profile lab <<-END
	[device npu]
	address = $card
END

# check and run say the same, and the card has noticed nothing
refused() # ID REGEX COMMAND-IN-FRONT...
{
	expect_exit 1 "${@:3}" "$HVR" check /tmp/lab.ini
	assert_match "FAIL    $1: .*$2" "$(cat /tmp/stdout)" "check"
	expect_exit 69 "${@:3}" "$HVR" run /tmp/lab.ini --dry-run
	assert_match "$2" "$(cat /tmp/stderr)" "run --dry-run"
	expect_exit 69 "${@:3}" "$HVR" run /tmp/lab.ini
	assert_match "$2" "$(cat /tmp/stderr)" "run"
	assert_eq 1 "$(grep -c '^hint: ' /tmp/stderr)" "hints"
	expect_exit 69 "${@:3}" "$HVR" prepare /tmp/lab.ini
	assert_eq "$before" "$(snapshot "$card")" "the card, after $1"
	assert_eq "$counts" "$(card_state "$card")" "resets of the card, after $1"
	nothing_left
}

# In a mount namespace of its own
where() # SCRIPT COMMAND...
{
	unshare --mount --propagation private sh -ec "$1; shift; exec \"\$@\"" - - "${@:2}"
}

say "a read-only /sys, as in a container"
refused card-sysfs "driver_override cannot be written: Read-only file system" \
	where "mount -o remount,bind,ro /sys"

say "a /dev that nobody fills"
refused card-node "/dev/vfio/[0-9]+ is not there, and will not come" \
	where "mount -t tmpfs dev /dev; mknod -m 666 /dev/null c 1 3"

say "a QEMU that is too old, and one that has no vfio-pci"
old_qemu() # VERSION DEVICES
{
	cat > /tmp/old-qemu <<-END
		#!/bin/sh
		case "\$*" in
		*help*) echo '$2' ;;
		*) echo "QEMU emulator version $1" ;;
		esac
	END
	chmod 755 /tmp/old-qemu
}
printf '[qemu]\nbinary = /tmp/old-qemu\n' >> /tmp/lab.ini
old_qemu 5.2.0 'name "vfio-pci" name "pcie-root-port"'
refused qemu "version 5.2, too old"
old_qemu 7.2.0 'name "pcie-root-port"'
refused qemu-devices "no device vfio-pci"
sed -i '/old-qemu/d; /^\[qemu\]/d' /tmp/lab.ini

say "more memory than there is"
sed -i 's/^memory = .*/memory = 64G/' /tmp/lab.ini
refused memory "this host has [0-9]+ MiB, and the VM locks 65536 MiB"
sed -i 's/^memory = .*/memory = 64M/' /tmp/lab.ini

say "and as it is, it starts"
run_vm lab
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, given back"

say "an ISA bridge with a driver in the group"
card=$(card isa)
bridge=$(card isa bridge)
give_host_driver "$card"
give_host_driver "$bridge"
assert_eq "$(group_of "$card")" "$(group_of "$bridge")" "one group"
before=$(snapshot "$card" | grep -v '^reset_method')
counts=$(card_state "$card")
profile isa <<-END
	[device npu]
	address = $card
END
expect_exit 1 "$HVR" check /tmp/isa.ini
expect_exit 69 "$HVR" run /tmp/isa.ini
assert_match "the host uses $bridge \\(8086:3a16, driver uio_pci_generic\\)" "$(cat /tmp/stderr)"
assert_eq "$before" "$(snapshot "$card" | grep -v '^reset_method')" "the card, not moved"
assert_eq "$counts" "$(card_state "$card")" "resets of the card"
nothing_left
sed -i '$a group = pass' /tmp/isa.ini
expect_exit 0 "$HVR" check /tmp/isa.ini
run_vm isa
assert_eq vfio-pci "$(driver_of "$bridge")" "driver of the bridge"
! grep -q "guest: pci .*8086:3a16" /tmp/isa.serial || fail "the bridge is in the VM"
expect_exit 0 "$HVR" stop isa
run_ends 0 isa
assert_eq uio_pci_generic "$(driver_of "$bridge")" "driver of the bridge, given back"
nothing_left
