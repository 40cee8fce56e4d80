import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError, ModelLoadError, PipelineError
from pipeline.evaluation import stress as bench
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from pipeline.evaluation.stress import StressReport, StressStore, stress, subset
from pipeline.files import read_json, write_json
from pipeline.progress import Cancelled
from pipeline.recognition.classifier import EmotionClassifier


def refuse(done: float, total: float | None, text: str = "") -> None:
    raise Cancelled


@pytest.fixture
def report(classifier: EmotionClassifier, bars: Dataset) -> StressReport:
    return stress(classifier, bars, Split.TEST)


class TestFigures:
    def test_are_those_of_scoring_each_by_hand(
        self, classifier: EmotionClassifier, bars: Dataset, report: StressReport
    ) -> None:
        images = bars.images[bars.indices(Split.TEST)]
        labels = bars.labels[bars.indices(Split.TEST)]
        assert report.num_samples == 70
        assert report.clean_accuracy == 1.0
        assert list(report.corruptions) == list(CORRUPTIONS)
        accuracies = []
        for name, score in report.corruptions.items():
            for strength in STRENGTHS:
                answers = classifier.scores(corrupt(images, name, strength)).labels
                accuracies.append(float((answers == labels).mean()))
                assert score.accuracy[strength - 1] == accuracies[-1]
                # All answers are right as the faces are, so what changes is what is lost.
                assert score.changed[strength - 1] == pytest.approx(1 - accuracies[-1])
        assert report.mean_accuracy == pytest.approx(np.mean(accuracies))
        assert report.robustness == pytest.approx(report.mean_accuracy)
        assert report.changed == pytest.approx(1 - report.mean_accuracy)

    def test_tell_what_this_model_cannot_stand(self, report: StressReport) -> None:
        # It looks for the brightest bar: light does not matter, a hidden bar does.
        found = report.corruptions
        assert found["darker"].accuracy == (1.0,) * 5
        assert found["eyes"].accuracy[-1] < 0.9
        assert report.mean_accuracy < 1

    def test_robustness_is_relative_to_what_the_model_knows(
        self, classifier: EmotionClassifier, bars: Dataset, report: StressReport
    ) -> None:
        labels = np.array(bars.labels)
        labels[bars.indices(Split.TEST)[::2]] = (labels[bars.indices(Split.TEST)[::2]] + 3) % 7
        half = stress(classifier, replace(bars, labels=labels), Split.TEST)
        assert half.clean_accuracy == 0.5
        assert half.robustness == pytest.approx(half.mean_accuracy / 0.5)
        assert half.changed == report.changed

    def test_intervals_hold_the_figures(self, report: StressReport) -> None:
        assert report.clean_ci95 == (1.0, 1.0)
        assert report.mean_ci95[0] < report.mean_accuracy < report.mean_ci95[1]
        assert report.robustness_ci95 == report.mean_ci95

    def test_interval_of_a_mean_is_the_textbook_one(self) -> None:
        right = np.random.default_rng(1).random(400) < 0.7
        clean, mean, ratio = bench._bootstrap(right, 3 * right.astype(np.int64), 5)
        error = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 400)
        expected = (right.mean() - error, right.mean() + error)
        assert clean == pytest.approx(expected, abs=0.004)
        assert mean == pytest.approx([0.6 * bound for bound in clean])
        assert ratio == pytest.approx((0.6, 0.6))

    def test_no_right_answer_leaves_nothing_to_be_a_share_of(
        self, classifier: EmotionClassifier, bars: Dataset
    ) -> None:
        wrong = replace(bars, labels=(np.array(bars.labels) + 1) % 7)
        found = stress(classifier, wrong, Split.TEST)
        assert found.clean_accuracy == 0
        assert found.robustness is None
        assert found.robustness_ci95 is None
        assert StressReport.from_dict(json.loads(json.dumps(found.to_dict()))) == found


class TestSubset:
    def test_is_fixed_and_has_each_class_by_its_share(self, bars: Dataset) -> None:
        labels = np.repeat([0, 3, 6], [20, 200, 60]).astype(np.uint8)
        splits = np.zeros(280, np.uint8)
        skewed = replace(bars, labels=labels, split_codes=splits)
        chosen = subset(skewed, Split.TRAIN, 70)
        assert len(np.unique(chosen)) == 70
        assert (np.diff(chosen) > 0).all()
        assert np.bincount(labels[chosen], minlength=7).tolist() == [5, 0, 0, 50, 0, 0, 15]
        assert np.array_equal(chosen, subset(skewed, Split.TRAIN, 70))
        assert not np.array_equal(chosen, subset(skewed, Split.TRAIN, 70, seed=1))

    def test_of_a_small_split_is_all_of_it(self, bars: Dataset) -> None:
        assert np.array_equal(subset(bars, Split.TEST, 70), bars.indices(Split.TEST))

    def test_of_an_empty_split_is_an_error(self, bars: Dataset) -> None:
        empty = replace(bars, split_codes=np.zeros(280, np.uint8))
        with pytest.raises(DatasetError, match="no image in its test split"):
            subset(empty, Split.TEST)


class TestStore:
    def test_keeps_what_was_found(
        self, classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
    ) -> None:
        store = StressStore(tmp_path / "cache")
        assert store.load(classifier.folder, bars, Split.TEST) is None
        first = store.get(classifier.folder, bars, Split.TEST)
        assert store.get(classifier.folder, bars, Split.TEST, progress=refuse) == first
        other = replace(bars, meta=replace(bars.meta, fingerprint="f" * 64))
        assert store.load(classifier.folder, other, Split.TEST) is None
        with pytest.raises(Cancelled):
            store.get(classifier.folder, bars, Split.VALIDATION, progress=refuse)
        assert store.load(classifier.folder, bars, Split.VALIDATION) is None

    def test_forgets_what_is_damaged_or_of_another_version(
        self, classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
    ) -> None:
        store = StressStore(tmp_path / "cache")
        store.get(classifier.folder, bars, Split.TEST)
        (kept,) = (tmp_path / "cache" / "stress").iterdir()
        write_json(kept, {**read_json(kept), "format_version": 0})
        assert store.load(classifier.folder, bars, Split.TEST) is None
        kept.write_text("{")
        assert store.load(classifier.folder, bars, Split.TEST) is None
        (classifier.folder / "model.onnx").write_bytes(b"")
        with pytest.raises(ModelLoadError, match=r"model\.onnx"):
            store.get(classifier.folder, bars, Split.TEST)


def test_progress_counts_every_combination(classifier: EmotionClassifier, bars: Dataset) -> None:
    told: list[tuple[float, float | None, str]] = []
    stress(classifier, bars, Split.TEST, progress=lambda *args: told.append(args))
    total = len(CORRUPTIONS) * len(STRENGTHS) + 1
    assert [done for done, *_ in told] == list(range(total + 1))
    assert {of for _, of, *_ in told} == {total}
    assert told[1][2] == "darker, strength 1 of 5"


@pytest.mark.parametrize("value", [{}, {"format_version": 1}, {"format_version": 1, "dataset": 3}])
def test_something_else_is_no_report(value: dict) -> None:
    with pytest.raises(PipelineError, match="run the stress bench again"):
        StressReport.from_dict(value)
