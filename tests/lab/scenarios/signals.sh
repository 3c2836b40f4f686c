# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 500
# INT, TERM, HUP and QUIT end a run in order; a second one hurries; detached runs; kept cards.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END

# A background job of a script ignores INT and QUIT; setsid --fork would hide the pid
set -m
for name in INT TERM HUP QUIT; do
	say "SIG$name"
	run_vm lab
	kill "-$name" "$run_pid"
	run_ends $((128 + $(kill -l "$name"))) lab
	assert_eq "$before" "$(snapshot "$card")" "the card, after SIG$name"
	nothing_left
done

say "a second INT hurries a guest that does not power down"
sed -i 's/^cmdline = .*/cmdline = powerdown=ignore/' /tmp/lab.ini
run_vm lab
kill -INT "$run_pid"
wait_for /tmp/lab.serial "guest: power button ignored" 10
kill -INT "$run_pid"
run_ends 130 lab
assert_eq "$before" "$(snapshot "$card")" "the card, after two INTs"
nothing_left
set +m

say "detached"
sed -i 's/^cmdline = .*/cmdline = guest/' /tmp/lab.ini
expect_exit 0 "$HVR" run --detach /tmp/lab.ini
assert_match running "$("$HVR" status lab)"
wait_for /tmp/lab.serial "guest: ready" 60
expect_exit 0 "$HVR" stop lab
nothing_left
assert_eq "$before" "$(snapshot "$card")" "the card, after a detached run"
expect_exit 69 "$HVR" run --detach /tmp/lab.ini --set "qemu.args=-device nonsense"
assert_match "QEMU ended with status 1" "$(cat /tmp/stderr)"
nothing_left

say "kept, then released"
run_vm lab --set device.npu.after=keep
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq vfio-pci "$(driver_of "$card")" "driver of a kept card"
assert_eq "0 0 600" "$(stat -c '%u %g %a' "/dev/vfio/$(group_of "$card")")" "its node"
run_vm lab
expect_exit 0 "$HVR" unplug --keep lab npu
assert_eq vfio-pci "$(driver_of "$card")" "driver of a card that unplug kept"
expect_exit 0 "$HVR" plug lab npu
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
expect_exit 0 "$HVR" release --all
assert_eq "$before" "$(snapshot "$card")" "the card, after release"
nothing_left

say "prepared, run, and back to the host"
expect_exit 0 "$HVR" prepare /tmp/lab.ini
assert_eq vfio-pci "$(driver_of "$card")" "driver of a prepared card"
expect_exit 0 "$HVR" prepare /tmp/lab.ini
expect_exit 0 "$HVR" release /tmp/lab.ini
assert_eq "$before" "$(snapshot "$card")" "the card, after prepare and release"
nothing_left

say "a plain user runs a VM with a card that was prepared for them"
install -d -o 65534 -m 700 /tmp/user
sed 's,/tmp/lab.serial,/tmp/user/lab.serial,' /tmp/lab.ini > /tmp/plain.ini
chmod 644 /tmp/plain.ini
expect_exit 0 "$HVR" prepare /tmp/plain.ini
(
	ulimit -l unlimited
	exec setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_RUNTIME_DIR=/tmp/user \
		"$HVR" run /tmp/plain.ini
) 2> /tmp/plain.err &
run_pid=$!
wait_for /tmp/user/lab.serial "guest: ready" 60
wait_for /tmp/user/lab.serial "1e60:2864" 5
kill -TERM "$run_pid"
run_ends 143 plain
assert_eq vfio-pci "$(driver_of "$card")" "a plain user gives nothing back"
expect_exit 0 "$HVR" release --all
assert_eq "$before" "$(snapshot "$card")" "the card, after all"
nothing_left
