import asyncio

import pytest

from app.api.errors import ApiError
from app.api.sessions import FrameSessions


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> FrameSessions:
    return FrameSessions(most=2, idle=10, clock=clock)


def test_one_id_is_one_session(sessions: FrameSessions, clock: Clock) -> None:
    first, _ = sessions.take_frame("a")
    clock.time = 9.0
    again, time = sessions.take_frame("a")
    other, _ = sessions.take_frame("b")
    assert again is first
    assert other is not first
    assert time == 9.0


def test_idle_session_is_forgotten(sessions: FrameSessions, clock: Clock) -> None:
    first, _ = sessions.take_frame("a")
    clock.time = 10.1
    assert sessions.take_frame("a")[0] is not first


def test_one_that_is_worked_on_is_not_idle(sessions: FrameSessions, clock: Clock) -> None:
    async def work() -> None:
        first, _ = sessions.take_frame("a")
        async with first.lock:
            clock.time = 100.0
            assert sessions.take_frame("a")[0] is first

    asyncio.run(work())


def test_too_many_are_refused_until_one_is_idle(sessions: FrameSessions, clock: Clock) -> None:
    sessions.take_frame("a")
    clock.time = 5.0
    sessions.take_frame("b")
    with pytest.raises(ApiError, match="2 sessions are open already") as caught:
        sessions.take_frame("c")
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "10"})
    sessions.take_frame("b")
    clock.time = 10.1
    sessions.take_frame("c")
    assert len(sessions) == 2


@pytest.mark.parametrize("session_id", ["", "a b", "x" * 65, "é", "../a", "a\n"])
def test_malformed_id(sessions: FrameSessions, session_id: str) -> None:
    with pytest.raises(ApiError, match="1 to 64 letters") as caught:
        sessions.take_frame(session_id)
    assert caught.value.status == 400
    assert not len(sessions)
