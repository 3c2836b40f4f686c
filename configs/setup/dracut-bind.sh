#!/bin/sh
# Written by hailo-vm-run setup (early-bind); 'hailo-vm-run setup --undo' removes it.
#
# dracut sources it before it starts udev, which loads drivers.

@BIND@
