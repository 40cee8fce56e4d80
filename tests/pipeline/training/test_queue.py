import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest

from pipeline.errors import ConfigError, RunStateError
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore, write_state
from pipeline.training import worker
from pipeline.training.queue import QueueState, RunQueue


@pytest.fixture
def sleepers() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Processes that stand in for trainings."""
    children: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        children.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def spawned(
    monkeypatch: pytest.MonkeyPatch, sleepers: Callable[[], subprocess.Popen[bytes]]
) -> dict[str, subprocess.Popen[bytes]]:
    """The processes that were started, by run, in order; none of them trains."""
    found: dict[str, subprocess.Popen[bytes]] = {}

    def spawn(run: Run, home: Home) -> int:
        assert run.id not in found, "started twice"
        found[run.id] = sleepers()
        return found[run.id].pid

    monkeypatch.setattr(worker, "spawn", spawn)
    return found


@pytest.fixture
def queue(home: Home) -> RunQueue:
    return RunQueue(home)


@pytest.fixture
def make(home: Home) -> Callable[[str], Run]:
    return lambda name: RunStore(home.runs).create({"dataset": "bars"}, name=name)


def report(run: Run, process: subprocess.Popen[bytes], status: RunStatus) -> None:
    """Writes what the run's training process would."""
    started = psutil.Process(process.pid).create_time()
    write_state(run, replace(run.state, status=status, pid=process.pid, process_started=started))


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_first_starts_at_once_and_the_others_wait(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    assert [queue.submit(make(name)) for name in "abc"] == [0, 1, 2]
    assert list(spawned) == ["a"]
    assert queue.state == QueueState(("b", "c"), 1)


def test_next_starts_when_one_ends_whether_it_says_so_or_not(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    a, b, c = (make(name) for name in "abc")
    for run in (a, b, c):
        queue.submit(run)
    assert queue.advance() == []  # `a` has not reported itself yet, but is on its way
    report(a, spawned["a"], RunStatus.RUNNING)
    assert queue.advance() == []
    report(a, spawned["a"], RunStatus.FINISHED)
    assert queue.advance() == [b]  # though the process of `a` lives a moment longer
    report(b, spawned["b"], RunStatus.RUNNING)
    kill(spawned["b"])
    assert queue.advance() == [c]
    assert queue.state.waiting == ()


def test_two_at_a_time(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    for name in "abcd":
        queue.submit(make(name))
    queue.set_slots(2)
    assert list(spawned) == ["a", "b"]
    with pytest.raises(ConfigError, match="between 1 and 8"):
        queue.set_slots(0)
    assert RunQueue(queue._home).state == QueueState(("c", "d"), 2)


def test_order_can_be_changed(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    for name in "abcd":
        queue.submit(make(name))
    queue.move("d", 1)
    assert queue.state.waiting == ("d", "b", "c")
    queue.move("d", 99)
    assert queue.state.waiting == ("b", "c", "d")
    queue.remove("c")
    assert queue.state.waiting == ("b", "d")
    with pytest.raises(RunStateError, match="does not wait"):
        queue.move("c", 1)
    assert list(spawned) == ["a"]


def test_waiting_twice_is_waiting_once(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    queue.submit(make("a"))
    b = make("b")
    assert [queue.submit(b), queue.submit(b)] == [1, 1]


def test_started_by_hand_leaves_the_queue(
    queue: RunQueue, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    queue.submit(make("a"))
    b = make("b")
    queue.submit(b)
    assert queue.start(b) == spawned["b"].pid
    assert queue.state.waiting == ()
    for call in (queue.start, queue.submit):
        with pytest.raises(RunStateError):
            call(b)


def test_what_cannot_be_started_does_not_hold_up_the_rest(
    queue: RunQueue,
    make: Callable[[str], Run],
    spawned: dict[str, subprocess.Popen[bytes]],
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue.submit(make("a"))
    for name in ("deleted", "finished", "broken", "good"):
        queue.submit(make(name))
    store = RunStore(home.runs)
    store.delete("deleted")
    finished = store.get("finished")
    write_state(finished, replace(finished.state, status=RunStatus.FINISHED))
    works = worker.spawn

    def spawn(run: Run, home: Home) -> int:
        if run.id == "broken":
            raise OSError("no log can be written")
        return works(run, home)

    monkeypatch.setattr(worker, "spawn", spawn)
    kill(spawned["a"])
    assert [run.id for run in queue.advance()] == ["good"]
    assert queue.state.waiting == ()


def test_who_submits_is_told_that_it_cannot_be_started(
    queue: RunQueue, make: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawn(run: Run, home: Home) -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(worker, "spawn", spawn)
    with pytest.raises(RunStateError, match="'a' could not be started: no more processes"):
        queue.submit(make("a"))
    assert queue.state.waiting == ()


def test_while_no_process_can_be_started_all_wait_on(
    queue: RunQueue,
    make: Callable[[str], Run],
    spawned: dict[str, subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in "abc":
        queue.submit(make(name))
    kill(spawned["a"])

    def spawn(run: Run, home: Home) -> int:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    with monkeypatch.context() as patched:
        patched.setattr(worker, "spawn", spawn)
        assert queue.advance() == []
        assert queue.state.waiting == ("b", "c")
        assert queue.submit(make("d")) == 3
    queue.set_slots(2)
    assert queue.state.waiting == ("d",)
    assert list(spawned) == ["a", "b", "c"]


def test_process_that_never_got_to_its_run_makes_room(
    queue: RunQueue, make: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = {"a": os.getpid(), "b": 2**22 + 1}
    monkeypatch.setattr(worker, "spawn", lambda run, home: pids[run.id])
    queue.submit(make("a"))  # this process is its training, and fails before it begins
    assert queue.submit(make("b")) == 0


def test_many_at_once_start_each_run_once(
    home: Home, make: Callable[[str], Run], spawned: dict[str, subprocess.Popen[bytes]]
) -> None:
    runs = [make(f"run-{number}") for number in range(6)]
    RunQueue(home).set_slots(3)
    threads = [
        threading.Thread(target=work)
        for run in runs
        for work in (lambda run=run: RunQueue(home).submit(run), RunQueue(home).advance)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting = RunQueue(home).state.waiting
    assert len(spawned) == 3
    assert {*spawned, *waiting} == {run.id for run in runs}


@pytest.mark.parametrize("content", ["{", "[]", '{"waiting": 3, "slots": 1}', ""])
def test_damaged_file_is_an_empty_queue(home: Home, queue: RunQueue, content: str) -> None:
    home.runs.mkdir(parents=True)
    (home.runs / "queue.json").write_text(content)
    assert queue.state == QueueState()
    assert RunStore(home.runs).list() == []


def test_looking_makes_nothing(home: Home, queue: RunQueue) -> None:
    assert queue.advance() == []
    assert not home.runs.exists()


def test_a_run_that_another_dashboard_deletes_meanwhile_is_no_hindrance(
    home: Home,
    queue: RunQueue,
    make: Callable[[str], Run],
    spawned: dict[str, subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in "abcd":
        make(name)
    for name in "ab":
        queue.submit(RunStore(home.runs).get(name))
    report(RunStore(home.runs).get("a"), spawned["a"], RunStatus.FINISHED)
    list_runs = RunStore.list

    def list_then_lose(store: RunStore) -> list[Run]:
        runs = list_runs(store)
        for name in ("b", "c"):  # one waits, one never did
            shutil.rmtree(store.root / name, ignore_errors=True)
        return runs

    monkeypatch.setattr(RunStore, "list", list_then_lose)
    assert queue.submit(Run("d", home.runs / "d")) == 0
    assert list(spawned) == ["a", "d"]
    assert queue.state.waiting == ()
