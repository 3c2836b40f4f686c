# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# What takes longer than a second says what it waits for and for how long; one line stays of it at last.
needs vm
window guest 80 24
start_vm
line "killall acpid"
ask_guest
window shell 80 24
clear_screen
line "hailo-vm-run stop --timeout 10 $vm"
await "[0-9]+ ?s" 8
expect_unwrapped "the live line of stop"
await_prompt
expect "$vm"
(($(screen | grep -c "$vm") <= 3)) || fail "the stages are still on the screen"

# How a guest boots, with its last line, whatever tells that it is ready: here nothing does
clear_screen
in_window shell
line "hailo-vm-run run --detach --wait-ready=100 --set guest.agent=yes --set guest.ready=agent vm.ini"
await "booting, .* \\| Enter 'help'" 100
keys C-c
await_prompt
expect_status 130
run "hailo-vm-run status"
expect "no VMs are running"
