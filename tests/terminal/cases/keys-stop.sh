# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Ctrl-] and s: the guest is asked to power down, and does.
needs vm
window one 80 24

start_vm
escape s
await "Power down" 20
await_prompt
expect_status 0
run "hailo-vm-run status"
refuse "$vm.*running"
