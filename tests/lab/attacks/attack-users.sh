# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# What one user of this host has of another's VM, tap, bridge and screen.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"

# As the package makes it; other scenarios have none
forget_user()
{
	sed -i '/^hailo-vm:/d' /etc/passwd
	rm -f /etc/qemu/bridge.conf
}

forget_user
trap forget_user EXIT

# In QEMU's place: notes which interfaces it was given, then goes on for as long as it is let
standin qemu <<-END
	cat /proc/self/fdinfo/* 2> /dev/null | sed -n 's/^iff:[[:space:]]*//p' > /tmp/theirs/interfaces
	exec $INTRUDER qemu good "\$@"
END

write_profile() # BINARY, more lines from standard input
{
	cat > /tmp/theirs/lab.ini <<-END
		[vm]
		name = lab
		memory = 64M
		accel = tcg
		[qemu]
		binary = $1
	END
	cat >> /tmp/theirs/lab.ini
	echo none > /tmp/theirs/interfaces
	chmod 666 /tmp/theirs/interfaces
}

stop_lab()
{
	expect_exit 0 "$HVR" stop --force lab
	nothing_left
}

say "nobody-is-shared: said where there is no user of our own, and not taken where there is"
write_profile /tmp/theirs/qemu < /dev/null
expect_exit 0 "$HVR" run --detach /tmp/theirs/lab.ini
grep -q "warning: .*nobody" /tmp/stderr || hole "root is not warned of nobody"
stop_lab
echo "hailo-vm:x:4713:4713::/:/usr/sbin/nologin" >> /etc/passwd
expect_exit 0 "$HVR" run --detach /tmp/theirs/lab.ini
! as 65534 kill -0 "$(qemu_pid lab)" 2> /dev/null || hole "another program of nobody has QEMU"
stop_lab

say "tap-of-another-user"
modprobe tun
ip tuntap add dev trudys mode tap user "$TRUDY"
ip tuntap add dev mallorys mode tap user "$MALLORY"
for tap in trudys mallorys; do
	write_profile /tmp/theirs/qemu <<-END
		[net lan]
		mode = tap
		tap = $tap
	END
	by_sudo run --detach /tmp/theirs/lab.ini > /tmp/stdout 2> /tmp/stderr || true
	seen=$(< /tmp/theirs/interfaces)
	[[ $tap != mallorys ]] || assert_eq mallorys "$seen" "mallory's own tap"
	[[ $seen != trudys ]] || hole "mallory's QEMU has trudy's tap"
	"$HVR" stop --force lab > /tmp/stdout 2>&1 || true
	ip link del "$tap"
done
nothing_left

say "bridge-not-allowed"
modprobe bridge
ip link add br0 type bridge
write_profile /tmp/theirs/qemu <<-END
	[net lan]
	mode = bridge
	bridge = br0
END
by_sudo run --detach /tmp/theirs/lab.ini > /tmp/stdout 2> /tmp/stderr || true
[[ $(< /tmp/theirs/interfaces) == none ]] || hole "mallory's QEMU is on a bridge that is not for users"
"$HVR" stop --force lab > /tmp/stdout 2>&1 || true
mkdir -p /etc/qemu
echo "allow br0" > /etc/qemu/bridge.conf
expect_exit 0 by_sudo run --detach /tmp/theirs/lab.ini
assert_match hvr "$(< /tmp/theirs/interfaces)" "a bridge that is allowed"
stop_lab
ip link del br0

say "ssh-options-of-the-caller: by sudo it is not root's ssh"
write_profile /tmp/theirs/qemu <<-'END'
	[net lan]
	mode = user
	forward = tcp:127.0.0.1:2222-22
END
expect_exit 0 "$HVR" run --detach /tmp/theirs/lab.ini
printf '#!/bin/sh\nid -u\n' > /usr/local/bin/ssh
chmod +x /usr/local/bin/ssh
expect_exit 0 by_sudo ssh lab -- -oProxyCommand=evil
[[ $(< /tmp/stdout) == "$MALLORY" ]] || hole "mallory's ssh is user $(< /tmp/stdout)"
rm /usr/local/bin/ssh
stop_lab

say "screen-of-another-user: trudy sees nothing of it, root does"
write_profile qemu-system-x86_64 <<< $'[graphics]\nmode = vnc'
expect_exit 0 "$HVR" run --detach /tmp/theirs/lab.ini
screen=$RUNTIME/vms/lab/vnc.sock
for place in TCP:127.0.0.1:5900 "UNIX-CONNECT:$screen"; do
	seen=$(timeout 5 setpriv --reuid="$TRUDY" --regid="$TRUDY" --clear-groups \
		socat -u "$place" - 2> /dev/null | head -c 3 | tr -d '\0') || true
	[[ ! $seen ]] || hole "trudy sees root's screen at $place"
done
if [[ -e $screen ]]; then
	assert_eq "0 600" "$(stat -c '%u %a' "$screen")" "the socket of the screen"
	seen=$(timeout 5 socat -u "UNIX-CONNECT:$screen" - | head -c 3) || true
	assert_eq RFB "$seen" "what root sees"
else
	hole "the screen is at no socket"
fi
stop_lab
no_holes
