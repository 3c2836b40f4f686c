# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In the guest, about a command that run.sh has started.
#
# Arguments: WHAT DIR, and
#	signal N RUN	send it to the command and its group; RUN: the pid of run.sh
#	kill MARK	end all that it has started: its children, who has its mark in the
#			environment, who has its pipes
#	deaf NAME	nobody reads this output any more, which it learns by SIGPIPE
#	why		prints why it could not be run, if so
#	remove HOW	nothing is left; "ended": run.sh has
exec 2> /dev/null
what=$1 dir=$2

fell() # PID
{
	kill -STOP "$1"
	# shellcheck disable=SC2013 # they are words
	for child in $(cat "/proc/$1/task/"*/children); do
		fell "$child"
	done
	kill -KILL "$1"
}

# Whoever has a pipe but those who read it, of whom a shell may have it anywhere.
holders() # NAME
{
	read -r pump < "$dir/$1.pump"
	for file in /proc/[0-9]*/fd/[1-9]*; do
		# shellcheck disable=SC3013 # dash, bash, busybox and ksh have it
		[ "$file" -ef "$dir/$1.pipe" ] || continue
		file=${file#/proc/}
		[ "${file%%/*}" = "$pump" ] || echo "${file%%/*}"
	done
}

all_of_it() # MARK
{
	# shellcheck disable=SC2013 # they are words
	for file in $(grep -lsF "HAILO_VM_RUN_COMMAND=$1" /proc/[0-9]*/environ); do
		file=${file#/proc/}
		echo "${file%%/*}"
	done
	holders out
	holders err
}

deafen() # NAME
{
	! read -r pump < "$dir/$1.pump" || fell "$pump"
}

case $what in
signal)
	until read -r pid < "$dir/pid"; do
		kill -0 "$4" || exit
		sleep 1
	done
	kill -s "$3" -- "-$pid" || kill -s "$3" "-$pid" || [ -e "$dir/ended" ] ||
		kill -s "$3" "$pid"
	;;
kill)
	[ -e "$dir/ended" ] || ! read -r pid < "$dir/pid" || fell "$pid"
	for _ in 1 2 3 4 5; do
		pids=$(all_of_it "$3")
		[ -n "$pids" ] || break
		for pid in $pids; do
			fell "$pid"
		done
	done
	;;
deaf)
	deafen "$3"
	;;
why)
	cat "$dir/why"
	;;
remove)
	! read -r pid < "$dir/watch" || kill "$pid"
	[ "$3" = ended ] || { deafen out && deafen err; }
	rm -rf "$dir"
	;;
esac
