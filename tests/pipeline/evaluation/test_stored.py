from pathlib import Path

import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import ModelLoadError
from pipeline.evaluation import evaluate
from pipeline.evaluation.stored import stored_reports
from pipeline.files import write_json
from pipeline.recognition.classifier import EmotionClassifier


def test_reports_come_back_by_split(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
) -> None:
    assert stored_reports(tmp_path) == {}
    report = evaluate(classifier, bars, Split.VALIDATION)
    write_json(tmp_path / "evaluation.json", {"validation": report.to_dict()})
    assert stored_reports(tmp_path) == {Split.VALIDATION: report}


@pytest.mark.parametrize("text", ["[]", "{", '{"test": {}}', '{"holdout": {}}', '{"test": 1}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(ModelLoadError, match=r"evaluation\.json is damaged"):
        stored_reports(tmp_path)
