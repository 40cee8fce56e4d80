from collections.abc import Callable

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.recognition.geometry import Box
from pipeline.recognition.tracker import Tracker


def box(x: float, y: float = 100.0, side: float = 60.0) -> Box:
    """Around a middle."""
    return Box(x - side / 2, y - side / 2, side, side)


def ids(tracker: Tracker, boxes: list[Box], time: float) -> list[int]:
    return [track.id for track in tracker.update(boxes, time)]


def test_order_of_the_boxes_does_not_matter() -> None:
    tracker = Tracker()
    assert ids(tracker, [box(100), box(300), box(500)], 0.0) == [1, 2, 3]
    assert ids(tracker, [box(505), box(105), box(305)], 0.1) == [3, 1, 2]


def test_no_face_at_all() -> None:
    tracker = Tracker()
    assert tracker.update([], 0.0) == []
    assert ids(tracker, [box(100)], 0.1) == [1]
    assert tracker.update([], 0.2) == []


@pytest.mark.parametrize("rate", [10, 30])
def test_two_people_cross(rate: int) -> None:
    """They pass at 200 pixels a second each; while they overlap only one is found."""
    tracker = Tracker()
    seen: dict[str, set[int]] = {"left": set(), "right": set()}
    for frame in range(4 * rate + 1):
        time = frame / rate
        walkers = {"left": box(100 + 100 * time), "right": box(500 - 100 * time, y=110)}
        if abs(walkers["left"].x - walkers["right"].x) < 30:
            del walkers["right"]
        for name, track in zip(walkers, tracker.update(list(walkers.values()), time), strict=True):
            seen[name].add(track.id)
    assert seen == {"left": {1}, "right": {2}}


@pytest.mark.parametrize("rate", [10, 30])
def test_id_survives_a_short_gap_in_motion(rate: int) -> None:
    tracker = Tracker(max_gap=1.0)
    found = set()
    for frame in range(3 * rate):
        time = frame / rate
        boxes = [] if 1.0 <= time < 1.8 else [box(50 + 250 * time)]
        found.update(ids(tracker, boxes, time))
    assert found == {1}


def test_long_gap_ends_a_track() -> None:
    tracker = Tracker(max_gap=0.5)
    assert ids(tracker, [box(100)], 0.0) == [1]
    assert ids(tracker, [], 0.3) == []
    assert [track.id for track in tracker.tracks] == [1]
    assert ids(tracker, [box(100)], 0.6) == [2]


def test_new_face_elsewhere_gets_a_new_id() -> None:
    tracker = Tracker()
    assert ids(tracker, [box(100)], 0.0) == [1]
    assert ids(tracker, [box(400)], 0.1) == [2]
    assert ids(tracker, [box(100), box(400)], 0.2) == [1, 2]


def test_face_that_moved_its_own_width_between_rare_samples() -> None:
    tracker = Tracker(max_gap=1.5)
    assert ids(tracker, [box(100)], 0.0) == [1]
    assert ids(tracker, [box(165)], 0.5) == [1]


@pytest.mark.parametrize("interval", [0.2, 0.5, 2.0])
def test_face_that_sways_between_rare_samples(interval: float) -> None:
    tracker = Tracker(3.5 * interval)
    for step in range(6):
        assert ids(tracker, [box(100 + step % 2 * 48)], step * interval) == [1]


def test_of_two_in_a_row_who_goes_on_keeps_the_id() -> None:
    """The second comes to where the first was last, and the first is gone."""
    tracker = Tracker()
    for step in range(3):
        assert ids(tracker, [box(200 + 20 * step), box(130 + 20 * step)], 0.1 * step) == [1, 2]
    assert ids(tracker, [box(240)], 0.55) == [2]


def test_face_that_comes_nearer() -> None:
    tracker = Tracker()
    found = {ids(tracker, [box(200, side=40 * 1.2**step)], step / 5)[0] for step in range(10)}
    assert found == {1}


def test_best_matching_of_all_not_the_first() -> None:
    """Taken one by one, the first box would claim the track that is the second's only one."""
    tracker = Tracker()
    tracker.update([box(100), box(170)], 0.0)
    assert ids(tracker, [box(132), box(70)], 0.1) == [2, 1]


def speed(rate: int, noise: Callable[[], float]) -> float:
    tracker = Tracker()
    for frame in range(2 * rate):
        (track,) = tracker.update([box(100 + 80 * frame / rate + noise())], frame / rate)
    return track.velocity[0]


@pytest.mark.parametrize("rate", [5, 30])
def test_velocity_is_in_pixels_a_second(rate: int) -> None:
    assert speed(rate, lambda: 0.0) == pytest.approx(80)
    rng = np.random.default_rng(0)
    assert speed(rate, lambda: rng.normal(scale=0.5)) == pytest.approx(80, abs=15)


def test_times_are_kept() -> None:
    tracker = Tracker()
    for time in (2.0, 2.5, 3.0):
        (track,) = tracker.update([box(100)], time)
    assert (track.first_seen, track.last_seen) == (2.0, 3.0)


def test_same_time_twice_is_no_motion() -> None:
    tracker = Tracker()
    tracker.update([box(100)], 1.0)
    (track,) = tracker.update([box(110)], 1.0)
    assert track.id == 1
    assert track.velocity == (0.0, 0.0)


def test_time_does_not_run_back() -> None:
    tracker = Tracker()
    tracker.update([], 1.0)
    with pytest.raises(ConfigError, match="in order"):
        tracker.update([], 0.5)


def test_gap_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Tracker(0.0)
