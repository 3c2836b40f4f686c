# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# In front of a guest all keys are the guest's, but one. The terminal is afterwards what it was.
needs vm
window one 80 24

run "stty -g > before"
start_vm
for key in C-c "C-\\"; do
	line "cat"
	line "mew"
	await "^mew"
	keys "$key"
	await "guest# $"
	ask_guest
done
line "poweroff -f"
await_prompt
expect_status 0
run "stty -g > after; cmp before after"
expect_status 0
run "hailo-vm-run status"
refuse "$vm"
