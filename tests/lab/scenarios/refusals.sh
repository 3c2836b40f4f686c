# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# What cannot work is refused with its exit status, one clear message, and nothing changed.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone two

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")

# One line, perhaps a hint, and the machine as it was
refused() # STATUS REGEX COMMAND...
{
	expect_exit "$1" "${@:3}"
	assert_match "$2" "$(cat /tmp/stderr)" "the message of: ${*:3}"
	assert_eq 1 "$(grep -c '^hailo-vm-run: ' /tmp/stderr)" "messages of: ${*:3}"
	assert_match '^[01]$' "$(grep -c '^hint: ' /tmp/stderr || true)" "hints of: ${*:3}"
	assert_eq "$before" "$(snapshot "$card")" "the card after: ${*:3}"
	nothing_left
}

profile lab <<-END
	[device npu]
	address = $card
END

say "selectors"
refused 69 "PCI functions have match = 1e60:2864" \
	"$HVR" run /tmp/lab.ini --set device.npu.match=1e60:2864
assert_match "hint: .*$card .*driver uio_pci_generic" "$(cat /tmp/stderr)"
refused 69 "no PCI function has match = 1e60:ffff" \
	"$HVR" run /tmp/lab.ini --set device.npu.match=1e60:ffff
assert_match "hint: this host has .*$card" "$(cat /tmp/stderr)"
refused 69 "no PCI function has address = 0000:99:00.0" \
	"$HVR" run /tmp/lab.ini --set device.npu.address=99:00.0
refused 69 "is a bridge" "$HVR" run /tmp/lab.ini --set device.npu.address=00:1f.0
refused 78 "address" "$HVR" run /tmp/lab.ini --set device.npu.address=0000:02:00.8

say "the host"
refused 69 "there is no program 'qemu-system-nothing'" \
	"$HVR" run /tmp/lab.ini --set qemu.binary=qemu-system-nothing
refused 78 "\\[boot\\] kernel: '/tmp/none' does not exist" \
	"$HVR" run /tmp/lab.ini --set boot.kernel=/tmp/none
install -m 600 "$GUEST" /tmp/private.elf
refused 78 "user nobody cannot read '/tmp/private.elf': Permission denied" \
	"$HVR" run /tmp/lab.ini --set boot.kernel=/tmp/private.elf
gzip -c "$GUEST" > /tmp/guest.elf.gz
refused 78 "'/tmp/guest.elf.gz' is no kernel, but what gzip has compressed" \
	"$HVR" run /tmp/lab.ini --set boot.kernel=/tmp/guest.elf.gz
refused 78 "\\[boot\\] kernel: '/tmp/guest.elf' does not exist" \
	"$HVR" run /tmp/lab.ini --set boot.kernel=/tmp/guest.elf
assert_match "hint: did you mean 'guest.elf.gz'" "$(cat /tmp/stderr)"
refused 64 "labb: no such command or profile" "$HVR" labb --detach
refused 64 "'lab' is no command, and the command stands first" "$HVR" lab stop
refused 78 "there is no user 'nosuchuser'" \
	"$HVR" run /tmp/lab.ini --set security.user=nosuchuser
refused 78 "QEMU is not run as root" "$HVR" run /tmp/lab.ini --set security.user=root
refused 69 "KVM" "$HVR" run /tmp/lab.ini --set vm.accel=kvm

say "in use"
node=$(host_node "$card")
exec 9< "$node"
refused 75 "$card: in use by [a-z-]+ \\(pid $$, has $node open\\)" "$HVR" run /tmp/lab.ini
exec 9<&-

say "blacklisted"
mkdir -p /etc/modprobe.d
echo "blacklist vfio-pci" > /etc/modprobe.d/lab.conf
refused 69 "vfio-pci is blacklisted" "$HVR" run /tmp/lab.ini
rm /etc/modprobe.d/lab.conf

say "no root, and nothing prepared"
profile plain <<-END
	[device npu]
	address = $card
END
as_user() # COMMAND...
{
	install -d -o 65534 -m 700 /tmp/user
	setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_RUNTIME_DIR=/tmp/user "$@"
}
sed -i 's,/tmp/plain.serial,/tmp/user/plain.serial,' /tmp/plain.ini
chmod 644 /tmp/plain.ini
refused 77 "not prepared for user nobody, and only root can do that" \
	as_user "$HVR" run /tmp/plain.ini
expect_exit 0 as_user "$HVR" release --all
assert_match "nothing of yours to release; what root has taken only root gives back" \
	"$(cat /tmp/stderr)"

say "QEMU refuses its arguments: it has been tried, so there is more to read"
expect_exit 69 "$HVR" run /tmp/lab.ini --set "qemu.args=-device nonsense"
assert_match "QEMU ended with status 1" "$(cat /tmp/stderr)"
assert_match "nonsense" "$(cat /tmp/stderr)"
assert_eq "$before" "$(snapshot "$card")" "the card, after QEMU's refusal"
nothing_left

say "a dead card"
kill_card "$card"
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "all ones" "$(cat /tmp/stderr)"
assert_match "hint: power the host off and on" "$(cat /tmp/stderr)"
nothing_left
