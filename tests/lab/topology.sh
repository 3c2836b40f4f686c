# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Topologies of the lab: which ports, switches and cards the lab host (L1) has, as QEMU arguments.
#
# Each topology hangs on root ports of its own, at device numbers that lib.sh knows as well
# (root_ports there), so any of them can be in one boot. Cards are counted in the order in which
# Linux numbers them; card N of topology T is cards/T.N in the work folder.

TOPOLOGIES="alone two switch century noacs isa edu slow endpoints pm usb noiommu direct"

devices=()	# QEMU arguments
cards=()	# state files, in the order of their descriptors
iommu=on
intremap=on

device()
{
	devices+=(-device "$1")
}

root_port() # ID ADDRESS [OPTIONS]
{
	device "pcie-root-port,id=$1,addr=$2,chassis=$((++chassis)),slot=$chassis${3:+,$3}"
}
chassis=0

# The first card that lab-card starts is QEMU's descriptor 100
proxied_card() # TOPOLOGY.N BUS [OPTIONS]
{
	device "x-pci-proxy-dev,bus=$2,fd=$((100 + ${#cards[@]}))${3:+,$3}"
	cards+=("$1")
}

# On a network that ends in QEMU
network_card() # MODEL OPTIONS
{
	devices+=(-netdev "user,id=$1,restrict=on")
	device "$1,netdev=$1,$2"
}

# A card alone in its IOMMU group: reset_method 'flr bus'
topology_alone()
{
	root_port alone 04.0
	proxied_card alone.1 alone
}

# Two of those, each in a group of its own: which one is meant?
topology_two()
{
	root_port two1 05.0
	proxied_card two.1 two1
	root_port two2 06.0
	proxied_card two.2 two2
}

# A card below each port of a switch: each shares its group with that port, a bridge
topology_switch()
{
	root_port switch 07.0
	device x3130-upstream,id=upstream,bus=switch
	device "xio3130-downstream,id=downstream1,bus=upstream,addr=0,chassis=$((++chassis)),slot=$chassis"
	device "xio3130-downstream,id=downstream2,bus=upstream,addr=1,chassis=$((++chassis)),slot=$chassis"
	proxied_card switch.1 downstream1
	proxied_card switch.2 downstream2
}

# One conventional bus behind a bridge: one group for the bridge, two cards and a network card
topology_century()
{
	root_port century 08.0
	device pcie-pci-bridge,id=bridge,bus=century
	proxied_card century.1 bridge addr=1
	proxied_card century.2 bridge addr=2
	network_card e1000 bus=bridge,addr=3
}

# Two ports without ACS in one slot: one group for both ports, a card and a network card
topology_noacs()
{
	root_port noacs1 09.0 disable-acs=on,multifunction=on
	root_port noacs2 09.1 disable-acs=on
	proxied_card noacs.1 noacs1
	network_card e1000e bus=noacs2
}

# A card and an ISA bridge on one conventional bus: a bridge that counts by its driver
topology_isa()
{
	root_port isa 0c.0
	device pcie-pci-bridge,id=isabridge,bus=isa
	proxied_card isa.1 isabridge addr=1
	proxied_card isa.bridge isabridge addr=2
}

# A card that computes and moves data. Its DMA passes the IOMMU, which a proxied card's cannot
topology_edu()
{
	root_port edu 0a.0
	device edu,bus=edu
}

# What is no Hailo, each in a group of its own and on a driver of the host: an NVMe disk, a network
# card, and a card that computes
topology_endpoints()
{
	root_port endpoint1 0d.0
	devices+=(-drive "if=none,id=endpoint,file.driver=null-co,file.size=64M,file.read-zeroes=on,format=raw")
	device nvme,bus=endpoint1,drive=endpoint,serial=endpoint
	root_port endpoint2 0e.0
	devices+=(-netdev "user,id=endpoint,restrict=on")
	device e1000e,netdev=endpoint,bus=endpoint2
	root_port endpoint3 0f.0
	device edu,bus=endpoint3
}

# A disk that reads 96 KiB a second: what its driver waits for takes long
topology_slow()
{
	root_port slow 0b.0
	devices+=(-drive "if=none,id=slow,file.driver=null-co,file.size=64M,file.read-zeroes=on,format=raw,throttling.bps-read=98304")
	device virtio-blk-pci,bus=slow,drive=slow
}

# Two cards that lose their state in D3hot, the second without FLR: reset_method 'flr pm bus', 'pm bus'
topology_pm()
{
	root_port pm1 1a.0
	proxied_card pm.1 pm1
	root_port pm2 1b.0
	proxied_card pm.2 pm2
}

# A tablet and a keyboard, whose ids are the same, and a stick. No card
topology_usb()
{
	device qemu-xhci,id=usb,addr=1c.0
	device usb-tablet,bus=usb.0
	device usb-kbd,bus=usb.0
	devices+=(-drive "if=none,id=stick,file.driver=null-co,file.size=16M,file.read-zeroes=on,format=raw")
	device usb-storage,bus=usb.0,drive=stick
}

# Not a topology but a property of all others: the kernel does not use the IOMMU that it has. Not
# asking is not enough, as many kernels use it by default. By itself it means alone,noiommu.
topology_noiommu()
{
	# shellcheck disable=SC2034 # read in ./host
	iommu=off
}

# Not a topology either: the IOMMU cannot remap interrupts. By itself it means alone,direct.
topology_direct()
{
	# shellcheck disable=SC2034 # read in ./host
	intremap=off
}

add_topologies() # LIST,...
{
	local name
	local -a names

	IFS=, read -r -a names <<< "$1"
	for name in "${names[@]}"; do
		[[ " $TOPOLOGIES " == *" $name "* ]] || {
			echo "lab: no topology '$name'; there are: $TOPOLOGIES" >&2
			return 64
		}
		"topology_$name"
	done
}
