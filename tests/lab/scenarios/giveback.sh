# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# What comes back is as it was: nodes, the slot in the guest; and where it cannot be, the truth is told.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone century

# The kernel may refuse to take an old reset_method back on a shared bus: see lab-groups
group_snapshot() # ADDRESS...
{
	local address

	for address; do
		snapshot "$address" | grep -v '^reset_method'
	done
}

slot_of_card() # WORD: of the guest's last such line about a card
{
	sed -n "s/^guest: $1 \([0-9a-f:.]*\) 1e60:2864 .*/\1/p" /tmp/lab.serial | tail -n 1
}

say "century: nodes of the lowest free number, given back in their order"
first=$(card century)
second=$(card century 2)
give_host_driver "$first"
give_host_driver "$second"
# The numbers depend on who else had the driver when it came
for file in unbind bind; do
	for address in "$first" "$second"; do
		echo "$address" > "/sys/bus/pci/drivers/uio_pci_generic/$file"
	done
done
nodes="$(host_node "$first") $(host_node "$second")"
assert_eq "/dev/uio0 /dev/uio1" "$nodes" "nodes before"
before=$(group_snapshot "$first" "$second")
profile lab <<-END
	[device npu]
	address = $first
	group = pass
END
run_vm lab
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$nodes" "$(host_node "$first") $(host_node "$second")" "nodes after"
assert_eq "$before" "$(group_snapshot "$first" "$second")" "the cards, after that"
run_vm lab
kill -KILL "$run_pid"
wait "$run_pid" 2> /dev/null || true
qemu=$(pgrep -x qemu-system-x86)
kill -KILL "$qemu"
wait_for_end "$qemu" 30
expect_exit 0 "$HVR" release --all
assert_match "$first: is back on uio_pci_generic" "$(cat /tmp/stderr)"
assert_eq "$nodes" "$(host_node "$first") $(host_node "$second")" "nodes after a crash"
nothing_left

say "alone: plug puts the card into the slot that it was in"
card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END
run_vm lab
slot=$(slot_of_card pci)
expect_exit 0 "$HVR" unplug lab npu
assert_match "$card: left the VM and is back on uio_pci_generic" "$(cat /tmp/lab.err)"
expect_exit 0 "$HVR" plug lab npu
wait_for /tmp/lab.serial "guest: plugged .* 1e60:2864" 30
assert_eq "$slot" "$(slot_of_card plugged)" "slot of the card"

say "alone: the host's driver is gone when the VM ends"
rmmod uio_pci_generic
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_match "warning: $card: has no driver: 'uio_pci_generic' is not there any more and nothing else takes it" \
	"$(cat /tmp/lab.err)"
assert_eq "${before/driver=uio_pci_generic/driver=none}" "$(snapshot "$card")" "the card, without a driver"
nothing_left
run_vm lab
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "${before/driver=uio_pci_generic/driver=none}" "$(snapshot "$card")" "the card, after the next VM"
nothing_left

say "alone: the driver is there and does not have the card any more"
give_host_driver "$card"
expect_exit 0 "$HVR" prepare /tmp/lab.ini
rmmod uio_pci_generic
modprobe uio_pci_generic
expect_exit 71 "$HVR" release "$card"
assert_match "$card: cannot bind to uio_pci_generic: No such device" "$(cat /tmp/stderr)"
"$HVR" list > /tmp/list
assert_match "no driver, not given back" "$(cat /tmp/list)"
assert_match "held since .* by itself: cannot bind to uio_pci_generic" "$(cat /tmp/list)"
"$HVR" check --card "$card" > /tmp/check || true
assert_match "FAIL.*card-held" "$(cat /tmp/check)"
assert_match "WARN.*card-given-back" "$(cat /tmp/check)"
expect_exit 0 "$HVR" release --forget "$card"
assert_match "warning: $card: has no driver: 'uio_pci_generic' does not have it" "$(cat /tmp/stderr)"
nothing_left
