"""Tests of one group run in one process, which loads once what all of them need."""

import pytest


@pytest.mark.xdist_group("kept")
def test_groups_are_kept(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("the tests are not spread over processes by their groups")
    # This is how pytest-xdist tells what belongs together; pytest 9.2 took no notice of it.
    assert request.node.nodeid.endswith("@kept")
