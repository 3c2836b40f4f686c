# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Several VMs by their names, all of them, and one that has ended.
needs vm
window shell 80 24
for name in one two three; do
	detach_vm "--name=$vm-$name"
done
run "hailo-vm-run stop --force $vm-one $vm-two"
expect_status 0
run "hailo-vm-run status"
expect "$vm-three"
refuse "$vm-one.*running"
run "hailo-vm-run stop --force --all"
expect_status 0
run "hailo-vm-run status"
expect "no VMs are running"
run "hailo-vm-run stop $vm-one"
expect_status 0
expect "$vm-one"
