#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes files as C: each is a text, PREFIX_NAME without what is behind the name's dot. Of a shell
# script what is for people is left out.
#
# Usage: embed.sh HEADER PREFIX FILE... > OUTPUT
set -eu

header=$1 prefix=$2
shift 2
printf '#include "%s"\n' "$header"
for file; do
	name=${file##*/}
	case $name in
	*.sh) people='/^[[:space:]]*#/d; /^$/d' ;;
	*) people= ;;
	esac
	printf '\nconst char %s_%s[] =\n' "$prefix" "${name%.*}"
	sed "$people"'; s/[\\"]/\\&/g; s/.*/\t"&\\n"/' "$file"
	echo '	;'
done
