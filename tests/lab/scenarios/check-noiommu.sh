# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 240
# A host whose kernel does not use its IOMMU: check says so, with the argument that is missing.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone noiommu

card=$(card alone)
profile lab <<-END
	[device npu]
END

expect_exit 0 "$HVR" list
assert_match "$card +Hailo-8 AI accelerator +none " "$(cat /tmp/stdout)"
expect_exit 0 "$HVR" list --json
assert_match '"iommu_group":null,"group_members":\[\]' "$(cat /tmp/stdout)"

expect_exit 1 "$HVR" check /tmp/lab.ini
seen=$(cat /tmp/stdout)
assert_match "FAIL +iommu: host: the firmware describes one \(ACPI table DMAR\)" "$seen"
assert_match "fix: put intel_iommu=on in the place of intel_iommu=off" "$seen"
assert_match "FAIL +card-group: $card: it has no IOMMU group" "$seen"
assert_match "not ready: iommu, card-group \(2 of [0-9]+ failed\)" "$seen"
expect_exit 1 "$HVR" check
expect_exit 1 "$HVR" check --json
assert_match '^\{"ready":false' "$(cat /tmp/stdout)"

say "run says the same"
expect_exit 69 "$HVR" run /tmp/lab.ini
assert_match "it has no IOMMU group" "$(cat /tmp/stderr)"
assert_match "hint: put intel_iommu=on in the place of" "$(cat /tmp/stderr)"
[[ ! -e $RUNTIME/devices/$card.ini ]] || fail "something was journalled"
