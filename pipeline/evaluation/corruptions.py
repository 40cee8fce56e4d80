"""What light, cameras, video calls and face detectors do to a face, at five strengths.

After the corruptions of ImageNet-C (Hendrycks and Dietterich 2019,
arXiv:1903.12261), with those that a face in a square crop meets: a detector's
box that is too tight, too loose, turned or beside the face, a hidden mouth,
hidden eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline import camera
from pipeline.errors import ConfigError, ImageFormatError

Faces = npt.NDArray[np.uint8]
Rng = np.random.Generator

STRENGTHS = (1, 2, 3, 4, 5)
"""From hardly visible to hard for people; 0 stands for the face as it is."""

_SIDE = 48
"""The side of the faces that levels in pixels are meant for."""

# Where FER-2013 has eyes with brows, and the mouth, on its mean face: shares of the height.
_EYE_LINE = 17.5 / _SIDE
_MOUTH_LINE = 38.5 / _SIDE


@dataclass(frozen=True)
class Corruption:
    """One way in which faces get worse.

    Attributes:
        title: What the interface calls it.
        levels: What each of `STRENGTHS` means.
        unit: Format of a level in words, such as `{:g} px`.
        apply: Takes faces, a level and a generator, which it asks for the same
            numbers at every level.
    """

    title: str
    levels: tuple[float, ...]
    unit: str
    apply: Callable[[Faces, float, Rng], Faces]

    def words(self, strength: int) -> str:
        """What a strength means: `σ 1.5 px`; empty for 0."""
        return self.unit.format(self.levels[strength - 1]) if strength else ""


def corrupt(faces: Faces, name: str, strength: int, *, seed: int = 0) -> Faces:
    """Makes faces worse.

    Args:
        faces: `uint8` grey in `[0, 255]`, shape `(n, height, width)`; `n` may be 0.
        name: One of `CORRUPTIONS`.
        strength: 0, which changes nothing, or one of `STRENGTHS`.
        seed: Decides noise and directions. They are the same at every strength,
            so that a higher one is more of the same.

    Returns:
        New faces of the same shape and dtype.

    Raises:
        ConfigError: If there is no such corruption or strength.
        ImageFormatError: If `faces` has another dtype or shape.
    """
    if name not in CORRUPTIONS:
        raise ConfigError(f"corruption must be one of {', '.join(CORRUPTIONS)}, got {name!r}")
    if strength not in (0, *STRENGTHS):
        raise ConfigError(f"strength must be from 0 to {STRENGTHS[-1]}, got {strength!r}")
    if faces.dtype != np.uint8 or faces.ndim != 3:
        raise ImageFormatError(
            f"expected uint8 grey faces of shape (n, height, width), got {faces.dtype} of shape "
            f"{faces.shape}"
        )
    if not strength or not len(faces):
        return np.array(faces)
    found = CORRUPTIONS[name]
    return found.apply(faces, found.levels[strength - 1], np.random.default_rng(seed))


def _gain(faces: Faces, gain: float, rng: Rng) -> Faces:
    """Less or more light on the sensor; what is too bright burns out."""
    return camera.grey(faces * np.float32(gain))


def _contrast(faces: Faces, share: float, rng: Rng) -> Faces:
    """Haze: every pixel closer to the mean of its face."""
    mean = faces.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    return camera.grey(mean + (faces - mean) * np.float32(share))


def _blur(faces: Faces, sigma: float, rng: Rng) -> Faces:
    return _each(faces, lambda face: camera.blurred(face, sigma))


def _jpeg(faces: Faces, quality: float, rng: Rng) -> Faces:
    return _each(faces, lambda face: camera.compressed(face, int(quality)))


def _noise(faces: Faces, deviation: float, rng: Rng) -> Faces:
    return camera.noisy(faces, deviation, rng)


def _rotation(faces: Faces, degrees: float, rng: Rng) -> Faces:
    angles = degrees * rng.choice((-1.0, 1.0), len(faces))
    return _warp(faces, angles, 1.0, np.zeros((len(faces), 2)))


def _zoom(faces: Faces, factor: float, rng: Rng) -> Faces:
    """A detector's box that is too tight (above 1) or too loose; edges go on outwards."""
    still = np.zeros(len(faces))
    return _warp(faces, still, factor, np.stack([still, still], axis=1))


