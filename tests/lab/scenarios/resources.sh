# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 500
# What a VM needs of the host beside its card is looked at, or taken, before the card: a start that
# fails for it costs the card neither its driver nor a reset, and with the hint done it starts.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
clear_counts "$card"
profile lab <<-END
	[device npu]
	address = $card
END
[[ -e /sys/class/net/lo && $(cat /sys/class/net/lo/flags) != 0x8 ]] || ip link set lo up

untouched() # WHAT
{
	assert_eq 0 "$(flr_count "$card")" "function resets of the card, after: $1"
	assert_eq 0 "$(reset_count "$card")" "bus resets of the card, after: $1"
	assert_eq "$before" "$(snapshot "$card")" "the card, after: $1"
	nothing_left
}

refused() # STATUS REGEX OPTION...
{
	expect_exit "$1" "$HVR" run /tmp/lab.ini "${@:3}"
	assert_match "$2" "$(cat /tmp/stderr)" "the message of: ${*:3}"
	assert_eq 1 "$(grep -c '^hint: ' /tmp/stderr)" "hints of: ${*:3}"
	# what check and --dry-run say is the same
	expect_exit "$1" "$HVR" run --dry-run /tmp/lab.ini "${@:3}"
	assert_match "$2" "$(cat /tmp/stderr)" "the message of --dry-run ${*:3}"
	untouched "${*:3}"
}

# With the hint done
starts() # OPTION...
{
	run_vm lab "$@"
	expect_exit 0 "$HVR" stop --force lab
	run_ends 0 lab
	(($(reset_count "$card") + $(flr_count "$card") > 0)) || fail "no reset is counted at all"
	assert_eq "$before" "$(snapshot "$card")" "the card, after the VM"
	nothing_left
	clear_counts "$card"
}

# Holds a port until $holder is killed
hold() # ADDRESS OF SOCAT
{
	rm -f /tmp/socat
	socat -d -d -lf /tmp/socat "$1" /dev/null &
	holder=$!
	wait_for /tmp/socat "listening on" 30 > /dev/null
}

release_port()
{
	kill "$holder"
	wait "$holder" || true
}

say "a port that somebody has"
forward=(--set net.lan.mode=user --set net.lan.forward=tcp::20222-22)
hold TCP-LISTEN:20222,bind=127.0.0.1,reuseaddr
refused 75 "\\[net lan\\] forward: tcp port 20222 of 127.0.0.1 is in use by socat \\(pid $holder\\)" \
	"${forward[@]}"
release_port
hold UDP-LISTEN:20222,bind=127.0.0.1
refused 75 "udp port 20222 of 0.0.0.0 is in use by socat" \
	--set net.lan.mode=user --set net.lan.forward=udp:0.0.0.0:20222-53
release_port
starts "${forward[@]}"

say "a port that the VM's user may not listen on"
low=(--set net.lan.mode=user --set net.lan.forward=tcp::81-80)
refused 77 "user nobody may not listen on tcp port 81 of 127.0.0.1" "${low[@]}"
hint=$(sed -n 's/^hint: .*sysctl \(.*\)=\([0-9]*\)$/\1 \2/p' /tmp/stderr)
start=$(< /proc/sys/net/ipv4/ip_unprivileged_port_start)
echo "${hint#* }" > "/proc/sys/$(tr . / <<< "${hint% *}")"
expect_exit 0 "$HVR" run --dry-run /tmp/lab.ini "${low[@]}"
echo "$start" > /proc/sys/net/ipv4/ip_unprivileged_port_start
refused 69 "192.0.2.7 is no address of this host" \
	--set net.lan.mode=user --set net.lan.forward=tcp:192.0.2.7:20222-22

say "the screen's port, of another VM"
screen=(--set graphics.mode=vnc --set graphics.port=5955)
profile other < /dev/null
run_vm other "${screen[@]}"
other_pid=$run_pid
expect_exit 75 "$HVR" run /tmp/lab.ini "${screen[@]}"
assert_match "\\[graphics\\] port: tcp port 5955 of 127.0.0.1 is in use by VM 'other'" \
	"$(cat /tmp/stderr)"
assert_eq 0 "$(reset_count "$card")" "bus resets of the card"
assert_eq "$before" "$(snapshot "$card")" "the card"
exec {viewer}<> /dev/tcp/127.0.0.1/5955
read -r -N 11 -t 60 greeting <&"$viewer"
exec {viewer}>&-
assert_eq "RFB 003.008" "$greeting" "what a viewer hears at the port"
expect_exit 0 "$HVR" stop --force other
run_pid=$other_pid run_ends 0 other
untouched "the other VM"

say "huge pages"
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
huge=(--set memory.hugepages=2M)
refused 69 "the VM needs 32 pages of 2 MiB, and 0 are free" "${huge[@]}"
command=$(sed -n 's/^hint: //p' /tmp/stderr)
assert_eq "echo 32 > $pages" "$command" "the hint"
eval "$command"
starts "${huge[@]}"
echo 0 > "$pages"

say "more devices than slots"
{
	cat /tmp/lab.ini
	printf '[share s%d]\npath = /tmp\nvia = 9p\n' 1 2 3 4 5 6 7
	printf '[net n%d]\nmode = user\n' 1 2 3 4 5 6 7 8
	printf '[disk d%d]\nfile = /tmp/image.raw\nformat = raw\nreadonly = yes\n' {1..14}
} > /tmp/many.ini
cp /tmp/lab.ini /tmp/one.ini
truncate -s 1M /tmp/image.raw
chmod 644 /tmp/image.raw
cp /tmp/many.ini /tmp/lab.ini
refused 78 "q35 has 29 slots beside those of cards, and the VM needs 30" --set vm.cpus=1
sed -i '/^\[share s7\]/,+2d' /tmp/lab.ini
starts
cp /tmp/one.ini /tmp/lab.ini

say "no room for what gives cards back"
trap 'umount -q "$RUNTIME"' EXIT
mount -t tmpfs -o size=256k,mode=0700 none "$RUNTIME"
fallocate -l 200k "$RUNTIME/ballast"
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "the runtime folder $RUNTIME has [0-9]+ KiB left, and the VM needs" \
	"$(cat /tmp/stderr)"
assert_eq 0 "$(reset_count "$card")" "bus resets of the card, without room"
assert_eq "$before" "$(snapshot "$card")" "the card, without room"
rm "$RUNTIME/ballast"
starts
umount "$RUNTIME"
trap - EXIT

say "a start that fails leaves no new image"
expect_exit 69 "$HVR" run /tmp/lab.ini --set "qemu.args=-device nonsense" \
	--set disk.new.file=/var/tmp/new.qcow2 --set disk.new.size=1G
[[ ! -e /var/tmp/new.qcow2 ]] || fail "the image is there"
