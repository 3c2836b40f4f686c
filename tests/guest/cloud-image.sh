# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A cloud image, as like to the one that `new debian` names as can be made without fetching it: Debian's
# own packages (kernel, systemd, cloud-init, netplan, sshd; no agent), as debootstrap installs them, in
# the first partition of a GPT disk that GRUB boots from a BIOS, cleaned so that the first boot makes
# what is a machine's own. The real one has an EFI system partition and more packages. Made once, into
# the lab's cache:
#
#	CACHE/cloud/debian-13-generic-amd64.qcow2
#	CACHE/cloud/key		what it was made from

CLOUD_IMAGE=debian-13-generic-amd64.qcow2
CLOUD_SUITE=trixie
# debootstrap does not see what provides a package: python3-cffi-backend is for cloud-init
CLOUD_PACKAGES="systemd-sysv systemd-resolved libpam-systemd dbus udev kmod netbase iproute2 netplan.io
	cloud-init cloud-guest-utils python3-cffi-backend openssh-server sudo locales ca-certificates
	linux-image-amd64 initramfs-tools zstd grub-pc-bin grub-common e2fsprogs fdisk dosfstools"

# Sectors: GRUB's own partition, as Debian's 14th, and the root behind it
CLOUD_GRUB_AT=2048
CLOUD_ROOT_AT=8192
CLOUD_MIB=1536

cloud_key() # HERE
{
	cksum < "$1/cloud-image.sh" | tr ' ' -
}

# What no two machines may have in common, and what the packages' installation has left
clean_cloud_root() # ROOT
{
	rm -rf "$1"/etc/ssh/ssh_host_* "$1"/var/lib/dbus/machine-id "$1"/var/lib/apt/lists/* \
		"$1"/var/cache/apt/* "$1"/var/log/{apt,bootstrap.log,dpkg.log,alternatives.log} \
		"$1"/usr/share/{doc,locale,man,info}
	: > "$1/etc/machine-id"
	: > "$1/etc/hostname"
}

# GRUB's menu is the serial port's, too, and so is the kernel's console
configure_cloud_root() # ROOT PARTUUID
{
	local kernel

	kernel=$(basename "$1"/boot/vmlinuz-*)
	echo "PARTUUID=$2 / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1" > "$1/etc/fstab"
	mkdir -p "$1/boot/grub"
	cp -r "$1/usr/lib/grub/i386-pc" "$1/boot/grub/"
	cat > "$1/boot/grub/grub.cfg" <<-END
		serial --unit=0 --speed=115200
		terminal_input console serial
		terminal_output console serial
		set timeout=0
		menuentry Debian {
		linux /boot/$kernel root=PARTUUID=$2 ro console=tty0 console=ttyS0,115200
		initrd /boot/initrd.img-${kernel#vmlinuz-}
		}
	END
	in_tree "$1" grub-mkimage -O i386-pc -o /boot/grub/i386-pc/core.img \
		-p '(hd0,gpt1)/boot/grub' biosdisk part_gpt ext2
}

# The bytes of a number, eight of them, as the PC has them
le64() # NUMBER
{
	local i

	for i in {0..7}; do
		printf '%b' "\\x$(printf %02x $(($1 >> (8 * i) & 255)))"
	done
}

write_at() # FILE OFFSET: standard input
{
	dd of="$1" bs=512 seek="$2" oflag=seek_bytes conv=notrunc status=none
}

# As grub-bios-setup does, which wants a block device: the boot sector is told where GRUB's partition
# begins (boot.S, kernel_sector), and that one's first sector where its next is (diskboot.S, blocklist)
install_grub() # IMAGE FOLDER
{
	head -c 440 "$2/boot.img" | write_at "$1" 0
	le64 $CLOUD_GRUB_AT | write_at "$1" $((0x5c))
	write_at "$1" $((CLOUD_GRUB_AT * 512)) < "$2/core.img"
	le64 $((CLOUD_GRUB_AT + 1)) | write_at "$1" $((CLOUD_GRUB_AT * 512 + 0x1f4))
}

make_cloud_disk() # ROOT IMAGE PARTUUID
{
	local last=$((CLOUD_MIB * 2048 - 2048))

	truncate -s "${CLOUD_MIB}M" "$2"
	quietly sfdisk "$2" <<-END
		label: gpt
		${2}14 : start=$CLOUD_GRUB_AT, size=$((CLOUD_ROOT_AT - CLOUD_GRUB_AT)), type=21686148-6449-6E6F-744E-656564454649
		${2}1 : start=$CLOUD_ROOT_AT, size=$((last - CLOUD_ROOT_AT)), uuid=$3, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
	END
	install_grub "$2" "$1/boot/grub/i386-pc"
	mke2fs -q -t ext4 -d "$1" -E offset=$((CLOUD_ROOT_AT * 512)) "$2" $(((last - CLOUD_ROOT_AT) / 2))k
}

prepare_cloud() # CACHE HERE
{
	local key new=$1/cloud.new uuid

	key=$(cloud_key "$2")
	[[ $(cat "$1/cloud/key" 2> /dev/null) == "$key" ]] && return
	rm -rf "$new" "$1/cloud"
	mkdir -p "$new"
	say "making the cloud image: debootstrap $CLOUD_SUITE"
	make_debian "$new/root" "$CLOUD_SUITE" "$CLOUD_PACKAGES" || die "debootstrap failed"
	uuid=$(< /proc/sys/kernel/random/uuid)
	clean_cloud_root "$new/root"
	configure_cloud_root "$new/root" "$uuid"
	make_cloud_disk "$new/root" "$new/disk" "$uuid"
	qemu-img convert -f raw -O qcow2 "$new/disk" "$new/$CLOUD_IMAGE"
	rm -r "$new/root" "$new/disk"
	echo "$key" > "$new/key"
	mv "$new" "$1/cloud"
}
