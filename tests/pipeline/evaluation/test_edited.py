from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.dataset.overlay import Overlay, exclude, relabel, undo
from pipeline.errors import DatasetError
from pipeline.evaluation import evaluate, predict, summarise
from pipeline.evaluation.edited import edited
from pipeline.recognition.classifier import EmotionClassifier


def overlay(bars: Dataset, *edits) -> Overlay:
    return Overlay.replay(bars.meta.fingerprint, edits)


@pytest.mark.parametrize("split", list(Split))
def test_figures_are_those_of_the_edited_dataset(
    classifier: EmotionClassifier, bars: Dataset, split: Split
) -> None:
    edits = overlay(
        bars, exclude([0, 141, 215]), relabel([5, 150, 160, 215, 220], 1), relabel([160], 2)
    )
    scored = evaluate(classifier, edits.apply(bars), split)
    found = edited(predict(classifier, bars, split), edits)
    report = summarise(found, edits.apply(bars), threshold=classifier.contract.unsure_below)
    assert replace(report, latency_ms=None) == replace(scored, latency_ms=None)
    assert report.accuracy < 1
    assert report.num_samples == len(bars.indices(split)) - 1


def test_image_whose_twin_is_excluded_from_training_is_no_clean_one(
    classifier: EmotionClassifier, bars: Dataset
) -> None:
    found = predict(classifier, bars, Split.TEST)
    assert summarise(found, bars).clean.num_samples == 63
    edits = overlay(bars, exclude([0]))
    # The model may have been trained without these edits, and have seen it.
    assert summarise(edited(found, edits), edits.apply(bars)).clean.num_samples == 63


def test_indices_stay_those_of_the_dataset(classifier: EmotionClassifier, bars: Dataset) -> None:
    found = predict(classifier, bars, Split.TEST)
    changed = edited(found, overlay(bars, exclude([211]), relabel([212, 0], 6)))
    assert changed.indices.tolist() == [210, *range(212, 280)]
    assert changed.labels[1] == 6
    assert found.labels[2] == bars.labels[212] != 6
    assert np.array_equal(changed.probabilities[1], found.probabilities[2])


def test_nothing_changes_without_an_edit_that_holds(
    classifier: EmotionClassifier, bars: Dataset
) -> None:
    found = predict(classifier, bars, Split.TEST)
    assert edited(found, overlay(bars, exclude([211]), undo())) is found


def test_a_split_without_images_is_refused(classifier: EmotionClassifier, bars: Dataset) -> None:
    edits = overlay(bars, exclude(range(210, 280)))
    found = edited(predict(classifier, bars, Split.TEST), edits)
    with pytest.raises(DatasetError, match="at least one image"):
        summarise(found, edits.apply(bars))
