from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split, ferplus
from pipeline.evaluation import Predictions
from pipeline.evaluation.mistakes import (
    PeopleSay,
    confident_mistakes,
    exact_twins,
    narrowed,
    people_say,
    unsure_hits,
)
from pipeline.labels import label_index

HAPPY, SAD, NEUTRAL = 3, 4, 6


@pytest.fixture
def answers() -> Predictions:
    """Six images labelled happy; answers happy, sad, neutral with several confidences."""
    predicted = np.array([HAPPY, SAD, SAD, HAPPY, NEUTRAL, HAPPY])
    confidence = np.array([0.9, 0.6, 0.8, 0.4, 0.6, 0.7])
    probabilities = np.repeat((1 - confidence)[:, None] / 6, 7, axis=1)
    probabilities[np.arange(6), predicted] = confidence
    return Predictions(
        model="m",
        split=Split.TEST,
        tta="none",
        indices=np.arange(100, 106),
        labels=np.full(6, HAPPY, np.uint8),
        probabilities=probabilities.astype(np.float32),
        latency_ms=1.0,
    )


def test_the_most_confident_mistake_and_the_least_confident_hit_come_first(
    answers: Predictions,
) -> None:
    # Of equally confident ones the first comes first.
    assert confident_mistakes(answers).tolist() == [2, 1, 4]
    assert unsure_hits(answers).tolist() == [3, 5, 0]


def test_filters_keep_the_order(answers: Predictions) -> None:
    places = confident_mistakes(answers)
    assert narrowed(answers, places).tolist() == [2, 1, 4]
    assert narrowed(answers, places, predicted=[SAD]).tolist() == [2, 1]
    assert narrowed(answers, places, labels=[HAPPY], predicted=[NEUTRAL]).tolist() == [4]
    assert narrowed(answers, places, labels=[SAD]).tolist() == []


def votes(**cast: int) -> np.ndarray:
    row = np.zeros(10, np.uint8)
    for name, count in cast.items():
        row[ferplus.COLUMNS.index(name)] = count
    return row


@pytest.mark.parametrize(
    ("cast", "expected"),
    [
        ({"sadness": 7, "neutral": 3}, PeopleSay.LABEL),
        ({"neutral": 6, "sadness": 4}, PeopleSay.MODEL),
        ({"fear": 9, "neutral": 1}, PeopleSay.OTHER),
        ({"neutral": 5, "sadness": 5}, PeopleSay.SPLIT),
        ({"NF": 8, "sadness": 2}, PeopleSay.SPLIT),
        ({}, None),
    ],
)
def test_people_agree_with_one_of_the_two_or_with_neither(
    cast: dict[str, int], expected: PeopleSay | None
) -> None:
    assert people_say(votes(**cast), label_index("sad"), label_index("neutral")) is expected


def test_twins_are_identical_in_every_pixel(bars: Dataset) -> None:
    assert exact_twins(bars, 3).tolist() == [213]
    assert exact_twins(bars, 213).tolist() == [3]
    assert exact_twins(bars, 20).tolist() == []
    images = np.array(bars.images)
    images[213, 0, 0] ^= 1  # not in the row by which they are sought
    assert exact_twins(replace(bars, images=images), 3).tolist() == []
