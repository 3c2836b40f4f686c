#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stage "config" of GitLab's custom executor: the name of this job's VM, for the other stages.
#
# Not CUSTOM_ENV_CI_JOB_ID, nor any other variable of the job: a job can set those, to the number of
# another whose VM would then be stopped. The runner asks once more for each try of "prepare".
read -r id < /proc/sys/kernel/random/uuid
cat << END
{
	"driver": { "name": "hailo-vm-run" },
	"job_env": { "HAILO_VM_JOB": "gitlab-$id" }
}
END
