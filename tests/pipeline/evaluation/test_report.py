import json

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.evaluation import DatasetReference, EvaluationReport, score_report


@pytest.fixture
def report() -> EvaluationReport:
    return score_report(
        np.eye(7, dtype=np.float32),
        np.arange(7),
        clean_mask=np.arange(7) > 0,
        model="m",
        dataset=DatasetReference("bars", "abc", synthetic=True),
        split="test",
        latency_ms=1.5,
    )


def test_survives_json(report: EvaluationReport) -> None:
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert EvaluationReport.from_dict(json.loads(text)) == report


def test_json_has_the_promised_keys(report: EvaluationReport) -> None:
    value = json.loads(json.dumps(report.to_dict()))
    assert value["clean"]["num_samples"] == 6
    assert value["per_class"]["happy"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1}
    assert value["confusion_matrix"] == np.eye(7, dtype=int).tolist()
    assert value["dataset"] == {
        "name": "bars",
        "fingerprint": "abc",
        "synthetic": True,
        "overlay_version": None,
    }
    assert {
        "accuracy", "accuracy_ci95", "macro_f1", "labels", "ece", "num_samples", "latency_ms",
    } <= set(value)  # fmt: skip


@pytest.mark.parametrize("missing", ["clean", "per_class", "accuracy", "dataset"])
def test_incomplete_report_is_refused(report: EvaluationReport, missing: str) -> None:
    value = report.to_dict()
    del value[missing]
    with pytest.raises(PipelineError, match="not an evaluation report of this version"):
        EvaluationReport.from_dict(value)


def test_field_of_another_version_is_refused(report: EvaluationReport) -> None:
    with pytest.raises(PipelineError, match="surprise"):
        EvaluationReport.from_dict({**report.to_dict(), "surprise": 1})
