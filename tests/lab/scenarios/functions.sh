# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# Two cards as the functions of one slot of the guest: they are there from the start, leave together
# and come together, and each goes back to the host as it was.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs two

first=$(card two 1)
second=$(card two 2)
give_host_driver "$first"
before=$(snapshot "$first"; snapshot "$second")
clear_counts "$first"
clear_counts "$second"
profile lab <<-END
	[device npu]
	address = $first
	[device other]
	address = $second
	with = npu
END

# The guest has said so of that function so many times
guest_said() # WHAT FUNCTION TIMES
{
	timeout 60 grep -qm "$3" "guest: $1 ..:00\\.$2 1e60:2864" \
		< <(exec tail -s 0.1 -n +1 -F /tmp/lab.serial 2> /dev/null) ||
		fail "the guest has not said so" "$1 of function $2, $3 times" "$(cat /tmp/lab.serial)"
}

out()
{
	expect_exit 0 "$HVR" unplug lab npu
	assert_eq "$before" "$(snapshot "$first"; snapshot "$second")" "the cards, out of the VM"
}

run_vm lab
guest_said pci 0 1
guest_said pci 1 1
words=$(tr '\0' '\n' < "/proc/$(qemu_pid lab)/cmdline")
assert_eq 5 "$(grep -c pcie-root-port <<< "$words")" "ports"

say "one of them by itself is refused"
expect_exit 64 "$HVR" unplug lab other
assert_match "leaves with it" "$(cat /tmp/stderr)"

for round in 1 2; do
	say "out and in again ($round)"
	out
	guest_said unplugged 0 "$round"
	guest_said unplugged 1 "$round"
	expect_exit 64 "$HVR" plug lab other
	expect_exit 0 "$HVR" plug lab npu
	assert_eq "vfio-pci vfio-pci" "$(driver_of "$first") $(driver_of "$second")" "drivers"
	guest_said plugged 0 "$round"
	guest_said plugged 1 "$round"
done

say "the VM ends with them"
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$first"; snapshot "$second")" "the cards, at the end"
assert_eq "0 0" "$(flr_count "$first") $(flr_count "$second")" "FLRs"
nothing_left
