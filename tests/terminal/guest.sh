# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The small guest: the lab's kernel, busybox and a power button, without a disk. It is up within
# seconds under TCG.
#
#	WORK/guest/initrd

make_guest() # CACHE HERE FOLDER
{
	local tree=$3/guest/tree file busybox

	prepare_kernel "$1"
	busybox=$(static_busybox)
	mkdir -p "$tree/bin" "$tree/modules" "$tree/etc/acpi/PWRF"
	cp "$busybox" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	install -m 755 "$2/guest-init" "$tree/init"
	printf '#!/bin/sh\nexec /bin/poweroff -f\n' > "$tree/etc/acpi/PWRF/00000080"
	chmod 755 "$tree/etc/acpi/PWRF/00000080"
	# shellcheck disable=SC2034 # for module_files
	INITRAMFS_MODULES="button evdev"
	module_files "$1" | while read -r file; do
		unpack_module "$file" "$tree/modules"
	done > "$tree/modules/order"
	(cd "$tree" && find . | cpio -o -H newc --quiet) > "$3/guest/initrd"
	rm -r "$tree"
	# The VM's user may not come to the cache
	cp "$1/kernel/vmlinux" "$3/guest/vmlinux"
	chmod 644 "$3"/guest/*
}
