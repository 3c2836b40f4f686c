# SPDX-License-Identifier: GPL-2.0-or-later
"""labgrid with configs/labgrid/: a guest that runs commands, and one that is off."""
import pytest
from hailovm import HailoVMError
from labgrid.driver import ExecutionError


@pytest.fixture(scope="session")
def guest(target, strategy):
    strategy.transition("ready")
    yield target.get_driver("CommandProtocol")
    strategy.transition("off")


def test_runs(guest):
    assert guest.run_check("id -un") == ["nobody"]
    assert guest.run("echo out; echo err >&2; exit 3") == (["out"], ["err"], 3)


def test_fails(guest):
    with pytest.raises(ExecutionError):
        guest.run_check("false")


def test_no_guest(guest, strategy):
    strategy.transition("off")
    with pytest.raises(HailoVMError):
        guest.run("true")
    strategy.transition("ready")
    assert guest.run_check("id -un") == ["nobody"]
