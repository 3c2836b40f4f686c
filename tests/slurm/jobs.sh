# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 3000
# Debian's Slurm on one node with four cards, set up by the files of configs/slurm/: many jobs of two
# users, each with a VM. Some are cancelled and some are killed by their cgroup, while they start or when
# the VM runs. Each had the card that it was given, and nobody took it away; the node was never drained;
# and the host is as it was.
#
# Slurm's own processes leave the scenario's cgroup, so they are ended here.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs two switch

PLAIN=20 CANCELLED=10 KILLED=10
SLICE=/sys/fs/cgroup/system.slice
SCOPE=$SLICE/lab_slurmstepd.scope
CONFIGS=$LAB_SOURCE/configs/slurm
JOBS=/tmp/jobs
RANDOM=${HVR_SEED:-4711}

cards=()
states=()

# In the order of `list`, on a stand-in for their driver
find_four()
{
	local card

	for card in "$(card two 1)" "$(card two 2)" "$(card switch 1)" "$(card switch 2)"; do
		give_host_driver "$card"
		cards+=("$card")
		states+=("$(snapshot "$card")")
	done
	assert_eq "${cards[*]}" "$(printf '%s\n' "${cards[@]}" | sort | paste -sd ' ')" "the order of list"
}

write_gres()
{
	local card nodes=()

	for card in "${cards[@]}"; do
		nodes+=("$(host_node "$card")")
	done
	sed "s,rig1,lab,; s,/dev/hailo0,${nodes[0]},; s,/dev/hailo1,${nodes[1]},
		s,/dev/hailo2,${nodes[2]},; s,/dev/hailo3,${nodes[3]}," "$CONFIGS/gres.conf"
}

# The shipped lines, and what any slurm.conf has. L1 has no systemd.
write_slurm_conf()
{
	sed "s/^NodeName=rig1/NodeName=lab CPUs=8 RealMemory=1000/; s,/etc/slurm/hailo-epilog.sh,/etc/slurm/lab-epilog," \
		"$CONFIGS/slurm.conf"
	cat <<-END
		ClusterName=lab
		SlurmctldHost=lab
		SlurmUser=root
		SelectTypeParameters=CR_Core
		SlurmdParameters=config_overrides
		ReturnToService=0
		StateSaveLocation=/var/spool/slurmctld
		SlurmdSpoolDir=/var/spool/slurmd
		SlurmctldLogFile=/tmp/slurmctld.log
		SlurmdLogFile=/tmp/slurmd.log
		SlurmctldPidFile=/run/slurmctld.pid
		SlurmdPidFile=/run/slurmd.pid
		MessageTimeout=60
		PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
	END
}

# What the shipped epilog is called by tells when it has ended
write_configs()
{
	mkdir -p /etc/slurm /etc/hailo-vm-run /var/spool/slurmctld /var/spool/slurmd
	write_gres > /etc/slurm/gres.conf
	write_slurm_conf > /etc/slurm/slurm.conf
	{ cat "$CONFIGS/cgroup.conf" && printf 'IgnoreSystemd=yes\nCgroupAutomount=yes\n'; } \
		> /etc/slurm/cgroup.conf
	install "$CONFIGS/prolog.sh" /etc/slurm/hailo-prolog.sh
	install "$CONFIGS/epilog.sh" /etc/slurm/hailo-epilog.sh
	install -m 644 "$CONFIGS/slurm-card.ini" /etc/hailo-vm-run/slurm-card.ini
	cat > /etc/slurm/lab-epilog <<-END
		#!/bin/sh
		/etc/slurm/hailo-epilog.sh || echo "epilog: \$?" >> $JOBS/bad
		echo "end \$SLURM_JOB_ID" > $JOBS/told
	END
	chmod 755 /etc/slurm/lab-epilog
}

# As `setup permissions` would, where there is systemd
add_users()
{
	groupadd -f hailo-vm
	useradd -m -G hailo-vm alice
	useradd -m -G hailo-vm bob
	install -d -m 1770 -g hailo-vm /run/hailo-vm-run-users
	install -d -m 1777 "$JOBS"
	mkfifo -m 666 "$JOBS/told"
	exec {told}<> "$JOBS/told"
}

# The job: tells when it begins and when its guest runs, and stays if it is to be ended by others
write_job()
{
	profile job < /dev/null
	cat >> /tmp/job.ini <<-END
		[device npu]
		pick = free
	END
	cat > /tmp/job.sh <<-'END'
		#!/bin/bash
		id=$SLURM_JOB_ID
		cd /tmp/jobs
		echo "begin $id $1" > told
		hailo-vm-run run --name="job-$id" --set serial.file="$PWD/$id.serial" /tmp/job.ini > "$id.out" 2>&1 &
		run=$!
		grep -qm 1 'guest: ready' <(tail -s 0.2 --pid="$run" -n +1 -F "$id.serial" 2> /dev/null) || {
			wait "$run"
			echo "$?" > "$id.status"
			exit 1
		}
		hailo-vm-run status --json "job-$id" | grep -oE '"address":"[^"]*"' | cut -d '"' -f 4 > "$id.card"
		echo "$SLURM_JOB_GPUS" > "$id.number"
		echo "ready $id $1" > told
		[[ $1 != plain ]] || hailo-vm-run stop "job-$id" >> "$id.out" 2>&1
		wait "$run"
		echo "$?" > "$id.status"
	END
	chmod 755 /tmp/job.sh
}

