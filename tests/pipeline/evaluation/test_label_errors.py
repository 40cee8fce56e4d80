"""The order of label errors, against margins worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.errors import DatasetError
from pipeline.evaluation.label_errors import LabelErrorStore, find_label_errors, joined
from tests.served_models import bar_faces, make_model

# The label of each of six images, and the two probabilities that are not spread evenly.
CASES = [
    (0, {0: 0.9, 1: 0.05}),  # right
    (0, {0: 0.3, 3: 0.5}),  # margin (0.3 - 0.5 + 1) / 2 = 0.4
    (3, {3: 0.05, 4: 0.85}),  # 0.1
    (4, {4: 0.01, 6: 0.49}),  # 0.26
    (6, {6: 0.6, 0: 0.3}),  # right
    (6, {6: 0.2, 0: 0.4}),  # 0.4 again, and later
]
LABELS = np.array([label for label, _ in CASES], np.uint8)


def probabilities() -> np.ndarray:
    rows = np.zeros((len(CASES), 7), np.float32)
    for row, (_, given) in zip(rows, CASES, strict=True):
        row[:] = (1 - sum(given.values())) / (7 - len(given))
        for label, value in given.items():
            row[label] = value
    return rows


def test_the_most_contradicted_label_comes_first() -> None:
    found = find_label_errors(probabilities(), LABELS, np.arange(10, 16))
    assert found.indices.tolist() == [12, 13, 11, 15]
    np.testing.assert_allclose(found.scores, [0.1, 0.26, 0.4, 0.4], atol=1e-6)
    assert found.given.tolist() == [3, 4, 0, 6]
    assert found.suggested.tolist() == [4, 6, 3, 0]
    assert found.num_images == 6
    assert len(found) == 4


def test_about_as_many_errors_are_expected_as_there_are() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, 2000)
    answers = rng.dirichlet(np.ones(7), 2000) * 0.3
    answers[np.arange(2000), truth] += 0.7
    labels = truth.copy()
    wrong = rng.choice(2000, 200, replace=False)
    labels[wrong] = (labels[wrong] + 1 + rng.integers(0, 6, 200)) % 7
    found = find_label_errors(answers, labels, np.arange(2000))
    assert found.num_expected == pytest.approx(200, abs=20)
    assert set(found.indices[:200].tolist()) == set(wrong.tolist())
    assert (found.suggested[:200] == truth[found.indices[:200]]).all()


def test_a_few_images_of_a_few_classes() -> None:
    one = find_label_errors(probabilities()[:1], LABELS[:1], np.array([5]))
    assert (len(one), one.num_expected, one.num_images) == (0, 0, 1)


def test_splits_are_joined_in_one_order() -> None:
    rows = probabilities()
    parts = [
        find_label_errors(rows[:3], LABELS[:3], np.arange(3)),
        find_label_errors(rows[3:], LABELS[3:], np.arange(3, 6)),
    ]
    found = joined(parts)
    assert found.indices.tolist() == [2, 3, 1, 5]
    assert found.suggested.tolist() == [4, 6, 3, 0]
    assert found.num_images == 6
    assert found.num_expected == sum(part.num_expected for part in parts)


@pytest.mark.parametrize("number", [0, 5])
def test_other_shapes_are_refused(number: int) -> None:
    with pytest.raises(DatasetError, match="expected probabilities of shape"):
        find_label_errors(probabilities()[:0], LABELS[:number], np.arange(number))


class TestStore:
    @pytest.fixture
    def bars(self, tmp_path: Path) -> Dataset:
        """Bars under their labels, of which the last of the test split is wrong."""
        labels = (np.arange(28) % 7).astype(np.uint8)
        images = bar_faces(labels)
        labels[27] = 2
        store = DatasetStore(tmp_path / "data")
        with store.writer("bars") as writer:
            writer.append(images, labels, np.repeat([0, 2], 14).astype(np.uint8))
            writer.finish(title="Bars", source="test", kind="test")
        return store.open("bars")

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        return make_model(tmp_path / "model", gain=0.5)

    def test_finds_once_and_keeps(
        self, bars: Dataset, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = LabelErrorStore(tmp_path / "cache")
        assert store.load(model, bars, Split.TEST) is None
        found = store.get(model, bars, Split.TEST)
        assert found.indices.tolist() == [27]
        assert (found.given.tolist(), found.suggested.tolist()) == ([2], [6])
        assert found.num_images == 14
        assert len(store.get(model, bars, Split.TRAIN)) == 0

        def fail(*args: object, **kwargs: object) -> None:
            raise AssertionError("found again")

        monkeypatch.setattr("pipeline.evaluation.label_errors.find_label_errors", fail)
        kept = LabelErrorStore(tmp_path / "cache").get(model, bars, Split.TEST)
        assert kept.indices.tolist() == [27]
        np.testing.assert_array_equal(kept.scores, found.scores)
        assert (kept.num_images, kept.num_expected) == (14, found.num_expected)

    def test_another_model_has_its_own(self, bars: Dataset, model: Path, tmp_path: Path) -> None:
        store = LabelErrorStore(tmp_path / "cache")
        store.get(model, bars, Split.TEST)
        assert store.load(make_model(tmp_path / "other", gain=0.4), bars, Split.TEST) is None
