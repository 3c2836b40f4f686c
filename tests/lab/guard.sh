# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The guard module of vfio/guard/, built for the lab host's kernel. The headers come as the kernel
# did: fetched, unpacked into the cache, never installed.
#
#	CACHE/headers/root/	the unpacked packages
#	CACHE/headers/version	of the kernel that they are for
#	CACHE/guard-SUM/	the module, built from the sources with that sum
#	CACHE/guard-SUM/modules	what its package would add to the kernel's modules, and the indices of
#				modprobe with it: to be laid over /lib/modules/VERSION

fetch_headers() # FOLDER VERSION
{
	local packages

	packages=$(packages_behind "linux-headers-$2" 'linux-(headers|kbuild)-[0-9][^:]*') ||
		die "apt knows no linux-headers-$2" \
			"hint: apt-get update, or delete the lab's cache to get a newer kernel"
	# shellcheck disable=SC2086 # a list of words
	unpack_packages "$1" $packages
}

# Debian's name each other by where they would be installed. Without the kernel's vmlinux no debugging
# types are made, which takes a tool of its own (pahole).
relocate_headers() # ROOT
{
	local file

	for file in "$1"/usr/src/linux-headers-*/Makefile; do
		sed -i "s|/usr/src/linux-headers|$1&|g" "$file"
	done
	rm -f "$1"/usr/src/linux-headers-*/vmlinux
}

prepare_headers() # CACHE VERSION
{
	local new=$1/headers.new

	[[ -e $1/headers/version && $(< "$1/headers/version") == "$2" ]] && return
	rm -rf "$new" "$1/headers"
	mkdir -p "$new"
	fetch_headers "$new" "$2"
	mv "$new" "$1/headers"
	relocate_headers "$1/headers/root"
	echo "$2" > "$1/headers/version"
}

# Where a kernel is built from: the fetched headers, or those that are installed for it
headers_of() # CACHE VERSION
{
	if command -v apt-get > /dev/null; then
		prepare_headers "$1" "$2" >&2
		echo "$1/headers/root/usr/src/linux-headers-$2"
	else
		[[ -e /lib/modules/$2/build/Makefile ]] || die "there are no headers of Linux $2"
		echo "/lib/modules/$2/build"
	fi
}

# CC: the one that the kernel was built with may not be here, and another will do
build_guard() # FOLDER SOURCE-FOLDER HEADERS
{
	mkdir "$1"
	cp "$2/hailo-vm-run-guard.c" "$2/Makefile" "$1/"
	make -s -C "$1" KDIR="$3" CC=gcc > "$1/log" 2>&1 || {
		cat "$1/log" >&2
		die "the guard module does not build"
	}
	! grep -i 'warning:.*hailo-vm-run-guard' "$1/log" >&2 ||
		die "the guard module does not build without warnings"
}

# The indices are made of all modules, as links, for as long as it takes
index_guard() # FOLDER CACHE VERSION
{
	local tree=$1/tree/lib/modules/$3

	mkdir -p "${tree%/*}"
	cp -al "$2/kernel/root/lib/modules/$3" "$tree"
	find "$tree" -maxdepth 1 -name 'modules.*' ! -name modules.order ! -name modules.builtin \
		! -name modules.builtin.modinfo -delete
	install -D -m 644 "$1/hailo-vm-run-guard.ko" "$tree/updates/dkms/hailo-vm-run-guard.ko"
	link_lib_folders "$1/tree"
	depmod -b "$1/tree" "$3"
	rm -r "$tree/kernel"
	mv "$tree" "$1/modules"
	rm -r "$1/tree"
}

# Prints the path of the module for the cached kernel and the present sources. It is there only once
# it is good.
prepare_guard() # CACHE SOURCE-FOLDER
{
	local version sum folder headers
	version=$(< "$1/kernel/version")
	sum=$(cat "$2/hailo-vm-run-guard.c" "$2/Makefile" "$1/kernel/version" | cksum | tr ' ' -)
	folder=$1/guard-$sum

	[[ -e $folder/modules ]] || {
		headers=$(headers_of "$1" "$version")
		rm -rf "$1"/guard-*
		build_guard "$1/guard-new" "$2" "$headers"
		index_guard "$1/guard-new" "$1" "$version"
		mv "$1/guard-new" "$folder"
	}
	echo "$folder/hailo-vm-run-guard.ko"
}
