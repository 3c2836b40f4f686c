# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In the guest, around a command: its output goes by pipes into files of some MiB, of which two at
# most wait to be read, so that it is held up when nobody reads; its input comes in files, too.
# The status is the command's; or 125, and "why" has "STATUS TEXT".
#
#	out.pipe out.0 out.1...	what it says, the same for err
#	out.ack			a line for each file that was read
#	in.0 in.1... in.ack	its input; the line says which file is there, or that it was the last
#	pid run out.pump...	the command's, ours, and whose pipe is read
#	ended			the pid is nobody's any more, or somebody else's
#
# Arguments: DIR INPUT USER LIMIT INNER, and what inner.sh gets
dir=$1 input=$2 user=$3 limit=$4 inner=$5
shift 5
echo $$ > "$dir/run"

# What dd said of its last turn: "N+M records in", and mostly, but not by POSIX, "N bytes".
count() # NAME
{
	records='' bytes=''
	while read -r first second _; do
		case $second in
		records) records=${records:-$first} ;;
		bytes) bytes=$first ;;
		esac
	done < "$dir/$1.log"
}

pump() # NAME
{
	umask 077
	n=0 size=0 waiting=0
	while LC_ALL=C dd bs=16384 count=128 >> "$dir/$1.$n" 2> "$dir/$1.log"; do
		count "$1"
		[ "$records" != 0+0 ] || return 0
		case $bytes in
		'' | *[!0-9]*) size=$(wc -c < "$dir/$1.$n") ;;
		*) size=$((size + bytes)) ;;
		esac
		[ "$size" -ge "$limit" ] || continue
		n=$((n + 1)) size=0 waiting=$((waiting + 1))
		: > "$dir/$1.$n"
		while [ "$waiting" -gt 1 ]; do
			read -r word <&3
			[ "$word" = read ] || exec cat > /dev/null
			rm -f "$dir/$1.$((n - waiting))"
			waiting=$((waiting - 1))
		done
	done
	return 1
}

feed()
{
	while read -r n <&3 && [ "$n" != end ]; do
		cat "$dir/in.$n" || return
		rm -f "$dir/in.$n"
	done
}

fail() # TEXT
{
	echo "125 $1" >> "$dir/why"
	exit 125
}

become()
{
	uid=$(id -u -- "$user") || fail "the guest has no user '$user'"
	gid=$(id -g -- "$user")
	[ "$(id -u)" = 0 ] || fail "the guest's agent does not run as root"
	entry=$(getent passwd "$uid" || grep "^[^:]*:[^:]*:$uid:" /etc/passwd)
	chown "$uid" "$dir/out.pipe" "$dir/err.pipe" "$dir/in.pipe"
	chmod 711 "$dir"
	[ ! -e "$dir/script" ] || chown "$uid:$gid" "$dir/script"
	IFS=: read -r USER _ _ _ _ HOME SHELL <<-END
		$entry
	END
	LOGNAME=$USER
	export USER LOGNAME HOME SHELL
}

exec 2> /dev/null
[ -z "$user" ] || become
set -- -c "$inner" sh "$@"
if [ -z "$user" ]; then
	set -- sh "$@"
elif setpriv --reuid "$uid" --regid "$gid" --init-groups true; then
	set -- setpriv --reuid "$uid" --regid "$gid" --init-groups sh "$@"
elif command -v su > /dev/null; then
	set -- su -s /bin/sh "$user" "$@"
else
	fail "the guest has neither setpriv nor su"
fi
# What a command does to its group is not meant for the agent.
! command -v setsid > /dev/null || set -- setsid "$@"

stdin=/dev/null
pump out < "$dir/out.pipe" 3<> "$dir/out.ack" & out=$!
echo "$out" > "$dir/out.pump"
pump err < "$dir/err.pipe" 3<> "$dir/err.ack" & err=$!
echo "$err" > "$dir/err.pump"
if [ "$input" = yes ]; then
	stdin=$dir/in.pipe
	feed > "$stdin" 3<> "$dir/in.ack" & feed=$!
fi
# In a subshell, as else some shells have the pipes open themselves.
(exec "$@") < "$stdin" > "$dir/out.pipe" 2> "$dir/err.pipe" 8> "$dir/pid" 9>> "$dir/why"
status=$?
: > "$dir/ended"
[ "$input" != yes ] || kill "$feed"
# A pump may have been killed, by control.sh; one that failed has lost something, and mostly for want
# of the room that a line in "why" would take, too.
for pump in "$out" "$err"; do
	wait "$pump"
	case $? in
	0 | 137) ;;
	*) mv "$dir/full" "$dir/why" ;;
	esac
done
[ ! -s "$dir/why" ] || exit 125
exit "$status"
