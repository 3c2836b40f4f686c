# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Ctrl-] and d: the VM runs on without this terminal, and the console finds it as it was.
needs vm
window one 80 24

start_vm
line "left=behind"
escape d
await_prompt
run "hailo-vm-run status"
expect "$vm"
clear_screen
line "hailo-vm-run console $vm"
keys Enter
await "guest# "
line "echo was \$left"
await "^was behind"
escape d
await_prompt
run "hailo-vm-run stop $vm"
expect_status 0
