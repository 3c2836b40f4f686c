# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What a case types and reads: shells on real terminals, each a window of a tmux server of the case's
# own, as a plain user with a runtime folder of their own. Nothing sleeps: the shell tells tmux when it
# shows its prompt, and what a window shows wakes who waits for it.
#
# A case is a file in cases/, in a subshell of its own. It says in its line `needs` what of this it
# wants:
#
#	tree	TREE, a captured host with a card, for --root
#	vm	vm.ini, a VM without a card, whose guest is a shell on its serial port; its name is in $vm
#
# and then uses what stands below. The current folder is the user's, and empty but for that.
# shellcheck disable=SC2154 # here, work, program and cache are the runner's, vm is set here

AWAIT_S=60

# The user of the terminal. tests/run is root's, who is not whom most of this is for.
as_user() # COMMAND...
{
	local -a set=(env -i HOME="$desk" XDG_RUNTIME_DIR="$desk/run" XDG_CONFIG_HOME="$desk"
		PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C.UTF-8 SHELL=/bin/bash
		ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}")

	if [[ $EUID == 0 ]]; then
		setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "${set[@]}" "$@"
	else
		"${set[@]}" "$@"
	fi
}

tmux_say()
{
	as_user tmux -S "$desk/tmux" -f /dev/null "$@"
}

fail() # WHAT
{
	local name

	echo "$case_name: $1"
	for name in "${!windows[@]}"; do
		echo "--- window $name:"
		tmux_say capture-pane -p -S - -t "$name" 2> /dev/null | sed '/^$/d' | tail -n 40 || true
	done
	exit 1
}

needs() # WHAT...
{
	local what

	for what; do
		"need_$what"
	done
}

# shellcheck disable=SC2034 # the cases'
need_tree()
{
	TREE=$work/tree
}

need_vm()
{
	vm=lab
	cat > "$desk/vm.ini" <<-END
		[vm]
		name = $vm
		memory = 192M
		cpus = 1
		accel = tcg
		[boot]
		kernel = $work/guest/vmlinux
		initrd = $work/guest/initrd
		cmdline = console=ttyS0 quiet panic=-1
		[serial]
		mode = stdio
	END
}

# A shell on a terminal of this size; what follows is about it
window() # NAME COLUMNS LINES
{
	local fd fifo=$desk/$1.fifo

	as_user mkfifo "$fifo"
	tmux_say new-session -d -s "$1" -x "$2" -y "$3" "exec bash --noprofile --rcfile $here/rc"
	tmux_say set-option -t "$1" status off \; set-option -t "$1" window-size manual \; \
		resize-window -t "$1" -x "$2" -y "$3"
	# Open for both, so that it has no end
	exec {fd}<> "$fifo"
	windows[$1]=$fd
	tmux_say pipe-pane -t "$1" "exec cat > $fifo"
	in_window "$1"
	await_prompt
}

in_window() # NAME
{
	window=$1
}

type_text() # TEXT
{
	tmux_say send-keys -t "$window" -l -- "$1"
}

# Starts the VM of vm.ini on this window's terminal, and waits for its guest's prompt there
start_vm() # OPTION...
{
	clear_screen
	line "hailo-vm-run run $* vm.ini"
	await "^guest is up"
	await "^guest# "
}

# The same without a terminal
detach_vm() # OPTION...
{
	run "hailo-vm-run run --detach $* vm.ini"
	expect_status 0
}

# In the guest, whose shell is on this window; its answer is not among the words that are typed
ask_guest()
{
	local number=$((RANDOM % 1000 + 1000))

	clear_screen
	line "echo \$(($number + 1))"
	await "^$((number + 1))" 20
}

# One of the program's own keys
escape() # KEY
{
	keys C-]
	keys "$1"
}

# In tmux' words: C-], C-c, Enter
keys() # KEY...
{
	tmux_say send-keys -t "$window" -- "$@"
}

line() # TEXT
{
	type_text "$1"
	keys Enter
}

# The shell's, not the guest's
await_prompt()
{
	as_user timeout "$AWAIT_S" tmux -S "$desk/tmux" wait-for "prompt-$window" ||
		fail "no prompt in $window within $AWAIT_S s"
}

# Types a command at the shell's prompt; afterwards the screen has that and what came of it
run() # COMMAND
{
	clear_screen
	line "$1"
	await_prompt
}

clear_screen()
{
	tmux_say send-keys -R -t "$window" \; clear-history -t "$window"
}

# All that the window has shown since it was cleared, a line as it was written
screen()
{
	tmux_say capture-pane -p -J -S - -t "$window"
}

screen_in_colour()
{
	tmux_say capture-pane -p -e -t "$window"
}

# Is it there? Not by a pipe, whose first part may not get to its end
shows() # REGEX
{
	local text

	text=$(screen)
	grep -qE -- "$1" <<< "$text"
}

# Waits until it is on the screen
await() # REGEX [SECONDS]
{
	local end=$((SECONDS + ${2:-$AWAIT_S})) fd=${windows[$window]}

	until shows "$1"; do
		((SECONDS < end)) || fail "no '$1' in $window within ${2:-$AWAIT_S} s"
		# Returns as soon as there is anything
		timeout $((end - SECONDS)) dd bs=65536 count=1 status=none <&"$fd" \
			>> "$desk/$window.raw" || true
	done
}

expect() # REGEX
{
	shows "$1" || fail "no '$1' in $window"
}

refuse() # REGEX
{
	! shows "$1" || fail "'$1' in $window"
}

# Of the last command that the shell in this window has run
expect_status() # STATUS
{
	local status

	status=$(< "$desk/status-$window")
	[[ $status == "$1" ]] || fail "status $status, not $1"
}

# No line is longer than the window is wide
expect_unwrapped()
{
	local shown joined

	shown=$(tmux_say capture-pane -p -S - -t "$window" | sed 's/ *$//' | sed '/^$/d' | wc -l)
	joined=$(screen | sed 's/ *$//' | sed '/^$/d' | wc -l)
	[[ $shown == "$joined" ]] || fail "$((shown - joined)) lines are wrapped: $1"
}

# A file has no escape sequence
expect_plain() # FILE
{
	[[ -e $desk/$1 ]] || fail "there is no $1"
	! grep -q $'\e' "$desk/$1" || fail "an escape sequence in $1"
}

# Begins a case
open_desk()
{
	declare -gA windows=()
	desk=$(mktemp -d "$work/desk-XXXXXX")
	mkdir "$desk/run"
	chmod 700 "$desk/run"
	[[ $EUID != 0 ]] || chown -R nobody "$desk"
	cd "$desk" || exit
}

# All processes that began with this home, and those that have the folder among their words, as QEMU
desk_processes()
{
	local folder

	for folder in /proc/[0-9]*; do
		! grep -qszx "HOME=$desk" "$folder/environ" || echo "${folder#/proc/}"
	done
	pgrep -f -- "$desk/" || true
}

kill_desk() # SIGNAL
{
	local pid

	for pid in $(desk_processes); do
		[[ $pid == "$BASHPID" ]] || kill -s "$1" "$pid" 2> /dev/null || true
	done
}

# Ends it: its VMs, its terminals, its folder
close_desk()
{
	local name

	kill_desk CONT
	for name in "$desk"/run/hailo-vm-run/vms/*/; do
		[[ -d $name ]] || continue
		name=${name%/}
		as_user timeout 60 hailo-vm-run stop --force "${name##*/}" > /dev/null 2>&1 || true
	done
	tmux_say kill-server 2> /dev/null || true
	kill_desk KILL
	cd /
	rm -rf "$desk"
}
