# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The emulated cards as seen inside the lab host: where each one is, what reached it, and the state
# that the kernel keeps of it. Needs nothing but sysfs and the work share ($LAB).
#
# Forks cost 10 ms and more here, so sysfs is read by the shell itself.

CARD_MODULES="uio_pci_generic vfio_pci vfio_iommu_type1 vfio e1000 e1000e nvme virtio_blk"
CARD_ATTRIBUTES="reset_method power/control d3cold_allowed"

# The root ports of each topology, as topology.sh places them
root_ports() # TOPOLOGY
{
	case $1 in
	alone) echo 04.0 ;;
	two) echo 05.0 06.0 ;;
	switch) echo 07.0 ;;
	century) echo 08.0 ;;
	noacs) echo 09.0 09.1 ;;
	edu) echo 0a.0 ;;
	slow) echo 0b.0 ;;
	isa) echo 0c.0 ;;
	pm) echo 1a.0 1b.0 ;;
	endpoints) echo 0d.0 0e.0 0f.0 ;;
	esac
}

# Addresses of all functions below the root ports of a topology, in the kernel's order
functions_of() # TOPOLOGY
{
	local port path f='0000:*.[0-7]'

	for port in $(root_ports "$1"); do
		# shellcheck disable=SC2086 # a pattern, to be expanded
		for path in /sys/devices/pci0000:00/0000:00:"$port"/{$f,$f/$f,$f/$f/$f}; do
			[[ ! -e $path/vendor ]] || echo "${path##*/}"
		done
	done
}

