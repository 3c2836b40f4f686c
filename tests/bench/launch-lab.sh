# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 800
# The same in the lab host, with a card that comes from a host driver and goes back to it.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
profile bench <<-END
	[device npu]
	address = $card
END
cp /tmp/bench.ini /tmp/back.ini
printf '[guest]\nready = serial:guest: ready\n' >> /tmp/back.ini
# What QEMU inherits must be sockets, which the bench can make anew for a QEMU of its own
sed -i 's/^mode = file/mode = none/; /^file = /d' /tmp/bench.ini
bench=$LAB_SOURCE/build-bench/tests/bench/bench-launch
# QEMU alone finds the card only where it stays on vfio-pci
sed '$a after = keep' /tmp/bench.ini > /tmp/keep.ini
"$bench" "$HVR" /tmp/keep.ini 5
expect_exit 0 "$HVR" release --all
"$bench" "$HVR" /tmp/back.ini 3 npu "$card"
