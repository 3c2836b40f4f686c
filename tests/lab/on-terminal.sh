# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scenarios that type at a terminal share, on top of program.sh.

# What a user's shell sees of its terminal around one command
cat > /tmp/user <<-'END'
	state() { stty -g; sed -n 's/^flags:[[:space:]]*//p' /proc/self/fdinfo/0; }
	state > /tmp/before
	tty > /tmp/tty
	status=0
	"$@" || status=$?
	state > /tmp/after
	echo "$status" > /tmp/status
END
rm -f /tmp/keys
mkfifo /tmp/keys
exec {keys}<> /tmp/keys

# Runs a command on a terminal of its own; /tmp/screen is what that shows
on_terminal() # COMMAND...
{
	rm -f /tmp/{before,after,status,tty,screen}
	script -qfec "bash /tmp/user $*" /tmp/screen <&"$keys" > /dev/null &
	script_pid=$!
}

# Types, as printf has it
type_keys() # FORMAT
{
	# shellcheck disable=SC2059
	printf "$1" >&"$keys"
}

# The command has ended, and the terminal is as it was
as_found() # STATUS WHAT
{
	wait "$script_pid" || true
	assert_eq "$1" "$(cat /tmp/status)" "status of $2"
	assert_eq "$(cat /tmp/before)" "$(cat /tmp/after)" "the terminal, after $2"
}

# The terminal is raw now, or a test of what is put back shows nothing
in_use()
{
	[[ $(stty -g -F "$(cat /tmp/tty)") != "$(head -n 1 /tmp/before)" ]] ||
		fail "the terminal is not in use: this shows nothing"
}
