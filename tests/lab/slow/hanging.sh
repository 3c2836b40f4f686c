# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# A driver hangs in its remove: status, stop and requests for other cards are answered meanwhile.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone slow

card=$(card alone)
disk=$(card slow)
give_host_driver "$card"
modprobe virtio_blk
[[ -e /sys/bus/pci/devices/$disk/driver ]] || echo "$disk" > /sys/bus/pci/drivers_probe
assert_eq virtio-pci "$(driver_of "$disk")" "driver of the disk"
before=$(snapshot "$card")
disk_before=$(snapshot "$disk")
profile lab <<-END
	[device npu]
	address = $card
	[device disk]
	address = $disk
	deadline = 300
END

# So many MiB are being read, each of which takes 10 s, and whoever asked for them is gone: nobody uses
# the disk, and its driver's remove waits for them
make_driver_hang() # MIB
{
	local path=("/sys/bus/pci/devices/$disk"/virtio*/block/*) reader name

	name=${path[0]##*/}
	echo $(($1 * 1024)) > "/sys/block/$name/queue/read_ahead_kb"
	dd if="/dev/$name" of=/dev/null bs="$1"M count=1 2> /dev/null &
	reader=$!
	disown "$reader"
	until read -r reads _ < "/sys/block/$name/inflight" && ((reads > 0)); do
		sleep 0.1
	done
	kill -KILL "$reader"
	until [[ ! $(ls "/proc/$reader/fd" 2> /dev/null) ]]; do
		sleep 0.1
	done
}

# Is a child of one of the supervisor's workers in the kernel, uninterruptibly?
hangs()
{
	local workers

	workers=$(pgrep -d, -P "$run_pid" -x hailo-vm-run) && pgrep -P "$workers" -r D > /dev/null
}

# Begins to plug the disk in, in the background, until the kernel hangs
plug_disk()
{
	local i

	make_driver_hang 4
	"$HVR" plug lab disk > /tmp/plug.out 2> /tmp/plug.err &
	plug_pid=$!
	for ((i = 0; i < 100; i++)); do
		! hangs || return 0
		sleep 0.1
	done
	ps -o pid,ppid,stat,wchan:20,args -C hailo-vm-run
	fail "the driver does not hang" "$(cat /tmp/plug.err)"
}

# The command ends with that status while the driver still hangs
meanwhile() # STATUS COMMAND...
{
	local begin=${EPOCHREALTIME/./}

	expect_exit "$@"
	hangs || fail "${*:2}" "the driver no longer hangs"
	say "answered after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms: hailo-vm-run ${*:3}"
}

ends() # PID STATUS FILE
{
	local status=0

	wait "$1" || status=$?
	assert_eq "$2" "$status" "status of what was hanging: $(cat "$3")"
}

run_vm lab
expect_exit 0 "$HVR" unplug lab disk
assert_eq "$disk_before" "$(snapshot "$disk")" "the disk, out of the VM"

say "the supervisor serves everybody else"
plug_disk
meanwhile 0 "$HVR" status lab
meanwhile 75 "$HVR" plug lab disk
assert_match "device 'disk' is on its way into VM 'lab' or out of it" "$(cat /tmp/stderr)"
meanwhile 75 "$HVR" unplug lab disk
meanwhile 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, out of the VM"
meanwhile 0 "$HVR" plug lab npu
ends "$plug_pid" 0 /tmp/plug.err
assert_eq vfio-pci "$(driver_of "$disk")" "driver of the disk, in the VM"
expect_exit 0 "$HVR" unplug lab disk
assert_eq "$disk_before" "$(snapshot "$disk")" "the disk, out of the VM again"

say "a VM that is stopped meanwhile"
plug_disk
qemu=$(qemu_pid lab)
begin=${EPOCHREALTIME/./}
"$HVR" stop lab > /tmp/stop.out 2> /tmp/stop.err &
stop_pid=$!
wait_for_end "$qemu" 20
say "QEMU had ended $(((${EPOCHREALTIME/./} - begin) / 1000)) ms after the request"
hangs || fail "the driver no longer hangs"
meanwhile 0 "$HVR" status
meanwhile 69 "$HVR" plug lab npu
ends "$plug_pid" 75 /tmp/plug.err
assert_match "interrupted by signal 15" "$(cat /tmp/plug.err)"
ends "$stop_pid" 0 /tmp/stop.err
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card, at the end"
assert_eq "$disk_before" "$(snapshot "$disk")" "the disk, at the end"
nothing_left

say "longer than its deadline: reported, and put right at the end"
run_vm lab --set device.disk.deadline=2
expect_exit 0 "$HVR" unplug lab disk
make_driver_hang 7
expect_exit 75 "$HVR" plug lab disk
assert_match "cannot unbind from virtio-pci: the kernel did not finish writing .* within 2 s" \
	"$(cat /tmp/stderr)"
# Up to 6.11 the file cannot even be read while the driver is in its remove
assert_match "undoing it failed too: .*cannot (read 'driver_override'|bind to virtio-pci)" "$(cat /tmp/stderr)"
say "$(cat /tmp/stderr)"
mapfile -t left < <(grep -o 'process [0-9]* is left' /tmp/stderr | grep -o '[0-9]*')
expect_exit 0 "$HVR" unplug lab npu
assert_eq "$before" "$(snapshot "$card")" "the card, out of the VM"
for pid in "${left[@]}"; do
	wait_for_end "$pid" 90
done
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$disk_before" "$(snapshot "$disk")" "the disk, at the very end"
nothing_left
