# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The tree of a host with a card is not wrapped by the terminal, in a small window or a large one.
needs tree
window small 80 24
window large 200 50

for name in small large; do
	in_window "$name"
	run "hailo-vm-run --root $TREE list --tree"
	expect_unwrapped "list --tree"
done
