# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Who starts a VM in front of them is told in the first line how to leave it.
needs vm
window one 80 24

start_vm
screen | sed '/^$/d' | sed -n 2,3p > "$desk/first"
grep -q "Ctrl-\]" "$desk/first" || fail "the first line names no key"
expect_unwrapped "run"
escape "?"
for key in "d: leave" "q: end" "s: power" "r: reboot" "\?: this"; do
	await "$key" 10
done
expect_unwrapped "the help of Ctrl-]"
ask_guest
