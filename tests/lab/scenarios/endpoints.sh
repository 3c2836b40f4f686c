# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 400
# What is no Hailo: an NVMe disk, a network card and a card that computes go through run, unplug and
# plug, and back to their drivers as they were, byte for byte; all at once, and each by itself.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs endpoints alone

disk=$(card endpoints nvme)
nic=$(card endpoints nic)
edu=$(card endpoints)
npu=$(card alone)
modprobe nvme
give_nic_driver "$nic"
give_host_driver "$edu"
give_host_driver "$npu"
clear_counts "$npu"

all()
{
	local address

	for address in "$disk" "$nic" "$edu" "$npu"; do
		snapshot "$address"
	done
}

# The host works with each of them
host_has_all()
{
	wait_for_glob "/sys/bus/pci/devices/$disk/nvme/nvme*/nvme*n1"
	wait_for_glob "/sys/bus/pci/devices/$nic/net/*"
	host_node "$edu" > /dev/null
	head -c 4096 "/dev/$(basename "$(echo "/sys/bus/pci/devices/$disk"/nvme/nvme*/nvme*n1)")" \
		> /dev/null || fail "the disk cannot be read"
}

# A driver that is back makes its devices by and by; the kernel's log tells of each
wait_for_glob() # PATTERN
{
	local end=$((SECONDS + 30)) line

	exec {line}< /dev/kmsg
	while [[ -z $(compgen -G "$1") ]]; do
		((SECONDS < end)) || fail "not within 30 s" "$1"
		read -r -t 1 -u "$line" || true
	done
	exec {line}<&-
}

# The guest has said so of that card so many times
guest_said() # WHAT ID TIMES
{
	timeout 60 grep -qm "$3" "guest: $1 .* $2 " \
		< <(exec tail -s 0.1 -n +1 -F /tmp/lab.serial 2> /dev/null) ||
		fail "the guest has not said so" "$1 $2, $3 times" "$(cat /tmp/lab.serial)"
}

host_has_all
before=$(all)
assert_eq "nvme e1000e uio_pci_generic" \
	"$(driver_of "$disk") $(driver_of "$nic") $(driver_of "$edu")" "host drivers"
profile lab edu <<-END
	[device disk]
	address = $disk
	[device nic]
	address = $nic
	[device computer]
	address = $edu
	[device npu]
	address = $npu
END
declare -A ids=([disk]=1b36:0010 [nic]=8086:10d3 [computer]=1234:11e8 [npu]=1e60:2864)

say "all of them"
run_vm lab
for name in "${!ids[@]}"; do
	guest_said pci "${ids[$name]}" 1
done
wait_for /tmp/lab.serial "guest: edu dma ok" 30
for address in "$disk" "$nic" "$edu" "$npu"; do
	assert_eq vfio-pci "$(driver_of "$address")" "driver of $address"
done

for name in "${!ids[@]}"; do
	say "$name: out, in, and out"
	expect_exit 0 "$HVR" unplug lab "$name"
	guest_said unplugged "${ids[$name]}" 1
	expect_exit 0 "$HVR" plug lab "$name"
	guest_said plugged "${ids[$name]}" 1
	expect_exit 0 "$HVR" unplug lab "$name"
	guest_said unplugged "${ids[$name]}" 2
done
host_has_all
assert_eq "$before" "$(all)" "the cards, out of the VM"

say "two of them in, and the VM ends"
expect_exit 0 "$HVR" plug lab disk
expect_exit 0 "$HVR" plug lab nic
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
host_has_all
assert_eq "$before" "$(all)" "the cards, at the end"
assert_eq 0 "$(flr_count "$npu")" "FLRs of the Hailo-8"
nothing_left

say "a disk that the host uses is refused"
mkdir -p /tmp/mounted
node=/dev/$(basename "$(echo "/sys/bus/pci/devices/$disk"/nvme/nvme*/nvme*n1)")
exec {held}< "$node"
expect_exit 75 "$HVR" run /tmp/lab.ini
assert_match "$disk" "$(cat /tmp/stderr)"
exec {held}<&-
assert_eq "$before" "$(all)" "the cards, after the refusal"
