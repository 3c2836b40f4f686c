# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# Root opens what a profile and a command line name, for a user who may do less.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
# shellcheck source=tests/lab/attacks.sh
source "${LAB_LIB%/*}/attacks.sh"

# Reads all files that it has, says whose they are, and writes into them
standin looter <<-'END'
	for fd in /proc/self/fd/*; do
		n=${fd##*/}
		[[ $n -gt 2 && ( -f $fd || -b $fd ) ]] || continue
		{ stat -Lc 'owner %u' "$fd"; cat "$fd"; cat <&"$n"; } \
			>> /tmp/theirs/loot 2> /dev/null
		printf 'evil' 2> /dev/null >&"$n"
	done
	exit 0
END
standin talker <<-END
	exec $INTRUDER qemu good "\$@"
END

# A profile of mallory's: more lines come from standard input
theirs() # STANDIN
{
	cat > /tmp/theirs/lab.ini <<-END
		[vm]
		name = lab
		memory = 64M
		accel = tcg
		[qemu]
		binary = /tmp/theirs/$1
	END
	cat >> /tmp/theirs/lab.ini
	rm -f /tmp/theirs/loot
}

run_theirs() # WHAT
{
	local status=0

	by_sudo run /tmp/theirs/lab.ini > /tmp/said 2>&1 || status=$?
	[[ $status != 124 && $status != 137 ]] || hole "$1: hangs"
	says_nothing "$1" /tmp/said
	root_is_untouched "$1"
	nothing_left
}

say "serial-file-of-root, through-linked-folder, through-link, hard-link, new-file"
ln -s /tmp/closed /tmp/theirs/folder
ln -s /tmp/exposed /tmp/theirs/link
ln /tmp/exposed /tmp/theirs/hard
for file in /tmp/closed/secret /tmp/theirs/link /tmp/theirs/hard /tmp/theirs/folder/secret \
	/tmp/theirs/folder/new /tmp/open/new /proc/self/root/tmp/exposed; do
	theirs looter <<-END
		[serial]
		mode = file
		file = $file
	END
	run_theirs "[serial] file = $file"
done
rm /tmp/theirs/hard

say "serial-file-on-block-device: a disk of this host"
modprobe brd rd_nr=1 rd_size=1024
[[ -b /dev/ram0 ]] || fail "there is no /dev/ram0"
mknod /tmp/theirs/disk b 1 0
chown "$MALLORY" /tmp/theirs/disk
for file in /dev/ram0 /tmp/theirs/disk; do
	before=$(stat -c '%u %g %a' "$file")
	theirs looter <<-END
		[serial]
		mode = file
		file = $file
	END
	run_theirs "[serial] file = $file"
	assert_eq "$before" "$(stat -c '%u %g %a' "$file")" "$file"
	! head -c 4096 /dev/ram0 | grep -qa evil || hole "[serial] file = $file: written to"
	head -c 4096 /dev/zero > /dev/ram0
done
rm /tmp/theirs/disk
rmmod brd

# The looter is no QEMU, and what was made for a VM that never was is removed again
say "serial-file-of-ones-own: what is mallory's is still made, and written to"
theirs looter <<-END
	[serial]
	mode = file
	file = /tmp/theirs/own
END
run_theirs "a new file of one's own"
assert_eq "owner $MALLORY" "$(< /tmp/theirs/loot)" "a new file of one's own"
[[ ! -e /tmp/theirs/own ]] || fail "/tmp/theirs/own is left of a start that failed"
as "$MALLORY" install -m 600 /dev/null /tmp/theirs/own
run_theirs "a file of one's own"
assert_eq "$MALLORY evil" "$(stat -c %u /tmp/theirs/own) $(< /tmp/theirs/own)" "a file of one's own"

say "image-in-root-folder"
for file in /tmp/theirs/folder/a.raw /tmp/open/a.raw; do
	theirs looter <<-END
		[disk root]
		file = $file
		format = raw
		size = 1M
	END
	run_theirs "[disk] file = $file"
done

say "seed-of-root-file"
for pair in user-data=/tmp/closed/secret meta-data=/tmp/theirs/link ssh-key=/tmp/exposed; do
	theirs looter <<-END
		[cloud-init]
		${pair%%=*} = ${pair#*=}
	END
	run_theirs "[cloud-init] $pair"
	[[ ! -e /tmp/theirs/loot ]] || says_nothing "[cloud-init] $pair" /tmp/theirs/loot
done

say "include-of-root-file-says-nothing, nor does a profile"
printf '[vm]\ninclude = /tmp/closed/secret\n' > /tmp/theirs/outer.ini
for words in "print /tmp/theirs/outer.ini" "run -n /tmp/closed/secret" "check /tmp/theirs/link" \
	"setup -n --profile /tmp/exposed" "release /tmp/closed/secret"; do
	# shellcheck disable=SC2086 # words
	by_sudo $words > /tmp/said 2>&1 || true
	says_nothing "$words" /tmp/said
done

say "events, junit and fetch follow no link"
theirs talker <<-'END'
	[guest]
	agent = yes
	ready = agent
END
report() # WHAT OPTION...
{
	local status=0

	by_sudo test -n /tmp/theirs/lab.ini "${@:2}" -- true > /tmp/said 2>&1 || status=$?
	[[ $status != 124 && $status != 137 ]] || hole "$1: hangs"
	root_is_untouched "$1"
}
for file in /tmp/theirs/link /tmp/theirs/folder/new; do
	report "--fetch to $file" --fetch "/evil:$file"
	report "--events=$file" --events="$file"
	report "--junit $file" --junit "$file"
done
expect_exit 0 by_sudo test -n /tmp/theirs/lab.ini --fetch /evil:/tmp/theirs/fetched \
	--junit /tmp/theirs/junit --events=/tmp/theirs/events -- true
for file in fetched junit events; do
	[[ $(stat -c %u "/tmp/theirs/$file") == "$MALLORY" ]] || hole "$file is not made as mallory"
done
assert_eq evil "$(< /tmp/theirs/fetched)" "what came out of the guest"

say "fifo-never-hangs"
as "$MALLORY" mkfifo -m 666 /tmp/theirs/fifo
for key in "[serial]|mode = file|file" "[cloud-init]|user-data" "[disk root]|format = raw|file" \
	"[vm]|include"; do
	theirs looter <<< "${key//|/$'\n'} = /tmp/theirs/fifo"
	run_theirs "$key = a FIFO"
done
theirs talker <<-'END'
	[guest]
	agent = yes
	ready = agent
END
report "--fetch to a FIFO" --fetch /evil:/tmp/theirs/fifo
report "--junit to a FIFO" --junit /tmp/theirs/fifo
report "--events to a FIFO" --events=/tmp/theirs/fifo
status=0
by_sudo print /tmp/theirs/fifo > /tmp/said 2>&1 || status=$?
[[ $status != 124 && $status != 137 ]] || hole "a profile that is a FIFO: hangs"
no_holes
