# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The lab host's kernel: fetched with the distribution's package client and unpacked into the cache.
# Nothing is ever installed, which would put a boot entry on somebody's machine.
#
#	CACHE/kernel/root/	the unpacked packages; lib/modules/VERSION with its modules.dep
#	CACHE/kernel/version
#	CACHE/kernel/vmlinux	an ELF file, which QEMU enters directly: half the boot time of vmlinuz
#	CACHE/initramfs-*	busybox, ./init and the modules that reach the root over 9p

INITRAMFS_MODULES="virtio_pci 9p 9pnet_virtio overlay"

# Those that a package needs, of the names that a pattern has; none need be installed
packages_behind() # PACKAGE PATTERN
{
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "$1" 2> /dev/null | grep -Ex "$2" | sort -u
}

# FOLDER/root becomes what is in them, and nothing is installed
unpack_packages() # FOLDER PACKAGE...
{
	local package

	mkdir -p "$1/deb"
	for package in "${@:2}"; do
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

# The packages behind the one that always names the newest kernel, which carries no file itself
kernel_packages() # META
{
	packages_behind "$1" 'linux-(base|binary|image|modules|modules-extra)-[0-9][^:]*'
}

find_kernel_packages()
{
	local meta found

	for meta in linux-image-amd64 linux-image-generic; do
		found=$(kernel_packages "$meta") && [[ $found ]] && break
	done
	[[ $found ]] && echo "$found"
}

fetch_kernel() # FOLDER
{
	local packages

	packages=$(find_kernel_packages) ||
		die "apt knows no linux-image-amd64 or linux-image-generic" "hint: apt-get update"
	# shellcheck disable=SC2086 # a list of words
	unpack_packages "$1" $packages
}

copy_running_kernel() # FOLDER
{
	local version image
	version=$(uname -r)

	for image in "/boot/vmlinuz-$version" "/lib/modules/$version/vmlinuz" /boot/vmlinuz; do
		[[ -r $image ]] && break
	done
	[[ -r $image && -r /lib/modules/$version/modules.dep ]] || die \
		"no apt-get here, and no readable image and modules of the running kernel $version"
	mkdir -p "$1/root/boot" "$1/root/lib/modules"
	cp "$image" "$1/root/boot/vmlinuz-$version"
	cp -a "/lib/modules/$version" "$1/root/lib/modules/"
}

# kmod looks below lib/modules or usr/lib/modules, by distribution; packages carry one of them
link_lib_folders() # ROOT
{
	if [[ -d $1/usr/lib/modules && ! -e $1/lib ]]; then
		ln -s usr/lib "$1/lib"
	elif [[ -d $1/lib/modules && ! -e $1/usr/lib ]]; then
		mkdir -p "$1/usr"
		ln -s ../lib "$1/usr/lib"
	fi
}

number_at() # FILE OFFSET BYTES
{
	od -An -v -tu"$3" -j"$2" -N"$3" "$1" | tr -d ' '
}

decompressor() # FILE
{
	case $(od -An -v -tx1 -N4 "$1" | tr -d ' ') in
	fd377a58) echo "xz -dc --single-stream" ;;
	28b52ffd) echo "zstd -dc" ;;
	1f8b*) echo "gzip -dc" ;;
	02214c18) echo "lz4 -dc" ;;
	7f454c46) echo cat ;;
	*) die "the kernel image is compressed in an unknown way" ;;
	esac
}

# Offsets of the bzImage header: Documentation/x86/boot.rst. The payload ends with four bytes of
# length, which decompressors take for garbage, so their complaint counts only if no ELF came out.
extract_vmlinux() # VMLINUZ VMLINUX
{
	local start length tool
	start=$((($(number_at "$1" $((0x1f1)) 1) + 1) * 512 + $(number_at "$1" $((0x248)) 4)))
	length=$(number_at "$1" $((0x24c)) 4)

	tail -c +$((start + 1)) "$1" | head -c "$length" > "$2.payload" || true
	tool=$(decompressor "$2.payload")
	$tool < "$2.payload" > "$2" 2> "$2.log" || true
	[[ $(od -An -tx1 -N4 "$2" | tr -d ' ') == 7f454c46 ]] || {
		cat "$2.log" >&2
		die "cannot decompress $1 with '$tool'"
	}
	rm "$2.payload" "$2.log"
}

find_image() # ROOT VERSION
{
	local image

	for image in "$1/boot/vmlinuz-$2" "$1/lib/modules/$2/vmlinuz"; do
		[[ ! -e $image ]] || { echo "$image"; return; }
	done
	die "there is no image in the packages of Linux $2"
}

prepare_kernel() # CACHE
{
	local new=$1/kernel.new version

	[[ -e $1/kernel/version ]] && return
	rm -rf "$new" "$1/kernel"
	mkdir -p "$new"
	if command -v apt-get > /dev/null; then
		fetch_kernel "$new"
	else
		copy_running_kernel "$new"
	fi
	link_lib_folders "$new/root"
	version=$(basename "$new"/root/lib/modules/*)
	say "unpacking Linux $version"
	extract_vmlinux "$(find_image "$new/root" "$version")" "$new/vmlinux"
	depmod -b "$new/root" "$version"
	echo "$version" > "$new/version"
	mv "$new" "$1/kernel"
}

module_files() # CACHE
{
	local module

	for module in $INITRAMFS_MODULES; do
		modprobe -d "$1/kernel/root" -S "$(< "$1/kernel/version")" --show-depends "$module" ||
			die "the kernel in the cache has no module $module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

unpack_module() # FILE FOLDER: prints the name of what lies there
{
	local name=${1##*/}

	case $name in
	*.ko) cp "$1" "$2/$name" ;;
	*.ko.xz) xz -dc "$1" > "$2/${name%.xz}" ;;
	*.ko.zst) zstd -dcq "$1" > "$2/${name%.zst}" ;;
	*.ko.gz) gzip -dc "$1" > "$2/${name%.gz}" ;;
	*) die "$1 is compressed in an unknown way" ;;
	esac
	echo "${name%%.ko*}.ko"
}

static_busybox()
{
	local path

	path=$(command -v busybox) || die "busybox is missing" "hint: apt-get install busybox-static"
	! readelf -l "$path" 2>/dev/null | grep INTERP > /dev/null || die \
		"$path needs shared libraries" "hint: apt-get install busybox-static"
	echo "$path"
}

# Prints the path of an initramfs for the cached kernel and the present ./init
prepare_initramfs() # CACHE INIT
{
	local image file busybox
	local tree=$1/initramfs.new

	image=$1/initramfs-$(cat "$2" "$1/kernel/version" | cksum | tr ' ' -)
	[[ -e $image ]] || {
		busybox=$(static_busybox)
		rm -rf "$tree"
		mkdir -p "$tree/bin" "$tree/modules"
		cp "$busybox" "$tree/bin/busybox"
		ln -s busybox "$tree/bin/sh"
		cp "$2" "$tree/init"
		chmod 755 "$tree/init"
		module_files "$1" | while read -r file; do
			unpack_module "$file" "$tree/modules"
		done > "$tree/modules/order"
		rm -f "$1"/initramfs-*
		(cd "$tree" && find . | cpio -o -H newc --quiet) > "$image.new"
		mv "$image.new" "$image"
		rm -r "$tree"
	}
	echo "$image"
}
