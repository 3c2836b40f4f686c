# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# `help` is --help, of all and of one command.
window shell 80 24

run "hailo-vm-run help"
expect_status 0
expect "^Commands:"
run "hailo-vm-run help stop"
expect_status 0
expect "^Usage:"
expect "hailo-vm-run stop"
