#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm's Epilog, as root: what was prepared for this job, and for no other, goes back to the host. Slurm
# calls it when all processes of the job are gone, however they ended.
#
# An epilog that fails drains the node, so it never does: a card that its driver does not take back is
# held by hailo-vm-run itself, and `hailo-vm-run list` says why.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

[ -z "$SLURM_JOB_GPUS" ] || hailo-vm-run release --job="$SLURM_JOB_ID" 2>&1 |
	logger -t "hailo-epilog[$SLURM_JOB_ID]"
exit 0
