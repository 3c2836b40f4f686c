#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stage "cleanup" of GitLab's custom executor: it comes however the job has ended, also when it was
# cancelled. Where "prepare" has failed there is no VM, and nothing is said.

hailo-vm-run status "$HAILO_VM_JOB" > /dev/null 2>&1 || exit 0
exec hailo-vm-run stop --timeout=10 "$HAILO_VM_JOB"
