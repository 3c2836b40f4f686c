# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rig's tests may come to, each with the verdict that pytest is to have."""


def test_passes(hailo_vm):
    done = hailo_vm.run("sh", "-c", "cat; echo err >&2; exit 3", input="in")
    assert (done.returncode, done.stdout, done.stderr) == (3, "in", "err\n")


def test_times_out(hailo_vm):
    done = hailo_vm.run("sh", "-c", "echo so far; sleep 60", timeout=1)
    assert (done.returncode, done.stdout) == (124, "so far\n")


def test_fails(hailo_vm):
    assert hailo_vm.run("/no/such/command").returncode == 0


def test_guest_dies(hailo_vm):
    assert hailo_vm.run("sh", "-c", "kill -9 $GUEST_QEMU; sleep 60").returncode == 0


def test_comes_too_late(hailo_vm):
    assert hailo_vm.run("true").returncode == 0
