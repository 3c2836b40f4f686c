# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Ctrl-] and q: the VM ends, and the shell and its terminal are back.
needs vm
window one 80 24

run "stty -g > before"
start_vm
escape q
await_prompt
run "stty -g > after; cmp before after"
expect_status 0
run "hailo-vm-run status"
refuse "$vm.*running"
