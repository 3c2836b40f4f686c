# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 540
# Every sample of configs/: where its files are missing, check says so and how to go on, and run
# refuses it; with them it is ready and starts, with its card in the VM.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone two

cp -r "$LAB_SOURCE/configs" /tmp/configs
cd /tmp/configs
cards=("$(card two)" "$(card two 2)")
give_host_driver "${cards[@]}"
give_host_driver "$(card alone)"

# What this small machine needs instead, and which card of several
settings_for() # SAMPLE
{
	echo vm.memory=192M vm.cpus=1 vm.accel=tcg security.user=nobody
	case $1 in
	hailo8 | kernel | demo | ubuntu) echo "device.npu.address=${cards[0]}" ;;
	rig | group) echo device.npu.pick=free ;;
	two-cards)
		echo "device.npu0.path=$(path_of "${cards[0]}")" "device.npu1.path=$(path_of "${cards[1]}")"
		echo memory.hugepages=no cpu.pin=0 net.lan.mode=user
		;;
	esac
	[[ $1 != demo ]] || echo "boot.kernel=$GUEST" serial.mode=none
	[[ $1 != hailo8 && $1 != kernel && $1 != ubuntu ]] || echo serial.mode=socket
	[[ $1 != kernel ]] || echo boot.initrd=
}

# The stable path of a function, as list says it
path_of() # ADDRESS
{
	"$HVR" list --json | grep -o "\"address\":\"$1\",\"path\":\"[^\"]*\"" | cut -d'"' -f8
}

set_options() # SAMPLE
{
	local word

	options=()
	for word in $(settings_for "$1"); do
		options+=(--set "$word")
	done
}

say "without their files"
for file in *.ini; do
	# The demo's kernel is built; what Windows misses, QEMU tells: it is in its own words
	[[ $file != demo.ini && $file != windows.ini ]] || continue
	expect_exit 1 "$HVR" check "$file"
	assert_match "FAIL +[a-z-]+: [^"$'\n'"]*$PWD/[^"$'\n'"]*"$'\n'" +fix: " "$(cat /tmp/stdout)" \
		"a file of $file that is missing, and what to do"
	[[ $file != two-cards.ini ]] || sed -i '/^bridge = /d' "$file" # there is none here
	set_options "${file%.ini}"
	expect_exit 78 "$HVR" run "$file" "${options[@]}"
	assert_match "^hailo-vm-run: [^"$'\n'"]*$PWD/" "$(cat /tmp/stderr)" "what run says of $file"
	nothing_left
done

say "with them"
for disk in debian-12-generic-amd64.qcow2 root.qcow2 rig.qcow2 noble-server-cloudimg-amd64.img; do
	qemu-img create -q -f qcow2 "$disk" 16M
	chmod 666 "$disk"
done
truncate -s 1M debian-installer.iso windows.iso virtio-win.iso
install -m 644 "$GUEST" vmlinuz
chmod 777 .
for file in *.ini; do
	name=${file%.ini}
	say "$name"
	set_options "$name"
	expect_exit 0 "$HVR" run --detach "$file" "${options[@]}"
	"$HVR" status --json > /tmp/status
	case $name in
	debian-installer | windows) wanted=0 ;;
	two-cards) wanted=2 ;;
	*) wanted=1 ;;
	esac
	assert_eq "$wanted" "$({ grep -o '"state":"in-vm"' /tmp/status || true; } | wc -l)" "cards in the VM of $file"
	expect_exit 0 "$HVR" stop --force "$(sed -E 's/.*"vms":\[\{"name":"([^"]*)".*/\1/' /tmp/status)"
	nothing_left
done
