# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Off a terminal there is no live line: what is said is whole lines, and the last one says what came of it.
needs vm
window shell 80 24

run "hailo-vm-run run --detach vm.ini > out 2> err"
run "hailo-vm-run stop $vm > stopped 2>&1"
expect_status 0
for file in out err stopped; do
	expect_plain "$file"
	! grep -q $'\r' "$desk/$file" || fail "a live line in $file"
done
tail -n 1 "$desk/stopped" | grep -q "$vm" || fail "the last line does not say what came of it"
