"""What became of image files, as JSON and CSV: one form for command line and dashboard."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.labels import NAMES
from pipeline.recognition.recognizer import Prediction
from pipeline.spreadsheets import harmless

_COLUMNS = (
    *("file", "face", "x", "y", "w", "h", "emotion", "confidence", "unsure"),
    *("valence", "arousal", *NAMES, "quality", "error"),
)
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class FileResult:
    """What became of one file.

    Attributes:
        file: Its name or path.
        predictions: One for each face; empty when there is none, or an error.
        error: Why it could not be read; `None` if it could.
    """

    file: str
    predictions: Sequence[Prediction]
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The result as the JSON files hold it."""
        faces = [prediction.to_dict() for prediction in self.predictions]
        return {"file": self.file, "faces": faces, "error": self.error}


def to_csv(results: Sequence[FileResult]) -> str:
    """One row for each face, and one for each file without any.

    Args:
        results: In the order of the rows.

    Returns:
        The text of a CSV file with a heading.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for result in results:
        file = harmless(result.file)
        if not result.predictions:
            writer.writerow({"file": file, "error": harmless(result.error or "")})
        for number, prediction in enumerate(result.predictions, start=1):
            face = prediction.to_dict()
            scores = face.pop("scores")
            quality = " ".join(face.pop("quality"))
            writer.writerow(
                {
                    **face,
                    **scores,
                    "file": file,
                    "face": number,
                    "valence": round(prediction.valence, _DIGITS),
                    "arousal": round(prediction.arousal, _DIGITS),
                    "quality": quality,
                }
            )
    return text.getvalue()
