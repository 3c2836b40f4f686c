# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The guard module of vfio/guard/, built for the lab host's kernel. The headers come as the kernel
# did: fetched, unpacked into the cache, never installed.
#
#	CACHE/headers/root/	the unpacked packages
#	CACHE/headers/version	of the kernel that they are for
#	CACHE/guard-SUM/	the module, built from the sources with that sum

# What is found by apt-cache without being installed
header_packages() # VERSION
{
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "linux-headers-$1" 2> /dev/null |
		grep -Ex 'linux-(headers|kbuild)-[0-9][^:]*' | sort -u
}

fetch_headers() # FOLDER VERSION
{
	local package packages

	packages=$(header_packages "$2") || die "apt knows no linux-headers-$2" \
		"hint: apt-get update, or delete the lab's cache to get a newer kernel"
	mkdir -p "$1/deb"
	for package in $packages; do
		say "fetching $package"
		(cd "$1/deb" && apt-get -q download "$package") > "$1/log" 2>&1 || {
			cat "$1/log" >&2
			die "cannot fetch $package"
		}
	done
	for package in "$1"/deb/*.deb; do
		dpkg -x "$package" "$1/root"
	done
	rm -r "$1/deb" "$1/log"
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

# Prints the path of the module for the cached kernel and the present sources. CC: the one that the
# kernel was built with may not be here, and another will do.
prepare_guard() # CACHE SOURCE-FOLDER
{
	local version sum folder headers
	version=$(< "$1/kernel/version")
	sum=$(cat "$2/hailo-vm-run-guard.c" "$2/Makefile" "$1/kernel/version" | cksum | tr ' ' -)
	folder=$1/guard-$sum

	[[ -e $folder/hailo-vm-run-guard.ko ]] || {
		headers=$(headers_of "$1" "$version")
		rm -rf "$1"/guard-*
		mkdir "$folder"
		cp "$2/hailo-vm-run-guard.c" "$2/Makefile" "$folder/"
		make -s -C "$folder" KDIR="$headers" CC=gcc > "$folder/log" 2>&1 || {
			cat "$folder/log" >&2
			die "the guard module does not build for Linux $version"
		}
		! grep -i 'warning:.*hailo-vm-run-guard' "$folder/log" >&2 ||
			die "the guard module does not build without warnings"
	}
	echo "$folder/hailo-vm-run-guard.ko"
}
