# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# From nothing to a guest's prompt: two commands.
needs vm
window shell 80 24

cp "$work/guest/vmlinux" "$desk/vmlinuz"
cp "$work/guest/initrd" "$desk/initrd.img"
run "hailo-vm-run new kernel"
expect_status 0
[[ -e $desk/kernel.ini ]] || fail "there is no kernel.ini"
clear_screen
line "hailo-vm-run run kernel.ini"
await "^guest is up"
await "^guest# "
line "poweroff -f"
await_prompt
expect_status 0
