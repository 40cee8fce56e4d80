"""What is said of a face, in words."""

from __future__ import annotations

from pipeline.labels import EMOTIONS
from pipeline.recognition.occlusion import OcclusionMap
from pipeline.recognition.recognizer import Prediction


def phrase(prediction: Prediction) -> str:
    """What is said of a face: `Looks happy, 71 %`; never that it is."""
    if prediction.unsure:
        return "Unsure"
    return f"Looks {prediction.emotion.adjective}, {100 * prediction.confidence:.0f} %"


def _points(share: float) -> str:
    points = round(100 * share)
    return "1 point" if points == 1 else f"{points} points"


def occlusion_text(explained: OcclusionMap) -> str:
    """What the occlusion map shows, with its figures."""
    name = EMOTIONS[explained.label].title.lower()
    most, least = float(explained.drops.max()), float(explained.drops.min())
    if max(most, -least) < 0.01:
        return f"Hiding any one part changes “{name}” by less than one point: it is no single spot."
    parts = []
    if most >= 0.01:
        parts.append(f"Hiding the yellow parts lowers “{name}” by up to {_points(most)}")
    if least <= -0.01:
        parts.append(f"hiding the violet ones raises it by up to {_points(-least)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
