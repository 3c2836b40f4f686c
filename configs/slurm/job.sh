#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#SBATCH --job-name=hailo-test
#SBATCH --gres=gpu:hailo8:1
#SBATCH --time=30
#
# sbatch job.sh: a test in a VM with the card that Slurm has given the job. Its profile has pick = free.
#
# The job's exit code is the test's, 124 if it took too long, or 125 if it could not be made.

exec hailo-vm-run test --junit="report-$SLURM_JOB_ID.xml" --timeout=900 guest.ini -- \
	hailortcli fw-control identify < /dev/null
