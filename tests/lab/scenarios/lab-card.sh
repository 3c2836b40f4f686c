# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The helpers of scenarios do what they say: host driver, counts, a card that falls off the bus.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs alone two

card=$(card two 1)
twin=$(card two 2)
before=$(snapshot "$card")
assert_match $'^driver=none\ndriver_override=\\(null\\)\\$\nreset_method=flr bus\\$\n' "$before"

say "one card gets the host driver, its twins do not"
give_host_driver "$card"
assert_eq none "$(driver_of "$twin")" "driver of the other card"
[[ -c $(host_node "$card") ]]
echo "$card" > "/sys/bus/pci/devices/$card/driver/unbind"

say "vfio-pci takes it, and a second program cannot have it"
bind_to_vfio "$card"
vm_start "" "$card"
wait_for /tmp/guest "guest: ready" 60
expect_exit 1 qemu-system-x86_64 -M q35 -accel tcg -nodefaults -display none -S \
	-device "vfio-pci,host=$card"
assert_match "busy" "$(cat /tmp/stderr)"
vm_quit
echo "$card" > "/sys/bus/pci/devices/$card/driver/unbind"
echo > "/sys/bus/pci/devices/$card/driver_override"
assert_eq "$before" "$(snapshot "$card")" "state of $card"

say "counts start anew"
clear_counts "$card"
echo 1 > "/sys/bus/pci/devices/$card/reset"
assert_eq "flr=000001 reset=000000 dead=0" "$(card_state "$card")"

say "a dead card reads as ones"
config=/sys/bus/pci/devices/$card/config
assert_eq 601e6428 "$(od -An -tx1 -N4 "$config" | tr -d ' ')" "vendor and device"
kill_card "$card"
assert_eq ffffffff "$(od -An -tx1 -N4 "$config" | tr -d ' ')" "vendor and device"
