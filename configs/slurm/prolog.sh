#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm's Prolog, as root: the cards of this job are put on vfio-pci, for its user.
#
# A prolog that fails drains the node, so it never does: a job without a prepared card says so itself,
# with a status that is not its test's (125).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

for card in $(echo "$SLURM_JOB_GPUS" | tr , ' '); do
	HAILO_VM_JOB=$SLURM_JOB_ID HAILO_VM_CARDS=$card hailo-vm-run prepare --wait=60 \
		--set security.user="$SLURM_JOB_USER" /etc/hailo-vm-run/slurm-card.ini 2>&1 |
		logger -t "hailo-prolog[$SLURM_JOB_ID]"
done
exit 0
