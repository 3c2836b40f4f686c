# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# list and check as people run them: what is there is shown, what is wrong is named, and the fix
# that is told makes the line pass. Neither of them changes anything.
# timeout: 600
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone century noacs edu

card=$(card alone)

# Fails unless /tmp/stdout has a line STATUS ID: SUBJECT: with these words, and that fix below it
assert_line() # STATUS ID WORDS [FIX]
{
	local text

	text=$(cat /tmp/stdout)
	assert_match "$1 +$2: [^"$'\n'"]*$3" "$text" "a line of check"
	[[ ! ${4:-} ]] || assert_match "$1 +$2: [^"$'\n'"]*"$'\n'" +fix: [^"$'\n'"]*$4" "$text" "its fix"
}

# All that could be changed: attributes and drivers of every card, nodes, modules, our own folders
host_state()
{
	local topology address

	for topology in alone century noacs edu; do
		for address in $(functions_of "$topology"); do
			snapshot "$address"
		done
	done
	find /dev/vfio -printf '%p %U %m\n' 2> /dev/null | sort || true
	cut -d' ' -f1 /proc/modules | sort
	find /run/hailo-vm-run 2> /dev/null | sort || true
}

give_host_driver "$card"
clear_counts "$card"
before=$(host_state)
profile lab <<-END
	[device npu]
	address = $card
END

say "list"
expect_exit 0 "$HVR" list
assert_eq 5 "$(wc -l < /tmp/stdout)" "lines of list: a headline and four cards"
assert_match "$card +Hailo-8 AI accelerator +$(group_of "$card") +uio_pci_generic +free +flr bus" \
	"$(cat /tmp/stdout)"
assert_match "$(card century 1) [^"$'\n'"]*\+ [^"$'\n'"]*$(nic century)" "$(cat /tmp/stdout)" \
	"the century card's group"
expect_exit 0 "$HVR" list --all
assert_match "$(card edu) " "$(cat /tmp/stdout)"
assert_eq "$(find /sys/bus/pci/devices -mindepth 1 | wc -l)" "$(($(wc -l < /tmp/stdout) - 1))" \
	"functions of list --all"
expect_exit 0 "$HVR" list --json
assert_match "\"address\":\"$card\"[^}]*\"driver\":\"uio_pci_generic\"[^}]*\"node\":\"/dev/uio" \
	"$(cards_json)"
expect_exit 0 "$HVR" list --tree
assert_match "0000:00:04.0 [^"$'\n'"]*"$'\n'"[^"$'\n'"]*$card Hailo-8" "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" list --dot
assert_match "\"0000:00:04.0\" -> \"$card\";" "$(cat /tmp/stdout)"
expect_exit 64 "$HVR" list --dot --json

say "list as nobody: the same, but for what they may not see"
expect_exit 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$HVR" list
assert_match "$card +Hailo-8 AI accelerator +[0-9]+ +uio_pci_generic +unknown" "$(cat /tmp/stdout)"

say "a host that is ready"
expect_exit 0 "$HVR" check
expect_exit 0 "$HVR" check /tmp/lab.ini
assert_line PASS iommu "Intel VT-d \(dmar0\), [0-9]+ groups"
assert_line PASS interrupts "remapped"
assert_line PASS card-use "nobody uses it"
assert_line PASS card-resets "bus resets still reach it"
assert_line PASS run "VM 'lab' would start with 1 card"
expect_exit 0 "$HVR" check --json /tmp/lab.ini
assert_match '^\{"ready":true,"checks":\[\{"id":"cpu","status":"PASS"' "$(cat /tmp/stdout)"
assert_eq "$before" "$(host_state)" "the host after list and check"
assert_eq "0 0" "$(flr_count "$card") $(reset_count "$card")" "resets by list and check"