start_slurm()
{
	echo "127.0.0.1 localhost lab" > /etc/hosts
	ip addr add 192.0.2.1/32 dev lo		# without any but 127.0.0.1 slurmd finds none
	install -d -o munge -g munge /run/munge /var/log/munge /var/lib/munge
	runuser -u munge -- munged --force
	socat -u UNIX-RECV:/dev/log,mode=666 OPEN:/tmp/syslog,creat,append &
	mkdir -p "$SLICE"
	ulimit -l unlimited
	slurmctld
	slurmd
	# shellcheck disable=SC2016 # for the shell that has a deadline
	timeout 60 bash -c 'until [[ $(sinfo -h -o %T) == idle ]]; do sleep 0.5; done' ||
		fail "the node is not idle" "$(sinfo -N -l)" "$(tail -n 30 /tmp/slurmd.log)"
}

# shellcheck disable=SC2317 # called by a trap
end_slurm()
{
	local status=$? file

	trap - EXIT ERR
	cp /tmp/slurmd.log /tmp/slurmctld.log /tmp/syslog "$LAB/logs/" || true
	for file in /run/slurmctld.pid /run/slurmd.pid; do
		[[ ! -e $file ]] || kill "$(< "$file")"
	done
	[[ ! -e $SLICE/cgroup.kill ]] || echo 1 > "$SLICE/cgroup.kill"
	exit "$status"
}

# KIND is what will be done to the job, and at which of its words
submit() # KIND
{
	local id user=alice

	((RANDOM % 2)) || user=bob
	id=$(runuser -u "$user" -- sbatch --parsable --no-requeue --gres=gpu:hailo8:1 -D /tmp \
		-o "$JOBS/%j.slurm" /tmp/job.sh "$1")
	echo "$id $1" >> "$JOBS/kinds"
}

submit_all()
{
	local i n
	local -a list=()

	for ((i = 0; i < PLAIN; i++)); do list+=(plain); done
	for ((i = 0; i < CANCELLED; i++)); do list+=("cancel-$( ((i % 2)) && echo begin || echo ready)"); done
	for ((i = 0; i < KILLED; i++)); do list+=("kill-$( ((i % 2)) && echo begin || echo ready)"); done
	while ((${#list[@]})); do
		n=$((RANDOM % ${#list[@]}))
		submit "${list[n]}"
		list=("${list[@]:0:n}" "${list[@]:n+1}")
	done
}

# What Slurm's own slurmstepd needs is left: the job's processes alone
kill_job() # ID
{
	echo 1 > "$SCOPE/job_$1/step_batch/user/cgroup.kill"
}

follow_all()
{
	local word id kind ended=0

	while ((ended < PLAIN + CANCELLED + KILLED)); do
		read -r -t 600 -u "$told" word id kind ||
			fail "no job has said anything for 600 s" "$(squeue)"
		case $kind.$word in
		.end) ended=$((ended + 1)) ;;
		cancel-"$word".*) scancel "$id" ;;
		kill-"$word".*) kill_job "$id" ;;
		esac
	done
}

judge_job() # ID KIND
{
	local at=$JOBS/$1 number

	if [[ $2 == plain ]]; then
		assert_eq 0 "$(cat "$at.status" 2>&1)" "job $1: $(cat "$at.out" "$at.slurm" /tmp/syslog)"
	fi
	[[ -s $at.card ]] || return 0
	number=$(< "$at.number")
	assert_eq "${cards[number]}" "$(< "$at.card")" "the card of job $1, which was given $number"
	had=$((had + 1))
}

judge_all()
{
	local id kind i

	had=0
	while read -r id kind; do
		judge_job "$id" "$kind"
	done < "$JOBS/kinds"
	assert_eq $((PLAIN + CANCELLED + KILLED)) "$(wc -l < "$JOBS/kinds")" "jobs"
	say "$had of $((PLAIN + CANCELLED + KILLED)) jobs came as far as a VM that runs, each with the card it was given"
	((had >= PLAIN + CANCELLED / 2 + KILLED / 2)) || fail "too few came as far"
	[[ ! -e $JOBS/bad ]] || fail "an epilog failed" "$(cat "$JOBS/bad")"
	assert_eq idle "$(sinfo -h -o %T)" "the node"
	! grep -iE 'drain|prolog.*fail|epilog.*fail' /tmp/slurmctld.log || fail "the node was drained"
	for i in "${!cards[@]}"; do
		assert_eq "${states[i]}" "$(snapshot "${cards[i]}")" "state of ${cards[i]}"
	done
	nothing_left
}

trap end_slurm EXIT
find_four
write_configs
add_users
write_job
start_slurm
submit_all &
follow_all
judge_all
