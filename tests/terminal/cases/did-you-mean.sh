# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# What was meant is named: a command, an option, a VM.
needs vm
window shell 80 24

run "hailo-vm-run rnu vm.ini"
expect "run"
expect "mean"
run "hailo-vm-run run --dettach vm.ini"
expect_status 64
expect "mean.*--detach"
detach_vm
run "hailo-vm-run stop ${vm}x"
expect "mean.*$vm"
run "hailo-vm-run sttaus"
expect "mean.*status"
