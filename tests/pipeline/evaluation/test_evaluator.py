from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError
from pipeline.evaluation import evaluate, predictions
from pipeline.progress import Cancelled
from pipeline.recognition.classifier import EmotionClassifier


def test_scores_one_split_and_tells_twins_apart(
    classifier: EmotionClassifier, bars: Dataset
) -> None:
    report = evaluate(classifier, bars, Split.TEST)
    assert (report.num_samples, report.accuracy) == (70, 1.0)
    assert (report.clean.num_samples, report.clean.accuracy) == (63, 1.0)
    assert (report.model, report.split, report.tta) == ("bars", "test", "none")
    assert report.dataset.fingerprint == bars.meta.fingerprint
    assert report.threshold == 0.3
    assert report.latency_ms is not None
    assert 0 < report.latency_ms < 1000


def test_labels_of_the_split_are_the_measure(classifier: EmotionClassifier, bars: Dataset) -> None:
    labels = np.array(bars.labels)
    wrong = bars.indices(Split.VALIDATION)[:14]
    labels[wrong] = (labels[wrong] + 1) % 7
    report = evaluate(classifier, replace(bars, labels=labels), Split.VALIDATION)
    assert report.accuracy == pytest.approx(0.8)
    assert report.clean.num_samples == 70


def test_batches_do_not_change_the_result(
    classifier: EmotionClassifier, bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(classifier, bars, Split.TRAIN)
    monkeypatch.setattr(predictions, "BATCH_SIZE", 32)
    told: list[tuple[float, float | None]] = []
    parts = evaluate(
        classifier, bars, Split.TRAIN, progress=lambda done, total, text: told.append((done, total))
    )
    assert parts.nll == pytest.approx(whole.nll)
    assert parts.confusion_matrix == whole.confusion_matrix
    assert told == [(done, 140) for done in (0, 32, 64, 96, 128, 140)]


def test_mirrored_bars_score_alike_so_flip_changes_nothing(
    classifier: EmotionClassifier, bars: Dataset
) -> None:
    plain = evaluate(classifier, bars, Split.TEST)
    flipped = evaluate(classifier, bars, Split.TEST, tta="flip")
    assert flipped.tta == "flip"
    assert flipped.nll == pytest.approx(plain.nll, rel=1e-4)
    cropped = evaluate(classifier, bars, Split.TEST, tta="ten_crop")
    assert cropped.nll > 1.02 * plain.nll  # crops move the bars


def test_empty_split_is_refused(classifier: EmotionClassifier, bars: Dataset) -> None:
    only_train = replace(bars, split_codes=np.zeros(len(bars), np.uint8))
    with pytest.raises(DatasetError, match="'bars' has no image in its test split"):
        evaluate(classifier, only_train, Split.TEST)


def test_can_be_cancelled(classifier: EmotionClassifier, bars: Dataset) -> None:
    def refuse(done: float, total: float | None, text: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(classifier, bars, Split.TEST, progress=refuse)
