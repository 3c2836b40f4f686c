# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# guard: build
# The guard module by itself: loaded twice, for others, wrongly, for a card that comes later, for one
# in use, and unloaded. Whether the flag is set says the kernel: without it, it offers "bus" of a card
# that is alone on its bus.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs two

one=$(card two 1)
two=$(card two 2)
parameters=/sys/module/hailo_vm_run_guard/parameters

methods() # ADDRESS: what the kernel would offer now
{
	echo default > "/sys/bus/pci/devices/$1/reset_method"
	cat "/sys/bus/pci/devices/$1/reset_method"
}

guarded()
{
	paste -sd' ' "$parameters/cards"
}

unload()
{
	expect_exit 0 rmmod hailo_vm_run_guard
	assert_eq "flr bus" "$(methods "$one")" "of the first card, unloaded"
	assert_eq "flr bus" "$(methods "$two")" "of the second card, unloaded"
}

say "both cards, and twice"
assert_eq "flr bus" "$(methods "$one")" "before"
expect_exit 0 insmod "$GUARD"
assert_eq "1e60:2864" "$(< "$parameters/ids")" "whom it is for"
assert_match "(^| )$one( |$)" "$(guarded)"
assert_match "(^| )$two( |$)" "$(guarded)"
assert_eq "flr" "$(methods "$one")" "of the first card"
assert_eq "flr" "$(methods "$two")" "of the second card"
expect_exit 1 insmod "$GUARD"
assert_match "File exists" "$(cat /tmp/stderr)"
dmesg > /tmp/dmesg
grep "$one: no bus reset reaches it" /tmp/dmesg
unload

say "for somebody else's card, and for nobody"
expect_exit 0 insmod "$GUARD" ids=8086:ffff
assert_eq "flr bus" "$(methods "$one")" "of a card that is not named"
assert_eq "" "$(guarded)" "guarded"
unload
for ids in '' 1e60 1e60: '1e60:2864,' 1e60:28640 1e60:xxxx '*:*' 1E60-2864 \
	"$(printf '1e60:2864,%.0s' {1..16})1e60:2864"; do
	expect_exit 1 insmod "$GUARD" "ids=$ids"
	[[ ! -e $parameters ]] || fail "loaded with ids=$ids"
done
expect_exit 1 insmod "$GUARD" cards=all
assert_eq "flr bus" "$(methods "$one")" "after all those"

say "upper case, and two at once"
expect_exit 0 insmod "$GUARD" ids=8086:ffff,1E60:2864
assert_eq "flr" "$(methods "$one")" "of the first card"

say "a card that goes and comes"
echo 1 > "/sys/bus/pci/devices/$two/remove"
[[ ! " $(guarded) " == *" $two "* ]] || fail "a card that is gone is guarded"
echo 1 > /sys/bus/pci/rescan
[[ " $(guarded) " == *" $two "* ]] || fail "a card that came is not guarded" "$(guarded)"
assert_eq "flr" "$(methods "$two")" "of the card that came"
unload

say "a card that is in use, at load and at unload"
bind_to_vfio "$one"
echo > "/sys/bus/pci/devices/$one/reset_method"
vm_start "" "$one"
wait_for /tmp/guest "guest: ready" 60
clear_counts "$one"
expect_exit 0 insmod "$GUARD"
qmp '{"execute": "quit"}'
wait_for_end "$vm_pid" 30
assert_eq "0 0" "$(flr_count "$one") $(reset_count "$one")" "guarded since the middle: at the end"
vm_start "" "$one"
wait_for /tmp/guest "guest: ready" 60
assert_eq "0 0" "$(flr_count "$one") $(reset_count "$one")" "guarded: at the start"
expect_exit 0 rmmod hailo_vm_run_guard
qmp '{"execute": "quit"}'
wait_for_end "$vm_pid" 30
assert_eq "0 1" "$(flr_count "$one") $(reset_count "$one")" "unguarded since the middle: at the end"

say "the kernel has nothing to say against it"
dmesg > /tmp/dmesg
! grep -E 'Oops|BUG:|WARNING:|Call Trace|refcount' /tmp/dmesg || fail "see above"
