# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# What QEMU's end means: by its own words, by its signal, and by the kernel's log of a real kernel.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
END

say "a guest that writes QEMU's words to its standard output is not QEMU"
run_vm lab --set "qemu.args=-debugcon stdio"
kill -SEGV "$(qemu_pid lab)"
run_ends 69 lab
assert_match "QEMU was ended by signal 11" "$(cat /tmp/lab.err)"
assert_eq 0 "$(grep -c '^hint: ' /tmp/lab.err || true)" "hints for a signal that says nothing"
assert_eq "$before" "$(snapshot "$card")" "the card, after a signal"

say "the signal of the sandbox"
run_vm lab
kill -SYS "$(qemu_pid lab)"
run_ends 69 lab
assert_match "hint: its sandbox stopped a system call" "$(cat /tmp/lab.err)"

say "killed, by nobody knows whom"
run_vm lab
kill -KILL "$(qemu_pid lab)"
run_ends 69 lab
assert_match "hint: either the host ran out of memory .* or somebody killed it" \
	"$(cat /tmp/lab.err)"

say "killed by the kernel, whose log says so"
run_vm lab
pid=$(qemu_pid lab)
echo 1000 > "/proc/$pid/oom_score_adj"
echo f > /proc/sysrq-trigger
run_ends 69 lab
assert_match "hint: this host ran out of memory, and the kernel ended QEMU" "$(cat /tmp/lab.err)"
assert_match "\\(the kernel: '.*Killed process $pid \\(qemu" "$(cat /tmp/lab.err)"
assert_eq "$before" "$(snapshot "$card")" "the card, after all"
nothing_left
