#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ACTIONS_RUNNER_HOOK_JOB_STARTED of GitHub's runner: ends what an earlier job of this runner has left,
# which happens where the runner itself was killed, and has the VMs of this one known as the job's.

bash -e "${0%/*}/job-completed.sh"
read -r sum _ < <(cksum <<< "$RUNNER_TEMP")
echo "HAILO_VM_JOB=github-$sum" >> "$GITHUB_ENV"