is_a() # ADDRESS VENDOR:DEVICE
{
	local vendor device

	read -r vendor < "/sys/bus/pci/devices/$1/vendor"
	read -r device < "/sys/bus/pci/devices/$1/device"
	[[ ${vendor#0x}:${device#0x} == "$2" ]]
}

# 'alone.1=0000:01:00.0 century.nic=0000:09:03.0 ...': all cards of this boot, which ./inside finds
# once and exports as LAB_CARDS
find_cards()
{
	local topology address class n line=

	# shellcheck disable=SC2153 # set by ./host
	for topology in ${TOPOLOGY//,/ }; do
		n=0
		for address in $(functions_of "$topology"); do
			read -r class < "/sys/bus/pci/devices/$address/class"
			if is_a "$address" 1e60:2864 || is_a "$address" 1234:11e8 ||
				[[ $class == 0x0100* ]]; then
				line+="$topology.$((++n))=$address "
			elif [[ $class == 0x0108* ]]; then
				line+="$topology.nvme=$address "
			elif [[ $class == 0x0200* ]]; then
				line+="$topology.nic=$address "
			elif [[ $class == 0x0601* ]]; then
				line+="$topology.bridge=$address "
			fi
		done
	done
	echo "${line% }"
}

# Address of the Nth card of a topology; of topology edu, the edu card, of slow, the disk. Of endpoints
# 1 is the edu card, and 'nvme' and 'nic' are the others
card() # TOPOLOGY [N]
{
	local pair

	for pair in $LAB_CARDS; do
		[[ ${pair%=*} != "$1.${2:-1}" ]] || { echo "${pair#*=}"; return; }
	done
	echo "lab: no card ${2:-1} in topology $1" >&2
	return 1
}

# Address of the network card of topology century or noacs
nic() # TOPOLOGY
{
	card "$1" nic
}

# The state file of a card: see card.c
state_file() # ADDRESS
{
	local pair

	for pair in $LAB_CARDS; do
		[[ ${pair#*=} != "$1" ]] || { echo "$LAB/cards/${pair%=*}"; return; }
	done
	echo "lab: no emulated Hailo-8 at $1" >&2
	return 1
}

card_state() # ADDRESS: prints 'flr=000000 reset=000000 dead=0'
{
	cat "$(state_file "$1")"
}

state_number() # ADDRESS WORD
{
	local state

	state=$(card_state "$1")
	state=${state#*"$2="}
	echo $((10#${state%%[ $'\n']*}))
}

flr_count() # ADDRESS
{
	state_number "$1" flr
}

# Resets of the machine, the bus or the slot that reached the card
reset_count() # ADDRESS
{
	state_number "$1" reset
}

clear_counts() # ADDRESS
{
	printf 'flr=000000 reset=000000 dead=0\n' 1<> "$(state_file "$1")"
}

# The card falls off the bus: it reads as all ones
kill_card() # ADDRESS
{
	printf 'flr=%06u reset=%06u dead=1\n' "$(flr_count "$1")" "$(reset_count "$1")" \
		1<> "$(state_file "$1")"
}

driver_of() # ADDRESS: prints the driver's name, or 'none'
{
	local link

	link=$(readlink "/sys/bus/pci/devices/$1/driver") || { echo none; return; }
	echo "${link##*/}"
}

group_of() # ADDRESS: prints the number of its IOMMU group
{
	local link

	link=$(readlink "/sys/bus/pci/devices/$1/iommu_group") || { echo none; return; }
	echo "${link##*/}"
}

group_members() # ADDRESS
{
	local member line=

	for member in "/sys/bus/pci/devices/$1/iommu_group/devices"/*; do
		line+="${member##*/} "
	done
	echo "${line% }"
}

# What must be as before after a card came back, byte for byte: '$' marks each end of line, and
# nothing between '=' and the next name is an empty file
snapshot() # ADDRESS
{
	local attribute path=/sys/bus/pci/devices/$1

	echo "driver=$(driver_of "$1")"
	for attribute in driver_override $CARD_ATTRIBUTES; do
		if [[ -e $path/$attribute ]]; then
			echo "$attribute=$(cat -A "$path/$attribute")"
		else
			echo "$attribute is absent"
		fi
	done
}

# State of all functions of all topologies at the start of the lab host, for restore_all
declare -A initial_state

remember_all()
{
	local topology address attribute value

	for topology in ${TOPOLOGY//,/ }; do
		for address in $(functions_of "$topology"); do
			for attribute in driver_override $CARD_ATTRIBUTES; do
				[[ -e /sys/bus/pci/devices/$address/$attribute ]] || continue
				value=
				read -r value < "/sys/bus/pci/devices/$address/$attribute" || true
				initial_state[$address/$attribute]=$value
			done
		done
	done
}

# The first card of a bus was alone when the kernel listed its methods and got 'bus', which the
# kernel refuses once it has neighbours. 'default' is then what can be had, from now on.
restore_attribute() # VALUE ADDRESS/ATTRIBUTE
{
	local path=/sys/bus/pci/devices/$2

	echo "$1" 2> /dev/null > "$path" && return
	[[ ${2##*/} == reset_method ]] || return
	echo default > "$path"
	read -r "initial_state[$2]" < "$path"
}

# No driver, and each attribute as remember_all found it
restore_all()
{
	local key value file

	remove_card_modules
	[[ ! -e /sys/module/hailo_vm_run_guard ]] || rmmod hailo_vm_run_guard
	for key in "${!initial_state[@]}"; do
		value=
		read -r value < "/sys/bus/pci/devices/$key" || true
		[[ $value != "${initial_state[$key]}" ]] || continue
		value=${initial_state[$key]}
		[[ $value != "(null)" ]] || value=	# an empty line takes an override away
		restore_attribute "$value" "$key"
	done
	for file in "$LAB"/cards/*; do
		[[ ! -e $file ]] || printf 'flr=000000 reset=000000 dead=0\n' 1<> "$file"
	done
	rm -rf /run/hailo-vm-run /var/lib/hailo-vm-run
	# Not into folders of the machine below, which may be shown there
	find /tmp /var/tmp -xdev -mindepth 1 -delete 2> /dev/null || true
}

# Unloading a driver takes it off all functions and forgets its new_id
remove_card_modules()
{
	local module loaded=()

	for module in $CARD_MODULES; do
		[[ ! -e /sys/module/$module/refcnt ]] || loaded+=("$module")
	done
	[[ ${#loaded[@]} == 0 ]] || modprobe -r "${loaded[@]}"
}

# uio_pci_generic stands in for the hailo driver: it makes a group not viable, gives /dev/uioN to
# hold open, and must be found on the card again. Only this card gets it, not its twins.
give_host_driver() # ADDRESS
{
	local address path=/sys/bus/pci/devices free=()

	local vendor device

	modprobe uio_pci_generic
	read -r vendor < "$path/$1/vendor"
	read -r device < "$path/$1/device"
	for address in "$path"/*; do
		[[ -e $address/driver || $address == "$path/$1" ]] || free+=("$address")
	done
	echo "${vendor#0x} ${device#0x}" 2> /dev/null > /sys/bus/pci/drivers/uio_pci_generic/new_id || true
	[[ -e $path/$1/driver ]] || echo "$1" > /sys/bus/pci/drivers_probe
	for address in "${free[@]}"; do
		[[ ! -e $address/driver ]] || echo "${address##*/}" > "$address/driver/unbind"
	done
	[[ $(driver_of "$1") == uio_pci_generic ]]
}

# The node that the stand-in for the hailo driver gives this card: open it to keep the driver busy
host_node() # ADDRESS
{
	local uio

	for uio in "/sys/bus/pci/devices/$1/uio"/uio*; do
		[[ ! -e $uio ]] || { echo "/dev/${uio##*/}"; return; }
	done
	echo "lab: $1 is not on uio_pci_generic" >&2
	return 1
}

# The network card's own driver, e1000 or e1000e
give_nic_driver() # ADDRESS
{
	local module=e1000

	! is_a "$1" 8086:10d3 || module=e1000e
	modprobe "$module"
	[[ $(driver_of "$1") == "$module" ]]
}
