# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In the guest, as the command's user and in its place: who it is, where, with which variables; and
# then it. Of a shell's own variables those of its user may have the name.
#
# Arguments: MARK CWD N, N words NAME=VALUE, and the command
hvr_fail() # STATUS TEXT
{
	echo "$1 $2" >&9
	exit "$1"
}

echo $$ >&8
HAILO_VM_RUN_COMMAND=$1
export HAILO_VM_RUN_COMMAND
[ -z "$2" ] || cd "$2" 2> /dev/null || hvr_fail 125 "the guest has no folder '$2' for it"
hvr_n=$3
shift 3
while [ "$hvr_n" -gt 0 ]; do
	# shellcheck disable=SC2163 # its value is the name
	command export "$1" 2> /dev/null || hvr_fail 125 "the guest's shell does not take '$1'"
	shift
	hvr_n=$((hvr_n - 1))
done
hvr_found=
hvr_ifs=$IFS
case $1 in
*/*) [ ! -e "$1" ] || hvr_found=$1 ;;
*)
	IFS=:
	set -f
	for hvr_folder in $PATH; do
		[ -f "${hvr_folder:-.}/$1" ] || continue
		hvr_found=${hvr_folder:-.}/$1
		[ ! -x "$hvr_found" ] || break
	done
	IFS=$hvr_ifs
	;;
esac
[ -n "$hvr_found" ] || hvr_fail 127 "No such file or directory"
{ [ -f "$hvr_found" ] && [ -x "$hvr_found" ]; } || hvr_fail 126 "Permission denied"
exec "$@" 8>&- 9>&-
