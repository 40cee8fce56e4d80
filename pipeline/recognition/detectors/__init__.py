"""Face detectors, by name."""

from __future__ import annotations

from pipeline.errors import ConfigError
from pipeline.recognition.detectors.base import Face, FaceDetector
from pipeline.recognition.detectors.ssd import SsdDetector
from pipeline.recognition.detectors.whole import WholeImageDetector
from pipeline.recognition.detectors.yunet import YuNetDetector

__all__ = [
    "DETECTORS",
    "Face",
    "FaceDetector",
    "SsdDetector",
    "WholeImageDetector",
    "YuNetDetector",
    "make_detector",
]

DETECTORS = ("yunet", "ssd", "none")
"""The names that `make_detector` takes; the first is the default."""


def make_detector(
    name: str = "yunet", *, threshold: float | None = None, small_faces: bool = True
) -> FaceDetector:
    """Builds a face detector.

    Args:
        name: One of `DETECTORS`: `yunet`, `ssd`, or `none` for images that are
            face crops already.
        threshold: The least confidence of a face, in `(0, 1)`; `None` takes the
            detector's own default. `none` has no use for it.
        small_faces: See `YuNetDetector`; live video goes without.

    Raises:
        ConfigError: If the name is unknown or the threshold out of range.
        ModelLoadError: If the detector's weights are missing or damaged.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"the detection threshold must lie between 0 and 1, got {threshold!r}")
    given = {} if threshold is None else {"threshold": threshold}
    match name:
        case "yunet":
            return YuNetDetector(**given, small_faces=small_faces)
        case "ssd":
            return SsdDetector(**given)
        case "none":
            return WholeImageDetector()
    raise ConfigError(f"unknown face detector {name!r}: expected one of {', '.join(DETECTORS)}")
