# SPDX-License-Identifier: GPL-2.0-or-later
#
# fish completion of hailo-vm-run(1). The program itself knows what can stand where: see
# launcher/command/complete.c for what it answers.

function __hailo_vm_run
    set -l words (commandline --cut-at-cursor --tokenize --current-process)
    set -l word (commandline --cut-at-cursor --current-token)
    set -l stem (string match --regex '^.*=' -- $word)
    set --query stem[1]; or set stem ''
    set -l start (string replace --regex '^.*=' '' -- $word)

    for answer in (command $words[1] --complete $words[2..-1] "$word" 2> /dev/null)
        switch $answer
            case ':files *'
                set -l suffix (string replace ':files ' '' -- $answer | string escape --style=regex)
                printf '%s\n' $stem(__fish_complete_path $start | string match --regex "^.*(/|$suffix)(\t.*)?\$")
            case :files
                printf '%s\n' $stem(__fish_complete_path $start)
            case :folders
                printf '%s\n' $stem(__fish_complete_directories $start)
            case '*'
                printf '%s\n' $answer
        end
    end
end

complete --command hailo-vm-run --no-files --arguments '(__hailo_vm_run)'
