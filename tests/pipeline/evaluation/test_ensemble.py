from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import ConfigError, DatasetError
from pipeline.evaluation import Predictions, predict, score_report
from pipeline.evaluation.ensemble import NAME, average, best_step, greedy, judge
from pipeline.recognition.classifier import EmotionClassifier


def answers(dataset: Dataset, split: Split, rows: np.ndarray, *, ms: float = 1.0) -> Predictions:
    """Predictions with the given probabilities, repeated over the split."""
    indices = dataset.indices(split)
    labels = np.asarray(dataset.labels[indices])
    shares = np.asarray(rows, np.float32)
    return Predictions("m", split, "none", indices, labels, shares, ms)


def unsure_of(wrong: np.ndarray, labels: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """Answers that are right with probability `sure`, but wrong where `wrong` says so."""
    answer = np.where(wrong, (labels + 1) % 7, labels)
    rows = np.full((len(labels), 7), (1 - sure) / 6, np.float32)
    rows[np.arange(len(labels)), answer] = sure
    return rows


@pytest.fixture
def three(bars: Dataset) -> dict[Split, dict[str, Predictions]]:
    """Two weak models that err on different images, and one that errs wherever either does."""
    found: dict[Split, dict[str, Predictions]] = {}
    for split in (Split.VALIDATION, Split.TEST):
        labels = np.asarray(bars.labels[bars.indices(split)])
        place = np.arange(len(labels))
        first, second = place % 5 == 0, place % 5 == 1
        found[split] = {
            "a": answers(bars, split, unsure_of(first, labels, 0.6), ms=2.0),
            "b": answers(bars, split, unsure_of(second, labels, 0.7), ms=3.0),
            "bad": answers(bars, split, unsure_of(place % 5 != 2, labels), ms=4.0),
        }
    return found


def test_average_is_the_mean_and_costs_the_sum(
    three: dict[Split, dict[str, Predictions]],
) -> None:
    members = three[Split.TEST]
    mean = average(members, name="three")
    expected = sum(item.probabilities.astype(float) for item in members.values()) / 3
    assert mean.probabilities == pytest.approx(expected)
    assert mean.probabilities.dtype == np.float32
    assert (mean.model, mean.latency_ms) == ("three", 9.0)
    assert np.array_equal(mean.labels, members["a"].labels)


def test_average_of_other_images_is_refused(three: dict[Split, dict[str, Predictions]]) -> None:
    with pytest.raises(DatasetError, match="different images"):
        average({"a": three[Split.TEST]["a"], "b": three[Split.VALIDATION]["b"]})
    with pytest.raises(ConfigError, match="at least one"):
        average({})


def test_judgement_is_that_of_the_tempered_mean(
    three: dict[Split, dict[str, Predictions]], bars: Dataset
) -> None:
    pair = {split: {name: found[name] for name in "ab"} for split, found in three.items()}
    found = judge(pair[Split.VALIDATION], pair[Split.TEST], bars)
    # Where one errs the surer one wins: b is right on a's mistakes, a loses on b's.
    assert found.ensemble.accuracy == pytest.approx(0.8)
    assert found.members["a"].accuracy == found.members["b"].accuracy == pytest.approx(0.8)
    # Where they agree, which is three times in five, the mean was too timid.
    assert found.temperature < 1
    mean = average(pair[Split.TEST]).probabilities.astype(float) ** (1 / found.temperature)
    mean /= mean.sum(axis=1, keepdims=True)
    expected = score_report(
        mean.astype(np.float32),
        pair[Split.TEST]["a"].labels,
        clean_mask=np.ones(70, bool),
        model=NAME,
        dataset=found.ensemble.dataset,
        split="test",
    )
    assert found.ensemble.nll == pytest.approx(expected.nll, abs=1e-5)
    assert found.ensemble.ece == pytest.approx(expected.ece, abs=1e-4)
    assert list(found.reports) == ["a", "b", NAME]
    assert found.against_best.baseline == found.best == "a"
    assert found.against_best.accuracy.delta == pytest.approx(0)
    assert found.ensemble.clean.num_samples == 63


def test_one_member_or_others_on_validation_are_refused(
    three: dict[Split, dict[str, Predictions]], bars: Dataset
) -> None:
    test, validation = three[Split.TEST], three[Split.VALIDATION]
    with pytest.raises(ConfigError, match="2 or more members"):
        judge({"a": validation["a"]}, {"a": test["a"]}, bars)
    with pytest.raises(ConfigError, match="same"):
        judge(
            {"a": validation["a"], "bad": validation["bad"]}, {"a": test["a"], "b": test["b"]}, bars
        )


def test_greedy_takes_what_helps_and_says_where_to_stop(
    three: dict[Split, dict[str, Predictions]],
) -> None:
    steps = greedy(three[Split.VALIDATION])
    assert [step.added for step in steps][-1] == "bad"
    assert set(best_step(steps).members) == {"a", "b"}
    assert [len(step.members) for step in steps] == [1, 2, 3]
    assert best_step(steps).latency_ms == 5.0
    assert best_step(steps).nll < steps[0].nll
    assert best_step(steps).nll < steps[2].nll
    with pytest.raises(ConfigError, match="at least one"):
        greedy({})


def test_a_model_with_itself_gains_nothing(classifier: EmotionClassifier, bars: Dataset) -> None:
    one = predict(classifier, bars, Split.VALIDATION)
    found = judge({"x": one, "y": replace(one)}, {"x": one, "y": replace(one)}, bars)
    assert found.against_best.accuracy.delta == 0
    assert found.ensemble.accuracy == found.members["x"].accuracy
