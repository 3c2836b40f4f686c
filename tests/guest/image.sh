# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The guest: a Debian root made with debootstrap, with the real qemu-guest-agent and the real
# cloud-init (which runs when it is called), on an ext4 disk, under the kernel of the lab host. It has
# systemd, too, which most tests do without. Made once, into the lab's cache:
#
#	CACHE/guest/root.img	the disk; used with snapshot = yes only
#	CACHE/guest/initrd	busybox and the modules that reach the disk
#	CACHE/guest/key		what it was made from: another key makes it anew

# debootstrap does not see what provides a package: python3-cffi-backend is for cloud-init
GUEST_PACKAGES="qemu-guest-agent procps iproute2 systemd-sysv udev dbus cloud-init python3-cffi-backend"
GUEST_MODULES="virtio_pci virtio_blk ext4 virtio_console virtio_net button evdev 9p 9pnet_virtio vfat
	nls_cp437 nls_ascii"
GUEST_SUITE=bookworm

guest_key() # FOLDER-OF-INIT CACHE
{
	cat "$1/init" "$1/initrd-init" "$1/image.sh" "$2/kernel/version" | cksum | tr ' ' -
}

make_guest_root() # ROOT
{
	make_debian "$1" "$GUEST_SUITE" "$GUEST_PACKAGES" || die "debootstrap failed"
	rm -rf "$1"/usr/share/{doc,locale,man,info} "$1"/var/lib/apt/lists/* \
		"$1"/var/cache/apt/* "$1"/usr/share/zoneinfo
}

make_guest_disk() # ROOT IMAGE HERE
{
	local busybox

	busybox=$(static_busybox)
	cp "$busybox" "$1/usr/local/bin/busybox"
	install -m 755 "$3/init" "$1/sbin/hvr-init"
	mkdir -p "$1/etc/acpi/PWRF"
	printf '#!/bin/sh\nexec /usr/local/bin/busybox poweroff -f\n' > "$1/etc/acpi/PWRF/00000080"
	chmod 755 "$1/etc/acpi/PWRF/00000080"
	truncate -s 768M "$2"
	mke2fs -q -t ext4 -d "$1" "$2"
}

make_guest_initrd() # CACHE IMAGE HERE
{
	local tree=$2.tree file busybox

	# shellcheck disable=SC2034 # for module_files
	INITRAMFS_MODULES=$GUEST_MODULES
	busybox=$(static_busybox)
	rm -rf "$tree"
	mkdir -p "$tree/bin" "$tree/modules"
	cp "$busybox" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	install -m 755 "$3/initrd-init" "$tree/init"
	module_files "$1" | while read -r file; do
		unpack_module "$file" "$tree/modules"
	done > "$tree/modules/order"
	(cd "$tree" && find . | cpio -o -H newc --quiet) > "$2"
	rm -r "$tree"
}

prepare_guest() # CACHE HERE
{
	local key new=$1/guest.new

	key=$(guest_key "$2" "$1")
	[[ $(cat "$1/guest/key" 2> /dev/null) == "$key" ]] && return
	rm -rf "$new" "$1/guest"
	mkdir -p "$new"
	say "making the guest: debootstrap $GUEST_SUITE"
	make_guest_root "$new/root"
	make_guest_disk "$new/root" "$new/root.img" "$2"
	make_guest_initrd "$1" "$new/initrd" "$2"
	rm -r "$new/root"
	echo "$key" > "$new/key"
	mv "$new" "$1/guest"
}
