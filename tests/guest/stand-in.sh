# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# HailoRT is not to be had without a licence, so this plays it inside the guest: its driver's sysfs
# and kernel log, its node and hailortcli, with the words and bytes of a file of tests/data/hailo/.
# Run by the agent, as root, with `play` and the file behind it.

said=/run/hailortcli

# hailortcli, which says what lies in $said
make_tool()
{
	cat > /usr/local/bin/hailortcli <<-END
		#!/bin/sh
		cd $said || exit 70
		if [ "\$(cat library)" = broken ]; then
			echo "hailortcli: error while loading shared libraries: libhailort.so.4.23.0:" \
				"cannot open shared object file: No such file or directory" >&2
			exit 127
		fi
		case "\$*" in
		--version) echo "HailoRT-CLI version \$(cat library)" ;;
		"fw-control identify") cat log >&2; cat identify; exit "\$(cat status)" ;;
		scan) cat scan ;;
		*) exit 2 ;;
		esac
	END
	chmod 755 /usr/local/bin/hailortcli
}

nothing()
{
	umount /sys/module /sys/class 2> /dev/null
	rm -rf /dev/hailo0 /usr/local/bin/hailortcli "$said"
	dmesg -C
	mount -t tmpfs none /sys/module
	mount -t tmpfs none /sys/class
	mkdir "$said"
	touch "$said/log" "$said/identify" "$said/scan"
}

module() # NAME VERSION
{
	mkdir -p "/sys/module/$1"
	echo "$2" > "/sys/module/$1/version"
}

node() # NAME open|dead
{
	mkdir -p "/sys/class/hailo_chardev/$1"
	case $2 in
	open) mknod "/dev/$1" c 1 3 ;;
	# No driver has this major number: open(2) says ENXIO, as Hailo's does for a dead card
	dead) mknod "/dev/$1" c 239 7 ;;
	*) exit 64 ;;
	esac
}

# In which \0 is a NUL
speak() # LINE
{
	case $1 in
	"[HailoRT"*) printf '%b\n' "$1" >> "$said/log" ;;
	*) printf '%b\n' "$1" >> "$said/identify" ;;
	esac
}

play()
{
	nothing
	while IFS= read -r line; do
		key=${line%% *}
		value=${line#"$key"}
		value=${value# }
		case $key in
		driver) module hailo_pci "$value" ;;
		driver5) module hailo1x_pci "$value" ;;
		library) make_tool; echo "$value" > "$said/library" ;;
		node) node "${value% *}" "${value#* }" ;;
		log) echo "<3>$value" > /dev/kmsg ;;
		identify) echo "$value" > "$said/status" ;;
		said) speak "$value" ;;
		scan) echo "$value" >> "$said/scan" ;;
		'' | '#' | fails | want) ;;
		*) exit 64 ;;
		esac
	done
}
