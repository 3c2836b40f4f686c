# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# Escape sequences in what a guest, QEMU, other users and trees say reach no terminal.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"
needs alone

card=$(card alone)
EVIL=$'\e]0;evil\a\302\2332J\233\r'

# The command's output is harmless, and has the word evil: else nothing was shown
shows() # WHAT COMMAND...
{
	timeout 60 "${@:2}" > /tmp/said 2>&1 || true
	grep -qa evil /tmp/said || fail "$1: nothing of it is shown" "$(cat -v /tmp/said)"
	is_harmless "$1" /tmp/said
}

say "escape-in-qemu-words, and in desc of QMP and of the agent"
standin qemu <<-END
	exec $INTRUDER qemu evil "\$@"
END
cat > /tmp/lab.ini <<-END
	[vm]
	name = lab
	memory = 64M
	accel = tcg
	[security]
	user = mallory
	[guest]
	agent = yes
	[qemu]
	binary = /tmp/theirs/qemu
END
"$HVR" run /tmp/lab.ini > /tmp/lab.out 2> /tmp/lab.err &
run_pid=$!
wait_for /tmp/lab.err "is running" 60 > /tmp/answer
grep -qa "evil" /tmp/lab.err || fail "QEMU has said nothing"
is_harmless "QEMU's stderr" /tmp/lab.err
shows "desc of QMP" "$HVR" qmp lab query-kvm
shows "what QMP returns" "$HVR" qmp lab query-name
shows "desc of the agent" "$HVR" exec lab -- true
shows "what a guest's programs say, to verify" "$HVR" verify lab
shows "the same as JSON" "$HVR" verify --json lab
"$HVR" reboot --hard lab > /tmp/said 2>&1 || true
is_harmless "desc of QMP, to a reboot" /tmp/said
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
is_harmless "all that run has said" /tmp/lab.out /tmp/lab.err
nothing_left

say "escape-in-message: a QEMU that gives its last words"
standin qemu <<-'END'
	printf 'qemu: \033]0;evil\a\302\2332J\233 evil\n' >&2
	exit 1
END
shows "QEMU's last words" "$HVR" run /tmp/lab.ini
"$HVR" test -n /tmp/lab.ini --junit /tmp/junit -- true > /tmp/said 2>&1 || true
is_harmless "JUnit's XML" /tmp/junit

say "escape-in-process-name: who has the card"
give_host_driver "$card"
node=$(host_node "$card")
chmod 666 "$node"
# shellcheck disable=SC2016 # for that shell
as "$MALLORY" bash -c 'exec 9<> "$1"; printf "%s" "$2" > /proc/self/comm; echo up > /tmp/theirs/up
	read -r <> <(:)' bash "$node" $'\e[2Jevil\302\233' &
holder=$!
wait_for /tmp/theirs/up up 20 > /tmp/answer
profile card <<-END
	[device npu]
	address = $card
END
shows "in use by, to run" "$HVR" run /tmp/card.ini
shows "in use by, to list" "$HVR" list
shows "in use by, as JSON" "$HVR" list --json
shows "in use by, to check" "$HVR" check /tmp/card.ini
kill "$holder"

say "escape-in-driver-text: a captured tree"
tree=/tmp/tree/sys/bus/pci
device=/tmp/tree/sys/devices/pci0000:00/0000:00:01.0
mkdir -p "$device" "$tree/devices" "$tree/drivers/$EVIL" /tmp/tree/proc /tmp/tree/dev
ln -s ../../../devices/pci0000:00/0000:00:01.0 "$tree/devices/0000:00:01.0"
ln -s "../../../bus/pci/drivers/$EVIL" "$device/driver"
for pair in vendor=0x1e60 device=0x2864 class=0x0b4000 subsystem_vendor=0x1e60 revision=0x01 \
	subsystem_device=0x2864 "reset_method=flr $EVIL" "driver_override=$EVIL" numa_node=-1 \
	irq=0 resource=; do
	echo "${pair#*=}" > "$device/${pair%%=*}"
done
head -c 64 /dev/zero > "$device/config"
for words in "list --all" "list --json --all" "list --tree --all" "check"; do
	# shellcheck disable=SC2086 # words
	timeout 60 "$HVR" --root /tmp/tree $words > /tmp/said 2>&1 || true
	is_harmless "$words, of a captured tree" /tmp/said
done
grep -qa evil /tmp/said || shows "list of a captured tree" "$HVR" --root /tmp/tree list --all

say "escape-in-target-file, and in what its setup.ini would have run"
target=/tmp/target
mkdir -p $target/etc/kernel $target/boot/loader $target/usr/bin $target/usr/lib/modules \
	$target/var/lib/hailo-vm-run
: > $target/boot/loader/loader.conf
install -m 755 /bin/true $target/usr/bin/kernel-install
printf 'root=UUID=1 %s' "$EVIL" > $target/etc/kernel/cmdline
setup_target() # OPTION...
{
	timeout 60 "$HVR" setup --target $target --templates "$LAB_SOURCE/configs/setup" --cpu intel \
		"$@" > /tmp/said 2>&1 || true
	grep -qa evil /tmp/said || fail "setup $*: nothing of it is shown" "$(cat -v /tmp/said)"
	is_harmless "setup $*" /tmp/said
	! grep -qa '^run evil' /tmp/said || hole "setup $*: a line is forged"
}
setup_target --dry-run kernel-args
printf '[setup]\nparts=63\n[action x]\npart=permissions\nargv=true;\nundo=x \e[2Jevil\302\233\\nrun evil;\n' \
	> $target/var/lib/hailo-vm-run/setup.ini
setup_target --dry-run --undo
no_holes
