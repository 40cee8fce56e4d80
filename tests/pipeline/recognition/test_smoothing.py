import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.recognition.smoothing import ScoreSmoother

HAPPY = np.array([0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02], np.float32)
SAD = np.array([0.02, 0.02, 0.02, 0.02, 0.88, 0.02, 0.02], np.float32)


def scores_at(time: float) -> np.ndarray:
    """Happy until 1 s, then within 0.2 s to sad: straight lines in the logarithm."""
    share = np.clip((time - 1) / 0.2, 0, 1)
    weights = np.exp((1 - share) * np.log(HAPPY) + share * np.log(SAD))
    return weights.astype(np.float32)  # a sum below 1 is a constant in every logarithm


def curve(rate: int, time_constant: float = 0.5) -> np.ndarray:
    """Smoothed scores each tenth of a second, from frames at `rate` a second."""
    smoother = ScoreSmoother(time_constant)
    results = [
        smoother.update(1, scores_at(frame / rate), frame / rate) for frame in range(3 * rate + 1)
    ]
    return np.array(results[:: rate // 10])


@pytest.mark.parametrize("rate", [20, 30, 60])
def test_frame_rate_does_not_matter(rate: int) -> None:
    np.testing.assert_allclose(curve(rate), curve(10), atol=1e-5)


def test_uneven_frames_give_the_same() -> None:
    smoother = ScoreSmoother(0.5)
    times = np.sort(np.concatenate([np.linspace(0, 3, 31), [0.03, 1.013, 1.19, 2.5]]))
    results = {float(time): smoother.update(1, scores_at(time), time) for time in times}
    expected = curve(10)[[11, 12, 20, 30]]
    found = [results[time] for time in np.linspace(0, 3, 31)[[11, 12, 20, 30]].tolist()]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_time_constant_is_in_seconds() -> None:
    """Long after a change, what is left of it shrinks by e in each time constant."""
    logs = np.log(curve(10, time_constant=0.5))
    left = (logs - np.log(SAD))[:, 3] - (logs - np.log(SAD))[:, 4]
    assert left[20] / left[15] == pytest.approx(np.e**-1, rel=1e-3)


def test_steady_scores_stay() -> None:
    smoother = ScoreSmoother()
    for frame in range(50):
        np.testing.assert_allclose(smoother.update(1, HAPPY, frame / 10), HAPPY, atol=1e-6)


def test_one_odd_frame_does_not_flip_the_label() -> None:
    smoother = ScoreSmoother(0.5)
    odd = np.eye(7, dtype=np.float32)[4]
    for frame in range(30):
        scores = odd if frame == 20 else HAPPY
        smoothed = smoother.update(1, scores, frame / 10)
        assert smoothed.argmax() == 3
        assert smoothed.sum() == pytest.approx(1, abs=1e-5)


def test_tracks_are_apart_and_can_be_forgotten() -> None:
    smoother = ScoreSmoother(10.0)
    smoother.update(1, HAPPY, 0.0)
    np.testing.assert_allclose(smoother.update(2, SAD, 0.1), SAD, atol=1e-6)
    assert smoother.update(1, SAD, 0.2).argmax() == 3
    smoother.keep([2])
    np.testing.assert_allclose(smoother.update(1, SAD, 0.3), SAD, atol=1e-6)


def test_no_time_passed_changes_nothing() -> None:
    smoother = ScoreSmoother(0.5)
    first = smoother.update(1, HAPPY, 1.0)
    np.testing.assert_array_equal(smoother.update(1, SAD, 1.0), first)


def test_zero_does_not_smooth() -> None:
    smoother = ScoreSmoother(0.0)
    smoother.update(1, HAPPY, 0.0)
    np.testing.assert_array_equal(smoother.update(1, SAD, 0.1), SAD)


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_time_constant_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="at least 0"):
        ScoreSmoother(value)
