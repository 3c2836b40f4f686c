# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The guest gives a card back, takes it again, and does neither when told so.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs alone

card=$(card alone)
bind_to_vfio "$card"
device_del='{"execute": "device_del", "arguments": {"id": "card1"}}'

say "eject, plug again"
vm_start "" "$card"
wait_for /tmp/guest "guest: ready" 60
start=${EPOCHREALTIME/./}
qmp "$device_del"
assert_eq '{"return": {}}' "$reply"
qmp_event DEVICE_DELETED 30
assert_match '"device": "card1"' "$event"
say "DEVICE_DELETED after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
wait_for /tmp/guest "guest: unplugged 01:00.0 1e60:2864" 30
qmp "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"vfio-pci\", \"id\": \"card2\",
	\"host\": \"$card\", \"bus\": \"port1\"}}"
wait_for /tmp/guest "guest: plugged 01:00.0 1e60:2864 class 0b40 bar0=0xf" 30
vm_power_down

say "refuse"
vm_start "unplug=refuse powerdown=ignore" "$card"
wait_for /tmp/guest "guest: ready" 60
qmp "$device_del"
wait_for /tmp/guest "guest: unplug refused" 30
qmp '{"execute": "system_powerdown"}'
wait_for /tmp/guest "guest: power button ignored" 30
qmp '{"execute": "query-pci"}'
assert_match '"qdev_id": "card1"' "$reply" "the card is in the VM"
vm_quit

say "late"
vm_start "unplug=late:2" "$card"
wait_for /tmp/guest "guest: ready" 60
start=$SECONDS
qmp "$device_del"
qmp_event DEVICE_DELETED 60
((SECONDS - start >= 2)) || fail "too early"
vm_power_down

say "reboot instead: the reset completes the removal"
vm_start reboot-on-unplug "$card"
wait_for /tmp/guest "guest: ready" 60
qmp "$device_del"
wait_for /tmp/guest "guest: rebooting" 30
qmp_event SHUTDOWN 30
assert_match '"reason": "guest-reset"' "$event" "how the VM ended, with -no-reboot"
wait_for_end "$vm_pid" 30
