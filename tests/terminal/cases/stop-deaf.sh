# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A supervisor that is stopped, as by Ctrl-Z or a debugger, holds nobody up: `status` says so, and `stop`
# ends the VM in its time.
needs vm
window shell 80 24
detach_vm
run "hailo-vm-run status --json $vm > status.json"
supervisor=$(grep -oE '"supervisor_pid" ?: ?[0-9]+' "$desk/status.json" | grep -oE '[0-9]+$')
kill -STOP "$supervisor"
run "hailo-vm-run status"
expect "stopped"
before=$SECONDS
run "hailo-vm-run stop --timeout 2 $vm"
expect_status 0
((SECONDS - before < 30)) || fail "it took $((SECONDS - before)) s"
run "hailo-vm-run status"
expect "no VMs are running"
# Who has ended waits to be asked for by its parent, which here is whoever takes orphans
state=$(awk '/^State:/ { print $2 }' "/proc/$supervisor/status" 2> /dev/null || true)
[[ ! $state || $state == [ZX] ]] || fail "the supervisor is still there: $state"
