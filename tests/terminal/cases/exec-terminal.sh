# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A command that wants a terminal has one where there is a way, and where there is none is told of it.
needs vm
window shell 80 24

detach_vm
run "hailo-vm-run exec -t $vm -- sh"
expect_status 125
expect "hint: .*(ssh|forward)"
