#!/bin/bash
# Written by hailo-vm-run setup (early-bind); 'hailo-vm-run setup --undo' removes it.
#
# A dracut module: vfio-pci in the initramfs, and the cards given to it before udev starts.

check()
{
	return 0
}

depends()
{
	return 0
}

# What this host has loaded just now does not matter
installkernel()
{
	hostonly='' instmods vfio-pci vfio_iommu_type1
}

install()
{
	# shellcheck disable=SC2154 # dracut sets it
	inst_hook pre-udev 00 "$moddir/bind.sh"
}
