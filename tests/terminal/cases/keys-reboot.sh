# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Ctrl-] and r, in front of a guest that has no agent to ask: it is said, and the guest goes on.
needs vm
window one 80 24

start_vm
escape r
await "agent" 20
ask_guest
