# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# Prints the script that plays a file of tests/data/hailo/ inside a guest: for `sh -s`
play() # FOLDER-OF-STAND-IN FILE
{
	cat "$1/stand-in.sh"
	echo "play <<'END OF GUEST'"
	cat "$2"
	echo "END OF GUEST"
}
