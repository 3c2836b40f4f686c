# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 600
# A block device that the host has mounted, swaps on, or has made something of is no VM's disk: nor is
# one whose partition that is so of, nor a partition whose disk that is so of. It is refused before the
# card moves, with who has it; one that nobody has starts, and its owner stays as it was.
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

modprobe loop max_part=8
modprobe dm_mod
modprobe ext4
useradd --system --no-create-home ann
SUDO_UID=$(id -u ann)
export SUDO_UID
mkdir -p /tmp/blocks/mnt
cd /tmp/blocks || exit 1
truncate -s 64M disk.img
printf ',32M,L\n,,S\n' | sfdisk -q disk.img
whole=$(losetup -f --show -P disk.img)
chown ann "$whole" "$whole"p1 "$whole"p2
owner=$(stat -c %U:%G:%a "$whole" "$whole"p1)
mkfs.ext4 -q -O ^has_journal "$whole"p1

disk() # DEVICE [LINE...]
{
	profile lab <<-END
		[device npu]
		address = $card
		[disk root]
		file = $1
		format = raw
		$(printf '%s\n' "${@:2}")
	END
}

refused() # REGEX DEVICE [LINE...]
{
	disk "${@:2}"
	expect_exit 75 "$HVR" run /tmp/lab.ini
	assert_match "\[disk root\] file: '$2' is in use: $1" "$(cat /tmp/stderr)" "what run says"
	expect_exit 1 "$HVR" check /tmp/lab.ini
	assert_match "$1" "$(cat /tmp/stdout /tmp/stderr)" "what check says"
	assert_eq "$before" "$(snapshot "$card")" "the card, after: $1"
	assert_eq "$counts" "$(card_state "$card")" "the card's own counts, after: $1"
	nothing_left
}

starts() # DEVICE [LINE...]
{
	disk "$@"
	run_vm lab
	"$HVR" stop --force lab 2> /dev/null
	wait "$run_pid" || true
	nothing_left
	clear_counts "$card"
	counts=$(card_state "$card")
	assert_eq "$owner" "$(stat -c %U:%G:%a "$whole" "$whole"p1)" "the nodes' owners"
}

say "nobody has it"
starts "$whole"
starts "$whole"p1

say "somebody looks at it, as another start of ours does"
perl -e 'use Fcntl; while (1) { sysopen(F, $ARGV[0], O_RDONLY|O_EXCL); select(undef, undef, undef, 0.003);
	close(F); select(undef, undef, undef, 0.006) }' "$whole" &
looker=$!
disk "$whole"p1 "readonly = yes"
for _ in {1..15}; do
	expect_exit 0 "$HVR" check /tmp/lab.ini
done
kill "$looker"
wait "$looker" || true

say "mounted"
mount "$whole"p1 mnt
refused "'${whole}p1' is mounted on '/tmp/blocks/mnt'" "$whole"p1
refused "'${whole}p1' is mounted on '/tmp/blocks/mnt'" "$whole"
refused "'${whole}p1' is mounted on '/tmp/blocks/mnt'" "$whole" "readonly = yes"
starts "$whole"p2
mount -o remount,ro mnt
refused "'${whole}p1' is mounted on" "$whole"p1
starts "$whole" "snapshot = yes"
umount mnt

say "part of another device"
dmsetup create lab --table "0 65536 linear ${whole}p1 0"
refused "'${whole}p1' is part of device-mapper's lab .dm-[0-9]*." "$whole"p1
refused "'${whole}p1' is part of device-mapper's lab" "$whole" "snapshot = yes"
dmsetup remove lab

say "the whole disk of a partition"
dmsetup create lab --table "0 65536 linear $whole 0"
refused "'$whole' is part of device-mapper's lab" "$whole"p2
dmsetup remove lab

say "it is root's"
chown root "$whole"p2
chmod 600 "$whole"p2
disk "$whole"p2
expect_exit 78 "$HVR" run /tmp/lab.ini
assert_match "KERNEL==\"${whole#/dev/}p2\", OWNER=\"ann\"" "$(cat /tmp/stderr)"

losetup -d "$whole"
userdel ann
