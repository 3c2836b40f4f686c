# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# Two of the configurations of tests/data/import, a libvirt domain and a script that starts QEMU, with
# this host's card in them: imported, run with it, unplugged, plugged, ended. And what print says of the
# card in libvirt's words is imported as the same card.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

data=${LAB_LIB%/lab/*}/data/import
card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
mkdir /tmp/imports
cd /tmp/imports
qemu-img create -q -f qcow2 disk.qcow2 16M
qemu-img create -q -f raw disk.raw 16M
chmod 666 disk.qcow2 disk.raw

# What this host has not (its /tmp is a tmpfs, without O_DIRECT), and a guest that boots by itself
small=(--set vm.memory=64M --set vm.accel=tcg --set vm.cpu=auto --set "boot.kernel=$GUEST"
	--set boot.cmdline=guest --set serial.mode=file --set security.user=nobody)

same_card_again() # PROFILE
{
	"$HVR" print --format libvirt "$1" > round.xml
	rm -f round.ini
	expect_exit 0 "$HVR" import --output round.ini round.xml
	"$HVR" print --format libvirt round.ini > again.xml
	assert_eq "$(cat round.xml)" "$(cat again.xml)" "the card of $1, through libvirt's words"
	grep -q "<hostdev" round.xml
}

there_and_back() # VM PROFILE SET...
{
	local serial=/tmp/$1.serial

	"$HVR" run "$2" "${small[@]}" --set "serial.file=$serial" "${@:3}" \
		> "/tmp/$1.out" 2> "/tmp/$1.err" &
	run_pid=$!
	wait_for "$serial" "guest: hailo answers" 60 "/tmp/$1.err"
	wait_for "$serial" "guest: ready" 60
	assert_match "\"host\":\"$card\"" "$(tr '\0' '\n' < "/proc/$(qemu_pid "$1")/cmdline")"
	expect_exit 0 "$HVR" unplug "$1" card0
	assert_eq "$before" "$(snapshot "$card")" "the card, out of $1"
	expect_exit 0 "$HVR" plug "$1" card0
	wait_for "$serial" "guest: plugged .* 1e60:2864" 30
	expect_exit 0 "$HVR" stop "$1"
	run_ends 0 "$1"
	assert_eq "$before" "$(snapshot "$card")" "the card, after $1"
	nothing_left
}

say "a script that starts QEMU"
sed -e "s/host=0000:01:00.0/host=$card/" "$data/script-vfio.txt" > script-vfio.txt
expect_exit 0 "$HVR" import --output script.ini script-vfio.txt
grep -qx "address = $card" script.ini
same_card_again script.ini
there_and_back vision script.ini --set disk.disk0.file=/tmp/imports/disk.qcow2 \
	--set disk.disk0.cache= --set disk.disk0.aio=

say "a libvirt domain"
domain=0x${card%%:*} rest=${card#*:}
sed -e "/<source>/,/<\/source>/s/domain='0x0000' bus='0x02' slot='0x00' function='0x0'/domain='$domain' bus='0x${rest%%:*}' slot='0x${rest:3:2}' function='0x${rest#*.}'/" \
	"$data/libvirt-linux.xml" > domain.xml
expect_exit 0 "$HVR" import --output domain.ini domain.xml
grep -qx "address = $card" domain.ini
same_card_again domain.ini
there_and_back camera-lab domain.ini --set vm.machine=q35 \
	--set disk.vda.file=/tmp/imports/disk.qcow2 --set disk.vdb.file=/tmp/imports/disk.raw \
	--set disk.sda.file=/tmp/imports/disk.raw --set net.net0.mode=user --set net.net0.bridge= \
	--set share.share0.path=/tmp/imports --set share.share0.via=9p --set firmware.mode=bios \
	--set firmware.vars= --set memory.hugepages= --set memory.locked= --set cpu.pin= \
	--set cpu.emulator-pin= --set disk.vda.cache= --set disk.vda.aio=
assert_eq 0 "$(flr_count "$card")" "FLRs"
