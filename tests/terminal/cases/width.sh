# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Nothing that a person reads is wrapped by the terminal, in a small window or a large one.
needs tree
window small 80 24
window large 200 50

for name in small large; do
	in_window "$name"
	for command in list "list --all" status --help; do
		run "hailo-vm-run --root $TREE $command"
		expect_unwrapped "$command"
	done
	run "hailo-vm-run --help"
	# shellcheck disable=SC2013 # words
	for command in $(screen | sed -n 's/^  \([a-z]\{2,\}\) .*/\1/p'); do
		run "hailo-vm-run $command --help"
		expect "^Usage:"
		expect_unwrapped "$command --help"
	done
done
