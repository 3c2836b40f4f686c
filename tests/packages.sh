# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What each part of the tests needs from Debian or Ubuntu, and how it gets there. Beyond these only
# what is in every installation (Essential: yes) and git, which the checkout came with, are assumed.
# shellcheck disable=SC2034 # read by those who source this

PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkg-config
	libpci-dev libglib2.0-dev libjson-glib-dev libcap-ng-dev libudev-dev
	libcmocka-dev"

# Unit tests hold QEMU's command line to the real one, and make disks as the launcher does. Debian 13
# has QEMU's SPICE in a package of its own, and a virtiofsd that works without root. Completion is tried in each shell,
# and the manual is built. qemu-guest-agent runs commands here. kmod's modprobe is asked for modules that there are not,
# mount's losetup for a block device, which e2fsprogs fills. swtpm is a TPM.
PACKAGES_UNIT="$PACKAGES_BUILD qemu-system-x86 qemu-system-modules-spice? qemu-utils ovmf mtools
	qemu-guest-agent swtpm virtiofsd? scdoc zsh fish kmod mount procps e2fsprogs"

PACKAGES_DEBOOTSTRAP="debootstrap debian-archive-keyring mount util-linux"

# kmod reads the fetched kernel's modules, xz or zstd unpack it; the others are for scenarios. Where
# QEMU cannot carry an emulated card, an older one is taken from a Debian root. make is for the guard module
PACKAGES_LAB="$PACKAGES_BUILD $PACKAGES_DEBOOTSTRAP qemu-system-x86 qemu-utils busybox-static cpio kmod mount procps socat xz-utils
	zstd pciutils pci.ids iproute2 make dmsetup e2fsprogs fdisk"

# Real terminals, and the lab's kernel in front of one
PACKAGES_TERMINAL="$PACKAGES_LAB tmux"

# A Debian root on an ext4 disk, and one in a partition; cloud-init's disk; a terminal by script(1), a free
# port by python
PACKAGES_GUEST="$PACKAGES_LAB e2fsprogs fdisk mtools bsdutils openssh-client python3-minimal"

# The engines themselves where Debian has them, the real guest agent, and jq for GitHub's hooks
PACKAGES_ENGINES="$PACKAGES_BUILD qemu-system-x86 qemu-guest-agent procps jq python3 python3-pytest
	python3-labgrid?"

# Slurm and its munge; users are made for it
PACKAGES_SLURM="$PACKAGES_LAB slurmctld slurmd slurm-client munge bsdutils passwd"

# Of the benchmarks `list` is compared with lspci, and the others are the lab's
PACKAGES_BENCH="$PACKAGES_LAB pciutils"

PACKAGES_VALGRIND="$PACKAGES_UNIT valgrind"

# As debian/control has it, and what judges the package
PACKAGES_PACKAGE="$PACKAGES_BUILD build-essential pkgconf scdoc debhelper dh-dkms dpkg-dev lintian xz-utils
	rpm rpm2cpio cpio"

# dot draws the pictures of docs/
PACKAGES_LINT="$PACKAGES_BUILD clang-format clang-tidy cppcheck shellcheck graphviz"

# A package with a ? behind is wanted only where apt knows it
missing_packages() # PACKAGE...
{
	local package

	for package; do
		[[ $package != *\? ]] || apt-cache show "${package%\?}" > /dev/null 2>&1 || continue
		package=${package%\?}
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] ||
			echo "$package"
	done
}

apt_get()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" < /dev/null
}

# Runs apt-get quietly; what it said is shown if it fails
apt_get_quietly()
{
	local log

	log=$(mktemp)
	apt_get "$@" > "$log" 2>&1 || { cat "$log" >&2; rm "$log"; return 1; }
	rm "$log"
}

# Installs what is missing. Elsewhere than on Debian and its kin the tools are taken to be there:
# what is not will be missed by whoever needs it.
install_packages() # PACKAGE...
{
	local missing

	command -v dpkg-query apt-get > /dev/null || return 0
	missing=$(missing_packages "$@")
	[[ $missing ]] || return 0
	missing=${missing//$'\n'/ }
	if [[ $EUID != 0 ]]; then
		echo "these packages are missing: $missing" >&2
		echo "hint: run this as root, or: apt-get install --no-install-recommends $missing" >&2
		return 1
	fi
	echo "installing $missing"
	apt_get_quietly update || return
	missing=$(missing_packages "$@")
	# shellcheck disable=SC2086 # a list of words
	apt_get_quietly install --no-install-recommends $missing
}
