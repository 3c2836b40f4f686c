# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A plain user plants a profile where root goes, and root names another of that name.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"

mkdir -p /etc/hailo-vm-run
trap 'rm -f /etc/hailo-vm-run/victim.ini' EXIT
printf '[vm]\nname = systems\nmemory = 64M\naccel = tcg\n' > /etc/hailo-vm-run/victim.ini
PLANTED='[vm]\nname = planted\nmemory = 64M\naccel = tcg\n[qemu]\nargs = -device evil\n'

# What root's `victim` is, in a folder
taken_in() # FOLDER
{
	(cd "$1" && "$HVR" print victim 2>&1) > /tmp/said || true
	grep -oE 'guest=(planted|systems)' /tmp/said || head -n 1 /tmp/said
}

decides_nothing() # WHAT FOLDER
{
	local seen

	seen=$(taken_in "$2")
	[[ $seen == guest=systems ]] || hole "$1: root has taken $seen"
}

plant() # USER FOLDER
{
	# shellcheck disable=SC2059 # a text of ours
	as "$1" bash -c "umask 022; printf '$PLANTED' > '$2/victim.ini'"
}

say "bare-name-in-others-folder"
plant "$TRUDY" /tmp
decides_nothing "a sticky folder for all" /tmp
rm /tmp/victim.ini
plant "$MALLORY" /tmp/theirs
decides_nothing "a user's folder" /tmp/theirs
install -d -m 777 /tmp/shared
plant "$TRUDY" /tmp/shared
decides_nothing "a folder for all" /tmp/shared

say "others' file in a folder of root"
install -d -m 755 /tmp/roots
install -m 644 -o "$TRUDY" /tmp/shared/victim.ini /tmp/roots/victim.ini
decides_nothing "a user's file" /tmp/roots
install -m 664 -o root -g "$TRUDY" /tmp/shared/victim.ini /tmp/roots/victim.ini
decides_nothing "a group's file" /tmp/roots
rm /tmp/roots/victim.ini
ln -s /tmp/theirs/victim.ini /tmp/roots/victim.ini
decides_nothing "a link to a user's file" /tmp/roots
rm /tmp/roots/victim.ini

say "bare-name-includes-others-file"
printf '[vm]\ninclude = /tmp/theirs/victim.ini\n' > /tmp/roots/victim.ini
[[ $(taken_in /tmp/roots) != guest=planted ]] || hole "what root's profile includes is a user's"

say "what is root's own counts, and so does what is named by its path"
install -m 644 /tmp/shared/victim.ini /tmp/roots/victim.ini
assert_eq guest=planted "$(taken_in /tmp/roots)" "root's own file"
expect_exit 0 "$HVR" print /tmp/theirs/victim.ini
cd /tmp/theirs
expect_exit 0 by_sudo print victim
assert_match guest=planted "$(< /tmp/stdout)" "the caller's own file"
no_holes
