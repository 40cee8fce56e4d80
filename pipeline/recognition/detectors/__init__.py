"""Face detectors, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ConfigError
from pipeline.recognition.detectors import ssd, yunet
from pipeline.recognition.detectors.base import Face, FaceDetector
from pipeline.recognition.detectors.ssd import SsdDetector
from pipeline.recognition.detectors.whole import WholeImageDetector
from pipeline.recognition.detectors.yunet import YuNetDetector

__all__ = [
    "DETECTORS",
    "DetectorKind",
    "Face",
    "FaceDetector",
    "SsdDetector",
    "WholeImageDetector",
    "YuNetDetector",
    "kind",
    "make_detector",
]


@dataclass(frozen=True)
class DetectorKind:
    """A face detector, as it is listed before it is made.

    Attributes:
        title: The name as the interface writes it, and what it is good for.
        make: Its class.
        threshold: The least confidence of a face that it takes by itself, in
            `(0, 1)`; `None` if it has no use for one. Otherwise `make` takes
            another as `threshold`.
        small_faces: Whether `make` takes `small_faces`; see `YuNetDetector`.
    """

    title: str
    make: Callable[..., FaceDetector]
    threshold: float | None = None
    small_faces: bool = False


_KINDS = {
    "yunet": DetectorKind(
        "YuNet: small, large and turned faces", YuNetDetector, yunet.THRESHOLD, small_faces=True
    ),
    "ssd": DetectorKind("SSD: large faces from the front", SsdDetector, ssd.THRESHOLD),
    "none": DetectorKind("None: each picture is one face", WholeImageDetector),
}

DETECTORS = tuple(_KINDS)
"""The names that `make_detector` takes; the first is the default."""


def kind(name: str) -> DetectorKind:
    """The face detector of that name.

    Raises:
        ConfigError: If there is none.
    """
    if name not in _KINDS:
        raise ConfigError(f"unknown face detector {name!r}: expected one of {', '.join(DETECTORS)}")
    return _KINDS[name]


def make_detector(
    name: str = DETECTORS[0], *, threshold: float | None = None, small_faces: bool = True
) -> FaceDetector:
    """Builds a face detector.

    Args:
        name: One of `DETECTORS`: `yunet`, `ssd`, or `none` for images that are
            face crops already.
        threshold: The least confidence of a face, in `(0, 1)`; `None` takes the
            detector's own default. `none` has no use for it.
        small_faces: See `YuNetDetector`; live video goes without. The others
            have no use for it.

    Raises:
        ConfigError: If the name is unknown or the threshold out of range.
        ModelLoadError: If the detector's weights are missing or damaged.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"the detection threshold must lie between 0 and 1, got {threshold!r}")
    chosen = kind(name)
    given: dict[str, Any] = {}
    if threshold is not None and chosen.threshold is not None:
        given["threshold"] = threshold
    if chosen.small_faces:
        given["small_faces"] = small_faces
    return chosen.make(**given)
