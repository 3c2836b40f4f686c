# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# From nothing but an image to a guest's prompt: two commands. The image is an empty one here, and the
# kernel the small guest's, which a real image has in it.
needs vm
window shell 80 24

as_user qemu-img create -q -f qcow2 "$desk/debian-13-generic-amd64.qcow2" 1G
run "hailo-vm-run new debian"
expect_status 0
refuse "wget"
[[ -e $desk/debian.ini ]] || fail "there is no debian.ini"
clear_screen
line "hailo-vm-run run --set boot.kernel=$work/guest/vmlinux --set boot.initrd=$work/guest/initrd --set boot.cmdline=console=ttyS0 --set vm.memory=256M debian.ini"
await "^guest is up"
await "^guest# "
ask_guest
line "poweroff -f"
await_prompt
expect_status 0
