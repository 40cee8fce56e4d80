"""What a corruption looks like, and what the model says of it: faces in rows, as HTML."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from app import views
from app.faces import png_url
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from pipeline.labels import EMOTIONS
from pipeline.recognition.classifier import EmotionClassifier

_STYLE = """<style>
.stress-faces { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 10px 8px;
  max-width: 760px; }
.stress-faces figure, .stress-faces p { margin: 0; text-align: center; font-size: 12px;
  line-height: 1.35; overflow-wrap: anywhere; }
.stress-faces p { align-self: end; }
.stress-faces img { display: block; width: 100%; border-radius: 6px; border-bottom: 4px solid; }
@media (max-width: 640px) { .stress-faces figure, .stress-faces p { font-size: 10.5px; } }
</style>"""


def versions(
    faces: npt.NDArray[np.uint8], corruption: str, *, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Faces from strength 0 up.

    Args:
        faces: `uint8` grey, shape `(n, height, width)`.
        corruption: One of `CORRUPTIONS`.
        seed: As for `corrupt`.

    Returns:
        `uint8`, shape `(n, 6, height, width)`.
    """
    levels = (0, *STRENGTHS)
    return np.stack([corrupt(faces, corruption, level, seed=seed) for level in levels], axis=1)


def strip(
    classifier: EmotionClassifier,
    faces: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    corruption: str,
) -> str:
    """A row for each face with a picture for each strength, and the answers below, as HTML.

    Args:
        classifier: Answers.
        faces: `uint8` grey, shape `(n, height, width)`.
        labels: Their labels.
        corruption: One of `CORRUPTIONS`.
    """
    found = CORRUPTIONS[corruption]
    worse = versions(faces, corruption)
    scores = classifier.scores(worse.reshape(-1, *faces.shape[1:]))
    cells = [
        f"<p><b>{level}</b><br>{escape(found.words(level) or 'as it is')}</p>"
        for level in (0, *STRENGTHS)
    ]
    labels_of = np.repeat(labels, len(STRENGTHS) + 1)
    for picture, label, answer, share in zip(
        worse.reshape(-1, *faces.shape[1:]),
        labels_of.tolist(),
        scores.labels.tolist(),
        scores.confidence.tolist(),
        strict=True,
    ):
        cells.append(_figure(picture, label, answer, share))
    return f'{_STYLE}<div class="stress-faces">{"".join(cells)}</div>'


def _figure(picture: npt.NDArray[np.uint8], label: int, answer: int, share: float) -> str:
    mark = "✓" if answer == label else "✗"
    sure = views.percent(share, 0)
    says = f"{EMOTIONS[answer].title} {sure}"
    alt = f"Labelled {EMOTIONS[label].name}, looks {EMOTIONS[answer].adjective}, {sure}"
    return (
        f'<figure title="{escape(alt)}"><img src="{png_url(picture)}" alt="{escape(alt)}" '
        f'style="border-color: {EMOTIONS[answer].color}">{mark} {escape(says)}</figure>'
    )
