# SPDX-License-Identifier: GPL-2.0-or-later
"""A test of labgrid's: pytest --lg-env environment.yaml test_card.py"""
import pytest


@pytest.fixture(scope="session")
def guest(target, strategy):
    strategy.transition("ready")
    yield target.get_driver("CommandProtocol")
    strategy.transition("off")


def test_identify(guest):
    guest.run_check("hailortcli fw-control identify", timeout=60)
