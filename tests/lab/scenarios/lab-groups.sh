# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Each topology makes the IOMMU group it is there for, and each card looks as the real one does.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
needs alone two switch century noacs edu endpoints pm

# Prints what is in a card's group, the card itself as 'card', by kind and in order
group_kinds() # ADDRESS
{
	local member class kinds=

	for member in $(group_members "$1"); do
		read -r class < "/sys/bus/pci/devices/$member/class"
		case $class in
		0x0b40*) kinds+="card " ;;
		0x0604*) kinds+="bridge " ;;
		0x0200*) kinds+="nic " ;;
		*) kinds+="$class " ;;
		esac
	done
	echo "${kinds% }"
}

for name in alone.1 two.1 two.2 switch.1 switch.2 century.1 century.2 noacs.1 pm.1 pm.2; do
	address=$(card "${name%.*}" "${name##*.}")
	say "$name is $address, group $(group_of "$address"): $(group_kinds "$address")"
	case $name in
	alone.* | two.*) expected="card" methods="flr bus" ;;
	switch.*) expected="bridge card" methods="flr bus" ;;
	# The first card was alone on the bus when the kernel made its list
	century.1) expected="bridge card card nic" methods="flr bus" ;;
	century.2) expected="bridge card card nic" methods="flr" ;;
	pm.1) expected="card" methods="flr pm bus" ;;
	pm.2) expected="card" methods="pm bus" ;;
	noacs.*) expected="bridge bridge card nic" methods="flr bus" ;;
	esac
	assert_eq "$expected" "$(group_kinds "$address")" "group of $name"
	assert_eq "$methods" "$(cat "/sys/bus/pci/devices/$address/reset_method")" \
		"reset_method of $name"
	assert_eq none "$(driver_of "$address")" "driver of $name"
	assert_eq 0 "$(flr_count "$address")" "function resets of $name"
	assert_eq 1 "$(reset_count "$address")" "resets of $name: the machine's"
done

assert_eq "$(card edu)" "$(group_members "$(card edu)")" "group of the edu card"
for name in nvme nic 1; do
	address=$(card endpoints "$name")
	assert_eq "$address" "$(group_members "$address")" "group of endpoints.$name"
done
[[ $(nic century) && $(nic noacs) ]]

say "each state file belongs to its card"
for name in alone.1 two.1 two.2 switch.1 switch.2 century.1 century.2 noacs.1; do
	address=$(card "${name%.*}" "${name##*.}")
	echo flr > "/sys/bus/pci/devices/$address/reset_method"
	echo 1 > "/sys/bus/pci/devices/$address/reset"
	assert_eq "1 1" "$(flr_count "$address") $(reset_count "$address")" "resets of $name"
done

say "a reset by power state is one of the function"
for name in pm.1 pm.2; do
	address=$(card "${name%.*}" "${name##*.}")
	echo pm > "/sys/bus/pci/devices/$address/reset_method"
	echo 1 > "/sys/bus/pci/devices/$address/reset"
	assert_eq "1 1" "$(flr_count "$address") $(reset_count "$address")" "resets of $name"
done
