# SPDX-License-Identifier: GPL-2.0-or-later
"""labgrid: a VM of hailo-vm-run's as a target, and the strategy that starts and ends it.

The VM is an external process: it is started with `run --detach`, told what to do with `exec`, and
ended with `stop`, after which the host has its card back.
"""
import enum
import shlex
import subprocess
import uuid

import attr
from labgrid import step, target_factory
from labgrid.driver import Driver
from labgrid.driver.commandmixin import CommandMixin
from labgrid.protocol import CommandProtocol, PowerProtocol
from labgrid.resource import Resource
from labgrid.strategy import Strategy, StrategyError

NOT_JUDGED = 125  # no card, no VM, a guest that died, an agent that is lost


class HailoVMError(Exception):
    """The VM could not be had, or a command not run or judged.

    It is no ExecutionError: a test that expects its command to fail must not take this for it.
    """


@target_factory.reg_resource
@attr.s(eq=False)
class HailoVM(Resource):
    """profile: a path, or a name in /etc/hailo-vm-run; options: more words for `run`"""

    profile = attr.ib(validator=attr.validators.instance_of(str))
    options = attr.ib(factory=list, validator=attr.validators.instance_of(list))


def hailo_vm_run(*words):
    return subprocess.run(["hailo-vm-run", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace")


@target_factory.reg_driver
@attr.s(eq=False)
class HailoVMDriver(CommandMixin, Driver, CommandProtocol, PowerProtocol):
    bindings = {"vm": "HailoVM"}

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.name = f"labgrid-{uuid.uuid4()}"
        self.running = False

    def on_deactivate(self):
        self._stop()

    def _stop(self):
        # A guest that has died was said before
        if self.running and hailo_vm_run("status", self.name).returncode == 0:
            done = hailo_vm_run("stop", "--timeout=10", self.name)
            if done.returncode != 0:
                raise HailoVMError(done.stderr)
        self.running = False

    @Driver.check_active
    @step()
    def on(self):
        if self.running:
            return
        done = hailo_vm_run("run", "--detach", "--wait-ready=300", *self.vm.options,
                            "--name", self.name, self.vm.profile)
        if done.returncode != 0:
            raise HailoVMError(done.stderr)
        self.running = True

    @Driver.check_active
    @step()
    def off(self):
        self._stop()

    @Driver.check_active
    @step()
    def cycle(self):
        self._stop()
        self.on()

    def _run(self, command, *, timeout=30, codec="utf-8", decodeerrors="strict"):
        done = hailo_vm_run("exec", "--no-input", f"--timeout={max(1, round(timeout))}", self.name,
                            "--", "sh", "-c", command)
        if done.returncode == NOT_JUDGED:
            raise HailoVMError(f"{shlex.quote(command)}: {done.stderr}")
        return done.stdout.splitlines(), done.stderr.splitlines(), done.returncode

    @Driver.check_active
    @step(args=["command"], result=True)
    def run(self, command, *, timeout=30, codec="utf-8", decodeerrors="strict"):
        """Runs a line of shell in the guest: (output, messages, status); 124: it timed out"""
        return self._run(command, timeout=timeout)

    @Driver.check_active
    def get_status(self):
        return 1 if self.running else 0


class Status(enum.Enum):
    unknown = 0
    off = 1
    ready = 2


@target_factory.reg_driver
@attr.s(eq=False)
class HailoVMStrategy(Strategy):
    bindings = {"vm": "HailoVMDriver"}

    status = attr.ib(default=Status.unknown)

    @step(args=["status"])
    def transition(self, status, *, step):
        if not isinstance(status, Status):
            status = Status[status]
        if status == Status.unknown:
            raise StrategyError("there is no way to an unknown state")
        if status == self.status:
            step.skip("nothing to do")
            return
        self.target.activate(self.vm)
        if status == Status.ready:
            self.vm.on()
        else:
            self.vm.off()
        self.status = status

    @step(args=["status"])
    def force(self, status):
        self.status = status if isinstance(status, Status) else Status[status]
        self.target.activate(self.vm)
