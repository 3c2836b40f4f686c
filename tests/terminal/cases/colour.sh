# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Colour is for a terminal, and for nobody who has said that they want none.
needs tree
window one 80 24

escape=$'\e['
run "hailo-vm-run --root $TREE check"
[[ $(screen_in_colour) == *"$escape"* ]] || fail "no colour on a terminal"

run "NO_COLOR=1 hailo-vm-run --root $TREE check"
[[ $(screen_in_colour) != *"$escape"* ]] || fail "colour in spite of NO_COLOR"

for command in check list "list --tree" --help "check --help" status; do
	run "hailo-vm-run --root $TREE $command > out 2> err"
	expect_plain out
	expect_plain err
done
run "hailo-vm-run no-such-command > out 2> err"
expect_plain err
