# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Of a profile that will run the last line says so; of one that will not, the last line says why, and a
# small window shows it.
needs vm
window shell 80 24

run "hailo-vm-run check vm.ini"
expect_status 0
last=$(screen | sed '/^\$ *$/d; /^$/d' | tail -n 1)
[[ $last == *ready* ]] || fail "the last line does not say ready: $last"
refuse "not ready"
run "hailo-vm-run check --set boot.kernel=no-such-kernel vm.ini"
expect_status 1
[[ $(screen_in_colour) == *no-such-kernel* ]] || fail "the reason is not on the screen"
