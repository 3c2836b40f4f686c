# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # program and vm are the script's
#
# Words for scripts that talk to the guest: $program is run in the current folder, $vm is the VM's
# name. 'ok NAME' or 'not ok NAME' for each test.

free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Runs hailo-vm-run: out, err and status have what came of it
run()
{
	status=0
	"$program" "$@" > out 2> err < "${input:-/dev/null}" || status=$?
}

test_name=
bad=

begin()
{
	end
	test_name=$1 bad=
}

end()
{
	[[ $test_name ]] || return 0
	if [[ $bad ]]; then
		echo "not ok $test_name"
	else
		echo "ok $test_name"
	fi
	test_name=
}

complain()
{
	bad=yes
	echo "$test_name: $1"
	sed 's/^/    out: /' out
	sed 's/^/    err: /' err
}

expect_status()
{
	[[ $status == "$1" ]] || complain "status $status, not $1"
}

expect() # FILE REGEX
{
	grep -qE -- "$2" "$1" || complain "no '$2' in $1"
}

milliseconds()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# Tells how long a command takes
timed() # WHAT COMMAND...
{
	local before took

	before=$(milliseconds)
	"${@:2}"
	took=$(($(milliseconds) - before))
	printf 'guest: %s took %d.%03d s\n' "$1" $((took / 1000)) $((took % 1000))
}

exec_in() # COMMAND...
{
	run exec "$vm" -- "$@"
}

# Waits for a line in a file that grows
await() # FILE REGEX SECONDS
{
	timeout "$3" grep -qE -m 1 -- "$2" <(tail -n +1 -F "$1" 2> /dev/null) ||
		complain "no '$2' in $1 within $3 s"
}

nothing_left()
{
	[[ ! -e /run/hailo-vm-run/vms/$vm ]] || complain "the VM's folder is still there"
	! pgrep -f "qemu-system.*$vm" > left || complain "still running: $(cat left)"
}

stop()
{
	timed "stop" run stop "$vm"
	expect_status 0
	nothing_left
}
