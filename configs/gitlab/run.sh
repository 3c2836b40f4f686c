#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stage "run" of GitLab's custom executor: the runner's script, in the guest. It comes for each part of
# a job: get_sources, build_script, after_script and the others.
#
# 125 means that the script could not be run or judged, so one that ends with it itself has to say
# something else. git wants a HOME, which a guest's agent has not when systemd has started it.
#
# Usage: run.sh SCRIPT PART

# A job that is cancelled: what is asked below has the signal, too, and this waits until it has ended
trap 'exit "$SYSTEM_FAILURE_EXIT_CODE"' TERM
# shellcheck disable=SC2016 # for the guest's shell
hailo-vm-run exec "$HAILO_VM_JOB" -- sh -c 'export HOME="${HOME:-/root}"
	bash
	status=$?
	[ $status != 125 ] || status=1
	exit $status' < "$1"
status=$?
case $status in
0) exit 0 ;;
125) exit "$SYSTEM_FAILURE_EXIT_CODE" ;;
esac
# For allow_failure:exit_codes; older runners do not ask
[ -z "$BUILD_EXIT_CODE_FILE" ] || echo "$status" > "$BUILD_EXIT_CODE_FILE"
exit "$BUILD_FAILURE_EXIT_CODE"
