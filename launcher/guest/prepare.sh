# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In the guest, before a command: a folder of its own, on a tmpfs where there is one, for what it
# says and reads. Prints its name.
#
#	alive	grows while the host is there
#	watch	who cleans up when it is not
#
# Arguments: SCRIPT PATIENCE: "yes": a script will be put there, so programs must be allowed to run
umask 077
script=$1 patience=$2

# When nobody has been heard for so long, what the command says goes nowhere, as it does of an agent
# that nobody asks, and nothing is left.
watch()
{
	exec < /dev/null > /dev/null 2>&1
	cd /
	seen=
	# shellcheck disable=SC2064 # whoever sleeps now
	while sleep "$patience" & trap "kill $!; exit" TERM; wait $!; do
		grown=$(wc -c < "$dir/alive") || exit
		[ "$grown" != "$seen" ] || break
		seen=$grown
	done
	for name in out err in; do
		echo end 1<> "$dir/$name.ack"
	done
	while read -r run < "$dir/run" && kill -0 "$run"; do
		sleep 1
	done
	rm -rf "$dir"
}

for tool in cat dd mkfifo mktemp mv rm sleep wc; do
	command -v "$tool" > /dev/null || exit 1
done
for base in /run /dev/shm /tmp /var/tmp; do
	dir=$(mktemp -d "$base/hailo-vm-run.XXXXXXXXXX") || continue
	if [ "$script" = yes ]; then
		printf '#!/bin/sh\n' > "$dir/script"
		chmod 700 "$dir/script"
	fi
	if { [ "$script" != yes ] || "$dir/script"; } && cd "$dir" &&
		mkfifo out.pipe err.pipe in.pipe out.ack err.ack in.ack &&
		: > out.0 && : > err.0 && : > alive && : > why && : > pid &&
		echo "125 the guest has no room to keep what it says" > full; then
		# While somebody has it, what is written there stays.
		exec 3<> in.ack
		watch &
		echo $! > watch
		printf '%s\n' "$dir"
		exit
	fi
	cd /
	rm -rf "$dir"
done
exit 1
