# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian roots, made with debootstrap, and what runs in them. Needs root.

# The mirror of Debian that this machine itself uses, whatever the form of its lists
debian_mirror()
{
	local mirror

	# shellcheck disable=SC2016 # apt fills it in
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Label: Debian' 2> /dev/null | head -n 1)
	echo "${mirror:-http://deb.debian.org/debian}"
}

# A root is either whole or not there
make_debian() # ROOT SUITE PACKAGES (a list of words)
{
	local packages

	# shellcheck disable=SC2086 # a list of words
	packages=$(printf '%s\n' $3 | paste -sd,)
	rm -rf "$1.new"
	quietly debootstrap --variant=minbase --include="$packages" "$2" "$1.new" \
		"$(debian_mirror)" && mv "$1.new" "$1"
}

# In namespaces of its own, where the tree has what a system's own tools expect
with_tree() # TREE COMMAND...
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private bash -ec '
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		mount -t tmpfs tmpfs "$1/run"
		shift
		exec "$@"' - "$@" < /dev/null
}

in_tree() # TREE COMMAND...
{
	with_tree "$1" chroot "$@"
}

# As the machine that it is: with process ids of its own, and nothing of this one to be seen. A chroot
# would not do: what runs in one may make no user namespaces.
in_root() # ROOT COMMAND...: in its /src, with an environment of its own
{
	# shellcheck disable=SC2016 # for the inner shell
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		unshare --mount --pid --fork --kill-child --propagation private bash -ec '
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount --rbind /sys sys
		mount --rbind /dev dev
		mount -t tmpfs -o mode=755 tmpfs run
		mkdir -p run/lock run/old
		pivot_root . run/old
		umount -l run/old
		rmdir run/old
		shift
		cd /src
		exec "$@"' - "$@" < /dev/null
}
