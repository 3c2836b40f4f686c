#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes what the guest's shell is given (scripts.h) as C: each script is a text, without what is for
# people.
#
# Usage: embed.sh SCRIPT... > OUTPUT
set -eu

echo '#include "launcher/guest/scripts.h"'
for script; do
	printf '\nconst char hvr_guest_script_%s[] =\n' "$(basename "$script" .sh)"
	sed '/^[[:space:]]*#/d; /^$/d; s/[\\"]/\\&/g; s/.*/\t"&\\n"/' "$script"
	echo '	;'
done
