#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stage "prepare" of GitLab's custom executor: a VM of this job's own, when a card is free and until
# its guest is ready. What fails here is never the job's fault; the runner tries it three times.
#
# Usage: prepare.sh PROFILE

# A job that is cancelled: what is asked below has the signal, too, and this waits until it has ended
trap 'exit "$SYSTEM_FAILURE_EXIT_CODE"' TERM
hailo-vm-run run --detach --wait=3600 --wait-ready=300 --name="$HAILO_VM_JOB" "$1" &&
	hailo-vm-run exec --no-input "$HAILO_VM_JOB" -- bash -c true ||
	exit "$SYSTEM_FAILURE_EXIT_CODE"
echo "the VM is $HAILO_VM_JOB"
