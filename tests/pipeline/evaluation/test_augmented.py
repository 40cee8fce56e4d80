import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.evaluation.augmented import augmented_scores
from pipeline.recognition.classifier import EmotionScores


class Recorder:
    """Scores by the brightness of the top left pixel, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, faces: np.ndarray) -> EmotionScores:
        self.seen.append(faces)
        corners = faces[:, 0, 0] if faces.ndim == 3 else faces[:, 0, 0, 0]
        share = corners.astype(np.float32) / 255
        rest = np.repeat((1 - share)[:, None] / 6, 6, axis=1)
        return EmotionScores(np.concatenate([share[:, None], rest], axis=1).astype(np.float32))


@pytest.fixture
def face() -> np.ndarray:
    """Each pixel has its own value: its row times 20 plus its column."""
    return (np.arange(10)[:, None] * 20 + np.arange(10)).astype(np.uint8)[None]


def test_none_is_the_plain_score(face: np.ndarray) -> None:
    recorder = Recorder()
    found = augmented_scores(recorder, face, "none")
    assert len(recorder.seen) == 1
    np.testing.assert_array_equal(found.probabilities, Recorder()(face).probabilities)


def test_flip_averages_the_face_and_its_mirror_image(face: np.ndarray) -> None:
    recorder = Recorder()
    found = augmented_scores(recorder, face, "flip")
    np.testing.assert_array_equal(recorder.seen[1], face[:, :, ::-1])
    assert found.probabilities[0, 0] == pytest.approx((0 + 9) / 2 / 255)


def test_ten_crops_are_corners_and_centre_and_their_mirror_images(face: np.ndarray) -> None:
    recorder = Recorder()
    found = augmented_scores(recorder, face, "ten_crop")
    assert [view.shape for view in recorder.seen] == [(1, 9, 9)] * 10
    corners = [int(view[0, 0, 0]) for view in recorder.seen[::2]]
    assert corners == [0, 1, 20, 21, 0]
    for plain, mirrored in zip(recorder.seen[::2], recorder.seen[1::2], strict=True):
        np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    mean = np.mean([int(view[0, 0, 0]) for view in recorder.seen])
    assert found.probabilities[0, 0] == pytest.approx(mean / 255)


def test_colour_and_no_face_work_too(face: np.ndarray) -> None:
    colour = np.repeat(face[..., None], 3, axis=3)
    grey_scores = augmented_scores(Recorder(), face, "ten_crop").probabilities
    colour_scores = augmented_scores(Recorder(), colour, "ten_crop").probabilities
    np.testing.assert_array_equal(colour_scores, grey_scores)
    assert len(augmented_scores(Recorder(), face[:0], "ten_crop")) == 0


def test_unknown_augmentation_is_refused(face: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"one of \('none', 'flip', 'ten_crop'\), got 'five'"):
        augmented_scores(Recorder(), face, "five")
