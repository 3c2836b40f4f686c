# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A second Ctrl-] is the guest's.
needs vm
window one 80 24

start_vm
line "cat -v"
keys C-]
keys C-]
keys Enter
await '^\^\]$' 20
keys C-c
ask_guest
