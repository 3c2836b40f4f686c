# SPDX-License-Identifier: GPL-2.0-or-later
"""A VM with a card for tests of pytest's: put this file beside them.

    pytest --hailo-vm guest.ini

    def test_identify(hailo_vm):
        assert hailo_vm.run("hailortcli", "fw-control", "identify").returncode == 0

One VM is started for each process of pytest, so with pytest-xdist there are as many as workers, each
with a card of its own where the profile says pick = free. What could not be run or judged is an error
in pytest's report and in its JUnit XML, never a failure.
"""
import subprocess
import uuid

import pytest

NOT_JUDGED = 125  # no card, no VM, a guest that died, an agent that is lost


class NotJudged(Exception):
    """The command could not be run or judged. It is not the test's fault."""


class Vm:
    def __init__(self, name):
        self.name = name

    def run(self, *command, input="", timeout=None):
        """Runs a command in the guest: a subprocess.CompletedProcess with text.

        After timeout seconds the command is killed, and its returncode is 124.
        """
        limit = [] if timeout is None else [f"--timeout={timeout}"]
        done = hailo_vm_run("exec", *limit, self.name, "--", *command, input=input)
        if done.returncode == NOT_JUDGED:
            raise NotJudged(done.stderr)
        return done


def hailo_vm_run(*words, input=""):
    return subprocess.run(["hailo-vm-run", *words], input=input, capture_output=True,
                          text=True, errors="replace")


def pytest_addoption(parser):
    group = parser.getgroup("hailo-vm-run")
    group.addoption("--hailo-vm", metavar="PROFILE", help="the VM of the fixture hailo_vm")
    group.addoption("--hailo-vm-wait", metavar="S", default="3600", help="for a card (3600)")


@pytest.fixture(scope="session")
def hailo_vm(request):
    profile = request.config.getoption("--hailo-vm")
    if not profile:
        pytest.skip("no --hailo-vm PROFILE")
    vm = Vm(f"pytest-{uuid.uuid4()}")
    wait = request.config.getoption("--hailo-vm-wait")
    done = hailo_vm_run("run", "--detach", "--wait-ready=300", f"--wait={wait}",
                        "--name", vm.name, profile)
    if done.returncode != 0:
        raise NotJudged(done.stderr)
    yield vm
    # A guest that has died was said before
    if hailo_vm_run("status", vm.name).returncode != 0:
        return
    done = hailo_vm_run("stop", "--timeout=10", vm.name)
    if done.returncode != 0:
        raise NotJudged(done.stderr)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """pytest counts what is raised in a test as a failure, and what is raised before it as an error."""
    outcome = yield
    if call.excinfo and call.excinfo.errisinstance(NotJudged):
        outcome.get_result().when = "setup"
