# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# timeout: 300
# What root's environment has ends with the program: QEMU, modprobe and ssh have nothing of it but the
# names of jobs, and run nothing that it names.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"
# shellcheck source=tests/lab/program.sh
source "${LAB_LIB%/*}/program.sh"
needs alone

card=$(card alone)
give_host_driver "$card"
before=$(snapshot "$card")
profile lab <<-END
	[device npu]
	address = $card
	[net lan]
	mode = user
	forward = tcp:127.0.0.1:2222-22
END

# A folder in which each program that root might run leaves a mark
mkdir -p /tmp/evil
for name in ssh modprobe qemu-system-x86_64 env; do
	printf '#!/bin/sh\n: > /tmp/evil/mark\n' > "/tmp/evil/$name"
	chmod +x "/tmp/evil/$name"
done
echo "install vfio_pci /bin/touch /tmp/evil/mark" > /tmp/evil/evil.conf
export MODPROBE_OPTIONS="-C /tmp/evil" GIO_EXTRA_MODULES=/tmp/evil GCONV_PATH=/tmp/evil \
	AWS_SECRET_ACCESS_KEY=secret CI_JOB_TOKEN=secret SSH_AUTH_SOCK=/tmp/evil/agent \
	NOTIFY_SOCKET=@nobody BUILD_ID=7 JENKINS_NODE_COOKIE=cookie TZ=UTC TMPDIR=/tmp/evil
usual=$PATH

with_evil_path() # COMMAND...
{
	PATH=/tmp/evil:$usual "$@"
}

# Names of the environment of a process, in one line
names()
{
	tr '\0' '\n' < "/proc/$1/environ" | grep -vE '^(LANG|LC_[A-Z]+)=' | sort | tr '\n' ' '
}

fixed="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
wanted="BUILD_ID=7 JENKINS_NODE_COOKIE=cookie $fixed TZ=UTC "

say "modprobe-options-of-the-caller: the module is loaded as this host has it"
rmmod vfio_pci 2> /dev/null || true
with_evil_path run_vm lab
[[ ! -e /tmp/evil/mark ]] || fail "root ran what the environment names"
[[ -d /sys/module/vfio_pci ]] || fail "vfio-pci is not there"

say "qemu-sees-no-secrets, and job-cookies-are-there"
assert_eq "$wanted" "$(names "$(qemu_pid lab)")" "QEMU's environment"

say "ssh-by-path"
printf '#!/bin/sh\nexec /usr/bin/env\n' > /usr/local/bin/ssh
chmod +x /usr/local/bin/ssh
seen=$(with_evil_path "$HVR" ssh lab)
[[ ! -e /tmp/evil/mark ]] || fail "root ran the ssh of the caller's PATH"
assert_match "$fixed" "$seen" "ssh's environment"
! grep -E 'secret|evil' <<< "$seen" || fail "ssh has what was the caller's"
rm /usr/local/bin/ssh
expect_exit 0 "$HVR" stop lab
run_ends 0 lab
assert_eq "$before" "$(snapshot "$card")" "the card"
nothing_left

say "the same where the launcher becomes QEMU"
with_evil_path run_vm lab --exec
assert_eq "$wanted" "$(names "$run_pid")" "QEMU's environment with --exec"
[[ ! -e /tmp/evil/mark ]] || fail "root ran what the environment names"
expect_exit 0 "$HVR" stop --force lab
wait "$run_pid" || true
assert_eq "$before" "$(snapshot "$card")" "the card, after --exec"
nothing_left
