# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scenarios of attacks share, on top of program.sh: two plain users, what is root's and nobody
# else's, a QEMU that somebody has taken over, and a list of the attacks that succeeded.
#
# An attack that succeeds is noted and the next one tried, so that a run against an older program
# shows all that it let through: tests/lab/host --program OLD alone attack-paths

# mallory may run the program by sudo, or has written the profile that root runs; trudy has no rights.
# In the lab host's /etc alone, which is in its memory.
MALLORY=4711
TRUDY=4712
# shellcheck disable=SC2016 # no expansion is wanted
SECRET='root:$6$salt$hashhashhash:19000:0:99999:7:::'

grep -q '^mallory:' /etc/passwd || {
	echo "mallory:x:$MALLORY:$MALLORY::/tmp/theirs:/bin/sh" >> /etc/passwd
	echo "trudy:x:$TRUDY:$TRUDY::/:/bin/sh" >> /etc/passwd
	echo "mallory:x:$MALLORY:" >> /etc/group
	echo "trudy:x:$TRUDY:" >> /etc/group
}

# /tmp/theirs is mallory's, /tmp/open root's for all to see. /tmp/closed is root's, with a file `secret`
# in it; /tmp/exposed is the same file, but with a name that all can reach.
install -d -m 755 -o "$MALLORY" -g "$MALLORY" /tmp/theirs
install -d -m 755 /tmp/open
install -d -m 700 /tmp/closed
(umask 077 && echo "$SECRET" > /tmp/closed/secret && echo "$SECRET" > /tmp/exposed)

as() # USER COMMAND...
{
	setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# The program as root, for mallory, who called sudo. One that hangs is ended, with 124 or 137.
by_sudo() # WORD...
{
	env SUDO_UID="$MALLORY" SUDO_GID="$MALLORY" SUDO_USER=mallory timeout -k 5 30 "$HVR" "$@"
}

holes=()

hole() # WHAT
{
	echo "SUCCEEDED: $1"
	holes+=("$1")
}

no_holes()
{
	[[ ${#holes[@]} == 0 ]] || fail "attacks that succeeded" "${holes[@]}"
}

# Nothing of root's files is changed, or known to mallory
root_is_untouched() # WHAT
{
	local file

	for file in /tmp/closed/secret /tmp/exposed; do
		[[ $(stat -c '%u %a' "$file") == "0 600" ]] ||
			hole "$1: $file is now: $(stat -c '%U %a' "$file")"
		[[ $(< "$file") == "$SECRET" ]] || hole "$1: $file was written to"
		chown 0:0 "$file"
		chmod 600 "$file"
		echo "$SECRET" > "$file"
	done
	for file in /tmp/closed/* /tmp/open/*; do
		[[ ! -e $file || $file == /tmp/closed/secret ]] || { hole "$1: made $file"; rm -rf "$file"; }
	done
}

says_nothing() # WHAT FILE...
{
	! grep -qa 'hashhash' "${@:2}" || hole "$1: the secret is in: $(grep -la hashhash "${@:2}")"
}

# A terminal would obey nothing in these files: no C0 but tab and newline, no DEL, no C1, as a
# character or as a byte of no character
is_harmless() # WHAT FILE...
{
	local seen

	seen=$(LC_ALL=C grep -anE $'[\001-\010\013-\037\177]|\302[\200-\237]|(^|[\001-\177])[\200-\237]' \
		"${@:2}" | cat -v | head -n 3) || true
	[[ ! $seen ]] || hole "$1: $seen"
}

# A program in QEMU's place, from standard input; it is given QEMU's words. What QEMU is asked before
# it is started the real one answers.
standin() # NAME
{
	{
		echo '#!/bin/bash'
		echo 'case "$*" in'
		echo '*-version | *"-device help" | *"-qmp stdio"*) exec qemu-system-x86_64 "$@" ;;'
		echo 'esac'
		cat
	} > "/tmp/theirs/$1"
	chmod 755 "/tmp/theirs/$1"
}
