# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# A card that shares its IOMMU group: refused with every endpoint named, bound, passed, given back.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs century noacs switch

all_snapshots() # ADDRESS...
{
	local address

	for address; do
		snapshot "$address" | grep -v '^reset_method'
	done
}

# The kernel may refuse to take an old reset_method back on a shared bus: see lab-groups
shared_group() # TOPOLOGY OTHER_ENDPOINT...
{
	local card others before endpoint

	card=$(card "$1")
	others=("${@:2}")
	give_host_driver "$card"
	for endpoint in "${others[@]}"; do
		[[ $(driver_of "$endpoint") != none ]] || give_host_driver "$endpoint"
	done
	before=$(all_snapshots "$card" "${others[@]}")
	profile "$1" <<-END
		[device npu]
		address = $card
	END

	say "$1: refused by default, every endpoint named, nothing changed"
	expect_exit 69 "$HVR" run "/tmp/$1.ini"
	for endpoint in "${others[@]}"; do
		assert_match "$endpoint \\(....:...., driver $(driver_of "$endpoint")\\)" \
			"$(cat /tmp/stderr)"
	done
	assert_eq "$before" "$(all_snapshots "$card" "${others[@]}")" "$1, after the refusal"

	say "$1: bind"
	run_vm "$1" --set device.npu.group=bind
	assert_eq 1 "$(grep -c 'guest: pci .*\(1e60:2864\|8086:10\)' "/tmp/$1.serial")" "passed"
	for endpoint in "${others[@]}"; do
		assert_eq vfio-pci "$(driver_of "$endpoint")" "driver of $endpoint"
	done
	expect_exit 0 "$HVR" unplug "$1" npu
	assert_eq "$before" "$(all_snapshots "$card" "${others[@]}")" "$1, after unplug"
	expect_exit 0 "$HVR" stop "$1"
	run_ends 0 "$1"

	say "$1: pass"
	run_vm "$1" --set device.npu.group=pass
	assert_eq $((${#others[@]} + 1)) \
		"$(grep -c 'guest: pci .*\(1e60:2864\|8086:10[0d][ed3]\)' "/tmp/$1.serial")" "passed"
	expect_exit 0 "$HVR" stop "$1"
	run_ends 0 "$1"
	assert_eq "$before" "$(all_snapshots "$card" "${others[@]}")" "$1, given back"
	nothing_left
}

give_nic_driver "$(nic century)"
shared_group century "$(card century 2)" "$(nic century)"
give_nic_driver "$(nic noacs)"
shared_group noacs "$(nic noacs)"

say "switch: a bridge in the group does not count"
card=$(card switch)
give_host_driver "$card"
before=$(snapshot "$card")
profile switch <<-END
	[device npu]
	address = $card
END
run_vm switch
expect_exit 0 "$HVR" unplug switch npu
assert_eq "$before" "$(snapshot "$card")" "the card behind the switch"
expect_exit 0 "$HVR" stop switch
run_ends 0 switch
nothing_left
