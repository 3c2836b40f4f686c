# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# All that the guest has said is in the log, also with a console beside it, and when the VM has ended.
needs vm
window shell 80 24
detach_vm
window follower 200 50
line "hailo-vm-run log -f $vm"
await "^guest is up"
window console 80 24
line "hailo-vm-run console $vm"
keys Enter
await "guest# "
ask_guest
line "echo \$((41 + 2))"
in_window follower
await "^43" 20

in_window shell
run "hailo-vm-run log --serial $vm > log"
grep -q "^guest is up" "$desk/log" || fail "the log has not what the guest said"
run "hailo-vm-run stop $vm"
expect_status 0
in_window follower
await_prompt
in_window shell
run "hailo-vm-run log $vm > log"
expect_status 0
grep -q "^guest is up" "$desk/log" || fail "the log went with the VM"
run "hailo-vm-run status --forget $vm"
run "hailo-vm-run log $vm > log"
refuse "guest is up"
expect "$vm"