say "the card is held open; its holder ends"
exec {held}<> "$(host_node "$card")"
expect_exit 1 "$HVR" check /tmp/lab.ini
assert_line FAIL card-use "in use by .*pid $$, has $(host_node "$card") open" "end what uses it"
expect_exit 0 "$HVR" list
assert_match "$card [^"$'\n'"]*\(pid $$\)" "$(cat /tmp/stdout)"
exec {held}>&-
expect_exit 0 "$HVR" check /tmp/lab.ini

say "a module is blacklisted; it is not"
mkdir -p /etc/modprobe.d
echo "blacklist vfio-pci" > /etc/modprobe.d/hvr-lab.conf
expect_exit 1 "$HVR" check /tmp/lab.ini
assert_line FAIL vfio-pci "blacklisted in modprobe.d" "blacklist vfio-pci"
expect_exit 69 "$HVR" run /tmp/lab.ini
rm /etc/modprobe.d/hvr-lab.conf
expect_exit 0 "$HVR" check /tmp/lab.ini

say "a network card in the group; the profile gives it up"
give_nic_driver "$(nic century)"
sed "s/^address.*/address = $(card century 1)/" /tmp/lab.ini > /tmp/century.ini
expect_exit 1 "$HVR" check /tmp/century.ini
assert_line FAIL card-group "the host uses $(nic century) \(8086:100e, driver e1000\)" \
	"set in \[device npu\] group = bind"
expect_exit 69 "$HVR" run /tmp/century.ini
expect_exit 0 "$HVR" check /tmp/century.ini --set device.npu.group=bind
assert_line PASS run "2 PCI functions would change hands"

say "a plain user: the card is not theirs, then it is, and the limit is tiny, then it is not"
as_user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}
chmod 644 /tmp/lab.ini
expect_exit 1 as_user "$HVR" check /tmp/lab.ini
assert_line FAIL card-node "not prepared for user nobody" "prepare"
expect_exit 0 "$HVR" prepare /tmp/lab.ini
assert_match "npu: $card is on vfio-pci for user nobody, until 'hailo-vm-run release $card'" \
	"$(cat /tmp/stderr)"
expect_exit 1 as_user prlimit --memlock=8388608:8388608 "$HVR" check /tmp/lab.ini
assert_line PASS card-node "user nobody may open /dev/vfio/$(group_of "$card")"
assert_line FAIL memlock "may lock 8 MiB of memory" "memlock unlimited"
prlimit --memlock=unlimited:unlimited --pid $$
expect_exit 0 as_user "$HVR" check /tmp/lab.ini
assert_line PASS memlock "no limit"
expect_exit 0 "$HVR" list
assert_match "$card [^"$'\n'"]*free, prepared" "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" release "$card"

say "a VM has it; the VM ends"
run_vm lab
expect_exit 1 "$HVR" check /tmp/lab.ini
assert_line FAIL card-use "in use by VM 'lab', pid $run_pid" "hailo-vm-run stop"
expect_exit 0 "$HVR" list
assert_match "$card [^"$'\n'"]*VM lab \(pid $run_pid\)" "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" stop lab
wait "$run_pid" || true
expect_exit 0 "$HVR" check /tmp/lab.ini

say "print"
expect_exit 0 "$HVR" print --format libvirt /tmp/century.ini
assert_eq 3 "$(grep -c '<hostdev ' /tmp/stdout)" "hostdevs: two cards and a network card"
expect_exit 0 "$HVR" print --format docker /tmp/lab.ini
assert_match "--device=$(host_node "$card"):$(host_node "$card")" "$(cat /tmp/stdout)"
expect_exit 64 "$HVR" print --format libvrit /tmp/lab.ini
assert_match "did you mean 'libvirt'" "$(cat /tmp/stderr)"

say "the card falls off the bus"
kill_card "$card"
expect_exit 1 "$HVR" check /tmp/lab.ini
assert_line FAIL card-alive "all ones" "power the host off and on"
clear_counts "$card"
expect_exit 0 "$HVR" check /tmp/lab.ini
