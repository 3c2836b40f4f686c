# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bash completion of hailo-vm-run(1). The program itself knows what can stand where: see
# launcher/command/complete.c for what it answers.

_hailo_vm_run()
{
	local line=$COMP_LINE word words=() answer kind suffix stem i

	# bash takes words apart at '=' and ':'. What has no blank between belongs together.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $i == 0 || $line == [[:blank:]]* ]]; then
			words+=("$word")
		else
			words[-1]+=$word
		fi
		line=${line#"${line%%[![:blank:]]*}"}
		line=${line#"$word"}
	done

	# And it replaces only what is behind the last of them.
	word=${words[-1]}
	stem=${word%"${word##*[=:]}"}
	COMPREPLY=()
	while IFS=$'\t' read -r answer _; do
		read -r kind suffix <<< "$answer"
		case $kind in
		:files) _hailo_vm_run_files -f "${word##*=}" "$suffix" ;;
		:folders) _hailo_vm_run_files -d "${word##*=}" ;;
		*) COMPREPLY+=("${answer#"$stem"}") ;;
		esac
	done < <("${words[0]/#\~/$HOME}" --complete "${words[@]:1}" 2> /dev/null)
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2> /dev/null
}

# With a suffix also folders, in which such a file may be
_hailo_vm_run_files() # -f|-d START [SUFFIX]
{
	local file

	compopt -o filenames 2> /dev/null
	while IFS= read -r file; do
		[[ $file != *"${3:-}" && ! -d $file ]] || COMPREPLY+=("$file")
	done < <(compgen "$1" -- "$2")
}

complete -F _hailo_vm_run hailo-vm-run
