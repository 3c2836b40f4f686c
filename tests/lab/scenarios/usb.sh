# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A USB device of the host's that is QEMU's for a while, and its host driver's again; and those that are not passed.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs usb

# What its kernel calls the device of that product: "1-1"
port_of() # PRODUCT
{
	local file

	file=$(grep -lx "$1" /sys/bus/usb/devices/*/product) || fail "no '$1' is plugged in"
	basename "${file%/product}"
}

usb_driver() # PORT
{
	basename "$(readlink "/sys/bus/usb/devices/$1:1.0/driver" || echo none)"
}

usb_node() # PORT
{
	printf '/dev/bus/usb/%03d/%03d' "$(< "/sys/bus/usb/devices/$1/busnum")" "$(< "/sys/bus/usb/devices/$1/devnum")"
}

say "a tablet, a keyboard of the same ids, and a stick"
modprobe -a usbhid hid_generic usb_storage xhci_pci
for line in 'QEMU USB Tablet.* on usb' 'QEMU USB Keyboard.* on usb' 'USB Mass Storage device detected'; do
	timeout 60 grep -qm 1 "$line" /dev/kmsg || fail "no '$line'"
done
tablet=$(port_of "QEMU USB Tablet")
stick=$(port_of "QEMU USB HARDDRIVE")
node=$(usb_node "$tablet")
assert_eq usbhid "$(usb_driver "$tablet")"

say "which one is not said, and a disk of the host's"
profile both <<< $'[usb pointer]\nmatch = 0627:0001'
expect_exit 69 "$HVR" run /tmp/both.ini
assert_match "more than one is plugged in" "$(cat /tmp/stderr)"
profile stick <<< $'[usb stick]\nport = '"$stick"
expect_exit 69 "$HVR" run /tmp/stick.ini
assert_match "it is a disk of this host, which a driver serves" "$(cat /tmp/stderr)"

say "its node is root's"
chown root:root "$node"
chmod 600 "$node"
profile lab <<< $'[usb pointer]\nport = '"$tablet"
expect_exit 77 "$HVR" run /tmp/lab.ini
assert_match "KERNEL==\"$tablet\", OWNER=\"nobody\"" "$(cat /tmp/stderr)"
assert_eq "0 600" "$(stat -c '%u %a' "$node")" "the node"

say "it is the VM's user's: the guest has it"
chown nobody "$node"
run_vm lab
qemu=$(qemu_pid lab)
# the one that it was given, and its own copy of that
assert_eq "$node" "$(find "/proc/$qemu/fd" -printf '%l\n' | grep ^/dev/bus/usb/ | sort -u)" "nodes that QEMU has"
qmp_connect "$RUNTIME/vms/lab/qmp.sock"
qmp '{"execute":"human-monitor-command","arguments":{"command-line":"info usb"}}'
assert_match 'Product QEMU USB Tablet, ID: pointer' "$reply"
exec {qmp_in}>&- {qmp_out}<&-
[[ $(usb_driver "$tablet") != usbhid ]] || fail "the host's driver has it, too"

say "a second VM"
sed 's/\[vm\]/[vm]\nname = other/; s,/tmp/lab.serial,/tmp/other.serial,' /tmp/lab.ini > /tmp/other.ini
expect_exit 75 "$HVR" run /tmp/other.ini
assert_match "\[usb pointer\]" "$(cat /tmp/stderr)"

say "and the host has it back"
expect_exit 0 "$HVR" stop --force lab
run_ends 0 lab
assert_eq usbhid "$(usb_driver "$tablet")" "the driver, after the VM"
nothing_left

say "its events alone: the node is root's"
modprobe evdev
pointer=$(grep -lx 'QEMU QEMU USB Tablet' /sys/class/input/event*/device/name | cut -d / -f 5)
event=/dev/input/$pointer
chown root:root "$event"
chmod 600 "$event"
profile lab <<< $'[input pointer]\nevdev = '"$event"
expect_exit 77 "$HVR" run /tmp/lab.ini
assert_match "SUBSYSTEM==\"input\", KERNEL==\"$pointer\", OWNER=\"nobody\"" "$(cat /tmp/stderr)"
profile other <<< $'[input pointer]\nevdev = /dev/zero'
expect_exit 69 "$HVR" run /tmp/other.ini
assert_match "is no keyboard or pointer" "$(cat /tmp/stderr)"

say "it is the VM's user's: by two names it is one"
chown nobody "$event"
ln -s "$event" /tmp/pointer-event
profile other <<< $'[input pointer]\nevdev = '"$event"$'\n[input again]\nevdev = /tmp/pointer-event'
expect_exit 78 "$HVR" run /tmp/other.ini
assert_match "\[input again\]: '/tmp/pointer-event' is that of \[input pointer\], too" "$(cat /tmp/stderr)"

say "nor is it a USB device that is passed, too"
chown nobody "$node"
profile other <<< $'[input pointer]\nevdev = '"$event"$'\n[usb all]\nport = '"$tablet"
expect_exit 78 "$HVR" run /tmp/other.ini
assert_match "is of the device that \[usb all\] takes from this host" "$(cat /tmp/stderr)"

say "QEMU has it, and no second one"
run_vm lab
qemu=$(qemu_pid lab)
assert_eq "$event" "$(find "/proc/$qemu/fd" -printf '%l\n' | grep ^/dev/input/ | sort -u)" "nodes that QEMU has"
qmp_connect "$RUNTIME/vms/lab/qmp.sock"
qmp '{"execute":"qom-get","arguments":{"path":"/objects/hvr-input0","property":"evdev"}}'
assert_match '/proc/self/fd/' "$reply"
exec {qmp_in}>&- {qmp_out}<&-
sed 's/\[vm\]/[vm]\nname = other/; s,/tmp/lab.serial,/tmp/other.serial,' /tmp/lab.ini > /tmp/other.ini
expect_exit 75 "$HVR" run /tmp/other.ini
assert_match "\[input pointer\]" "$(cat /tmp/stderr)"
expect_exit 0 "$HVR" stop --force lab
run_ends 0 lab
nothing_left
