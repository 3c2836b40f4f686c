# shellcheck shell=sh
# Gives the cards to vfio-pci before any other driver has seen them. They are found by what they
# are or by the slots on the way to them, never by their bus number, which other cards change.
#
# Nothing but what every shell of an initramfs has built in, and modprobe.
hailo_vm_run_bind() # PATTERN [RESET_METHODS]
{
	for device in /sys/bus/pci/devices/*; do
		[ -e "$device/vendor" ] || continue
		read -r vendor < "$device/vendor"
		read -r id < "$device/device"
		path=$(cd -P "$device" && pwd -P)
		# shellcheck disable=SC2254 # a pattern
		case ${vendor#0x}:${id#0x}$path in
		$1) ;;
		*) continue ;;
		esac
		# An empty list needs a newline: the kernel does not see a write of nothing
		[ $# = 1 ] || [ ! -e "$device/reset_method" ] || echo "$2" > "$device/reset_method"
		echo vfio-pci > "$device/driver_override"
		# One that has a driver by now keeps it: hailo-vm-run will take it when it needs it
		[ -e "$device/driver" ] || echo "${device##*/}" > /sys/bus/pci/drivers_probe
	done
}

modprobe -q vfio-pci
hailo_vm_run_bind '@PATTERN@'@RESET_WORD@
