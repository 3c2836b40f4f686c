# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# From nothing but an image to a guest on the terminal: one command. The image is a boot sector here,
# which says so on the first serial port and stops (suite `guest` has a whole Debian). A second time it is
# run, and new says that.
needs vm
window shell 80 24

# xor ax, ax; ds = ax; si = the text; dx = COM1; each byte up to NUL to dx; halt
# shellcheck disable=SC2059 # the bytes are the format
{
	printf '\x31\xc0\x8e\xd8\xbe\x16\x7c\xba\xf8\x03\xfc\xac\x84\xc0\x74\x03\xee\xeb\xf8\xf4\xeb\xfd'
	printf 'guest is up\r\n\0'
} > "$work/sector"
truncate -s 510 "$work/sector"
printf '\x55\xaa' >> "$work/sector"
as_user qemu-img convert -f raw -O qcow2 "$work/sector" "$desk/debian-13-generic-amd64.qcow2"
clear_screen
line "hailo-vm-run new debian --run"
await "^guest is up"
refuse "wget"
refuse "next:"
escape q
await_prompt
expect_status 0
[[ -e $desk/debian.ini && -e $desk/debian.qcow2 ]] || fail "there is no profile, or no disk"
run "hailo-vm-run new debian --run"
expect_status 64
expect "started by 'run'"
