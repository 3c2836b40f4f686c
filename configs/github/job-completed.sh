#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ACTIONS_RUNNER_HOOK_JOB_COMPLETED of GitHub's runner: ends the VMs that the job has left, and the host
# gets their cards back. Others' VMs are left alone, also those of another runner on this host: each has
# a folder of its own, by which the VMs of its jobs are known.

read -r sum _ < <(cksum <<< "$RUNNER_TEMP")
for vm in $(hailo-vm-run status --json |
	jq -r --arg job "github-$sum" '.vms[] | select(.job == $job).name'); do
	hailo-vm-run stop --timeout=10 "$vm"
done
