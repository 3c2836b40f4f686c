# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck shell=sh disable=SC2154 # what stands in front of it
# For the shell of a guest that was saved and goes on, maybe as one of several. In front of it stand
#
#	now	the time, in seconds since 1970, with a fraction
#	seed	random bytes, in hexadecimal
#	name	the VM's name, where the guest takes it for its host name; empty: it keeps what it has
#	id	a machine-id; empty: it keeps what it has
#	nets	the MAC addresses that are others now: OLD NEW, and so on
#
# What it cannot do it says, and goes on; the last line is what a person is shown. Status 3: an address
# is still the old one.

problem=
status=1

# The agent's own guest-set-time also writes it to the hardware clock, for which that waits for a
# second to be full; and the machine's has the host's time already.
date -s "@$now" > /dev/null 2>&1 || date -s "@${now%.*}" > /dev/null 2>&1 ||
	problem="its clock is not set"

# Linux from 5.18 on has learned of it already, by the device vmgenid. An older one looks at what is
# written here some minutes later, unless it is told to (RNDRESEEDCRNG), for which a shell has no word.
echo "$seed" > /dev/urandom || problem="its random numbers are not renewed"
if ! [ -d /sys/bus/acpi/drivers/vmgenid ] && command -v perl > /dev/null; then
	perl -e 'open(my $f, ">", "/dev/urandom") && ioctl($f, 0x5207, 0)' > /dev/null 2>&1
fi

systemd()
{
	[ -d /run/systemd/system ] && command -v systemctl > /dev/null
}

set_name()
{
	old=$(uname -n)
	if [ -e /etc/hostname ]; then
		echo "$name" > /etc/hostname
	fi
	if [ -e /etc/hosts ]; then
		sed -i "s/\([[:space:]]\)$old\([[:space:]]\|\$\)/\1$name\2/g" /etc/hosts
	fi
	if systemd && command -v hostnamectl > /dev/null; then
		hostnamectl set-hostname "$name"
	else
		echo "$name" > /proc/sys/kernel/hostname
	fi
	[ "$(uname -n)" = "$name" ] || problem="its host name is still $(uname -n)"
}

set_id()
{
	echo "$id" > /etc/machine-id || problem="its machine-id is the old one"
	if [ -f /var/lib/dbus/machine-id ] && ! [ -L /var/lib/dbus/machine-id ]; then
		echo "$id" > /var/lib/dbus/machine-id
	fi
}

# While it is up where the driver can, as virtio's does
set_address() # LINK MAC
{
	ip link set dev "$1" address "$2" 2> /dev/null && return
	ip link set dev "$1" down && ip link set dev "$1" address "$2" && ip link set dev "$1" up
}

# Also in what was written for the old address when the guest was installed
set_net() # OLD NEW
{
	for address in /sys/class/net/*/address; do
		[ "$(cat "$address" 2> /dev/null)" = "$1" ] || continue
		link=${address%/address}
		set_address "${link##*/}" "$2" && continue
		problem="${link##*/} still has the address $1"
		status=3
	done
	grep -rlis "$1" /etc/netplan /etc/systemd/network /run/systemd/network /etc/network \
		/etc/NetworkManager/system-connections /etc/udev/rules.d |
		while read -r file; do
			sed -i "s/$1/$2/Ig" "$file"
		done
}

# Leases are of a machine-id or a MAC. The journal is kept by machine-id.
ask_anew()
{
	if systemd; then
		systemctl try-restart systemd-journald systemd-networkd NetworkManager dhcpcd \
			> /dev/null 2>&1
	fi
	if command -v ifquery > /dev/null; then
		for link in $(ifquery --state 2> /dev/null | sed 's/=.*//'); do
			[ "$link" != lo ] || continue
			ifdown --force "$link" > /dev/null 2>&1
			ifup "$link" > /dev/null 2>&1
		done
	fi
	for client in $(pidof udhcpc); do
		kill -USR2 "$client"
		kill -USR1 "$client"
	done
}

[ -z "$name" ] || set_name
[ -z "$id" ] || set_id
# shellcheck disable=SC2086 # two words each
set -- $nets
while [ $# -gt 1 ]; do
	set_net "$1" "$2"
	shift 2
done
[ -z "$id$nets" ] || ask_anew
[ -z "$problem" ] || { echo "$problem" >&2; exit "$status"; }
exit 0
