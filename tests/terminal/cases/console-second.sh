# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A second terminal, and a third, look at the same guest; what is typed in one is seen in all.
needs vm
window front 80 24
start_vm

for name in second third; do
	window "$name" 200 50
	line "hailo-vm-run console $vm"
done
in_window second
line "echo \$((40 + 2))"
for name in front second third; do
	in_window "$name"
	await "^42" 20
done
in_window second
escape d
await_prompt
in_window third
ask_guest
