# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Builds for the tests and the demo: quiet unless something fails. Sourced from the top folder.

# Runs a command quietly: what it said is shown if it fails
quietly()
{
	local log status=0

	log=$(mktemp)
	"$@" > "$log" 2>&1 || status=$?
	[[ $status == 0 ]] || cat "$log"
	rm "$log"
	return "$status"
}

# A folder that was set up otherwise (by hand, in another checkout, by an older meson) is made anew:
# meson does not take all options in a second time
set_up() # FOLDER OPTION...
{
	local how=$1/set-up-with

	if [[ -e $1/build.ninja && $(cat "$how" 2> /dev/null) == "${*:2}" ]] &&
		quietly meson setup --reconfigure "$1" > /dev/null; then
		return
	fi
	rm -rf "$1"
	quietly meson setup "$@" && echo "${*:2}" > "$how"
}

# Warnings are errors for Debian 12's compiler. A newer one knows more of them, and whoever has it
# wants to see the tests run.
strictness()
{
	[[ $(gcc -dumpversion) == 12 ]] && echo -Dwerror=true || echo -Dwerror=false
}

# Once for all that use the folder
declare -A built

build() # FOLDER OPTION...
{
	if [[ ! ${built[$1]:-} ]]; then
		echo "building in $1"
		built[$1]=failed
		set_up "$@" && quietly ninja --quiet -C "$1" && built[$1]=yes
	fi
	[[ ${built[$1]} == yes ]]
}

# Fetches the kernel of the lab host, and whatever else it is made of. apt's lists may be older than the archive, or not there at all.
prepare_lab() # FOLDER where it was built
{
	tests/lab/host --build "$1" --prepare && return
	[[ $EUID == 0 ]] && command -v apt-get > /dev/null || return
	apt_get_quietly update && tests/lab/host --build "$1" --prepare
}
