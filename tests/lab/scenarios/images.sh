# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# Images that QEMU would not open, or would show the guest as something else, are refused before the
# card moves: by its own count no reset reaches it. What the hint says makes the VM start. And QEMU
# has the groups of its user's login, but not those that are as good as root.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
counts=$(card_state "$card")

groupadd --system vmlab
useradd --system --no-create-home --groups vmlab,disk ann
uid=$(id -u ann)
folder=/tmp/images
install -d -m 755 "$folder"
chown ann: "$folder"
cd "$folder" || exit 1
export SUDO_UID=$uid

disk() # LINE...
{
	profile lab <<-END
		[device npu]
		address = $card
		[disk root]
		file = $folder/root
		$(printf '%s\n' "$@")
	END
}

# Both say it, with the same fix, and the card knows nothing of it
refused() # STATUS REGEX HINT
{
	expect_exit "$1" "$HVR" run /tmp/lab.ini
	assert_match "$2" "$(cat /tmp/stderr)" "what run says"
	assert_match "^hint: .*$3" "$(grep '^hint: ' /tmp/stderr)" "what run says to do"
	expect_exit 1 "$HVR" check /tmp/lab.ini
	assert_match "$2" "$(cat /tmp/stdout /tmp/stderr)" "what check says"
	assert_eq "$before" "$(snapshot "$card")" "the card, after: $2"
	assert_eq "$counts" "$(card_state "$card")" "the card's own counts, after: $2"
	nothing_left
}

ends()
{
	"$HVR" stop --force lab 2> /dev/null
	wait "$run_pid" || true
	nothing_left
	clear_counts "$card"
	counts=$(card_state "$card")
}

say "a backing file that is missing, then closed by a folder"
disk
mkdir base.d
qemu-img create -q -f raw base.d/base 1M
qemu-img create -q -f qcow2 -b base.d/base -F raw root
chown ann: root
mv base.d/base base.d/away
refused 78 "backing file of '$folder/root': '$folder/base.d/base' does not exist" \
	"put it back"
mv base.d/away base.d/base
chmod 700 base.d
refused 78 "cannot read '$folder/base.d/base': Permission denied .folder '$folder/base.d' is closed" \
	"u:ann:x '$folder/base.d'"
chmod 711 base.d

say "the fix is the fix; QEMU's groups"
run_vm lab
qemu=$(qemu_pid lab)
assert_match $'\nGroups:\t'"$(getent group vmlab | cut -d: -f3) "$'?\n' "$(cat "/proc/$qemu/status")"

say "busy, for whoever else names it"
sed 's/^cpus/name = other\n&/' /tmp/lab.ini > /tmp/other.ini
sed -i '/^\[device/,/^address/d; s,/tmp/lab.serial,/tmp/other.serial,' /tmp/other.ini
expect_exit 75 "$HVR" run /tmp/other.ini
assert_match "'$folder/root' is in use: another process has it open" "$(cat /tmp/stderr)"
ends

say "locked by a QEMU that is not ours"
qmp_open qemu-system-x86_64 -nodefaults -machine q35,accel=tcg -display none -S \
	-drive "if=none,id=d,format=qcow2,file=$folder/root" -device virtio-blk-pci,drive=d \
	-qmp stdio
refused 75 "'$folder/root' is in use: another process" "fuser -v '$folder/root'"
qmp '{"execute":"quit"}'

say "formats"
rm root
qemu-img create -q -f raw root 1M
chown ann: root
refused 78 "'$folder/root' is no qcow2 image" "set format = raw"
rm root
qemu-img create -q -f qcow2 root 1M
chown ann: root
disk "format = raw"
refused 78 "'$folder/root' is a qcow2 image, but its format is said to be raw" "set format = qcow2"
disk "format = qcow2"

say "encrypted, corrupt, in a circle"
qemu-img create -q -f qcow2 --object secret,id=s,data=abc -o encrypt.format=luks,encrypt.key-secret=s root 1M
refused 78 "'$folder/root' is encrypted" "qemu-img convert"
qemu-img create -q -f qcow2 root 1M
printf '\2' | dd of=root bs=1 seek=79 conv=notrunc status=none
refused 78 "'$folder/root' is marked as corrupt" "qemu-img check -r all '$folder/root'"
qemu-img create -q -f qcow2 circle 1M
qemu-img create -q -u -f qcow2 -b circle -F qcow2 root 1M
qemu-img rebase -u -b root -F qcow2 circle
refused 78 "'$folder/root' is in its own chain a second time" "qemu-img rebase"

say "by a group of the login, and by one that is as good as root"
rm root
qemu-img create -q -f qcow2 root 1M
chown root:disk root
chmod 660 root
refused 78 "user ann cannot write '$folder/root': Permission denied" "u:ann:rw '$folder/root'"
chgrp vmlab root
run_vm lab
ends

say "what is on a network is not looked at, and check says so"
qemu-img create -q -u -f qcow2 -b nbd://127.0.0.1:1/x -F raw root 1M
expect_exit 2 "$HVR" check /tmp/lab.ini
assert_match $'UNKNOWN images: [^\n]*nbd://127.0.0.1:1/x' "$(cat /tmp/stdout)"