def _shift(faces: Faces, share: float, rng: Rng) -> Faces:
    """A detector's box beside the face, in any direction; edges go on outwards."""
    angles = rng.uniform(0, 2 * np.pi, len(faces))
    reach = share * np.array([faces.shape[2], faces.shape[1]])
    offsets = reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _warp(faces, np.zeros(len(faces)), 1.0, offsets)


def _low_resolution(faces: Faces, share: float, rng: Rng) -> Faces:
    return _each(faces, lambda face: camera.coarse(face, share))


def _hiding(line: float) -> Callable[[Faces, float, Rng], Faces]:
    """A band around a line of the face, as grey as the face on the whole."""

    def hidden(faces: Faces, share: float, rng: Rng) -> Faces:
        height = faces.shape[1]
        top, bottom = round((line - share / 2) * height), round((line + share / 2) * height)
        covered = np.array(faces)
        covered[:, max(top, 0) : bottom] = camera.grey(faces.mean(axis=(1, 2), keepdims=True))
        return covered

    return hidden


def _warp(
    faces: Faces,
    degrees: npt.NDArray[np.float64],
    factor: float,
    offsets: npt.NDArray[np.float64],
) -> Faces:
    height, width = faces.shape[1:]
    centre = ((width - 1) / 2, (height - 1) / 2)
    warped = np.empty_like(faces)
    for face, angle, offset, target in zip(faces, degrees, offsets, warped, strict=True):
        matrix = cv2.getRotationMatrix2D(centre, float(angle), factor)
        matrix[:, 2] += offset
        cv2.warpAffine(
            face,
            matrix,
            (width, height),
            dst=target,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return warped


def _each(faces: Faces, change: Callable[[Faces], Faces]) -> Faces:
    return np.stack([change(face) for face in faces])


_BANDS = tuple(pixels / _SIDE for pixels in (3, 6, 9, 12, 15))
_BAND_UNIT = "{:.0%} of the height"

CORRUPTIONS: dict[str, Corruption] = {
    "darker": Corruption("Darker", (0.8, 0.6, 0.4, 0.25, 0.15), "× {:g}", _gain),
    "brighter": Corruption("Brighter", (1.3, 1.7, 2.2, 3.0, 4.0), "× {:g}", _gain),
    "contrast": Corruption("Low contrast", (0.8, 0.6, 0.4, 0.25, 0.15), "× {:g}", _contrast),
    "blur": Corruption("Blur", (0.5, 1.0, 1.5, 2.0, 3.0), "σ {:g} px", _blur),
    "jpeg": Corruption("JPEG", (50, 30, 20, 10, 5), "quality {:g}", _jpeg),
    "noise": Corruption("Noise", (8, 16, 24, 36, 50), "σ {:g} of 255", _noise),
    "low_resolution": Corruption(
        "Low resolution",
        tuple(side / _SIDE for side in (32, 24, 16, 12, 8)),
        "{:.0%} of the side",
        _low_resolution,
    ),
    "rotation": Corruption("Rotation", (5, 10, 15, 20, 30), "{:g}°", _rotation),
    "zoom_in": Corruption("Box too tight", (1.1, 1.2, 1.3, 1.4, 1.5), "× {:g}", _zoom),
    "zoom_out": Corruption("Box too loose", (0.9, 0.8, 0.7, 0.6, 0.5), "× {:g}", _zoom),
    "shift": Corruption("Box beside", (0.04, 0.08, 0.12, 0.16, 0.2), "{:.0%} of the side", _shift),
    "eyes": Corruption("Eyes hidden", _BANDS, _BAND_UNIT, _hiding(_EYE_LINE)),
    "mouth": Corruption("Mouth hidden", _BANDS, _BAND_UNIT, _hiding(_MOUTH_LINE)),
}
"""All corruptions by name, in the order in which they are shown."""
