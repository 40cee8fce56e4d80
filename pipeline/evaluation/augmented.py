"""Test-time augmentation: the mean answer over several views of a face."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from pipeline.errors import ConfigError
from pipeline.recognition.classifier import EmotionScores

Faces = npt.NDArray[np.uint8]
Scorer = Callable[[Faces], EmotionScores]

CROP_SHARE = 0.9
"""Side of a crop of `ten_crop`, as a share of the face's side."""


def _flip(faces: Faces) -> Iterator[Faces]:
    yield faces
    yield np.ascontiguousarray(faces[:, :, ::-1])


def _ten_crop(faces: Faces) -> Iterator[Faces]:
    height, width = faces.shape[1:3]
    crop_height, crop_width = round(height * CROP_SHARE), round(width * CROP_SHARE)
    bottom, right = height - crop_height, width - crop_width
    corners = ((0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2))
    for top, left in corners:
        yield from _flip(faces[:, top : top + crop_height, left : left + crop_width])


VIEWS: dict[str, Callable[[Faces], Iterator[Faces]]] = {
    "none": lambda faces: iter((faces,)),
    "flip": _flip,
    "ten_crop": _ten_crop,
}


def augmented_scores(scorer: Scorer, faces: Faces, tta: str) -> EmotionScores:
    """Scores faces as the mean over views of each.

    `flip` takes a face and its mirror image; `ten_crop` takes the four corners
    and the centre, each also mirrored (Krizhevsky et al. 2012), 90 % of the
    side; preprocessing brings them back to the network's size.

    Args:
        scorer: Gives the scores of one view, such as `EmotionClassifier.scores`.
        faces: `uint8` in `[0, 255]`, shape `(n, height, width)` or
            `(n, height, width, 3)`; `n` may be 0.
        tta: `none`, `flip` or `ten_crop`.

    Raises:
        ConfigError: If there is no such augmentation.
    """
    if tta not in VIEWS:
        raise ConfigError(f"test-time augmentation must be one of {tuple(VIEWS)}, got {tta!r}")
    views = [scorer(view).probabilities for view in VIEWS[tta](faces)]
    return EmotionScores(np.mean(views, axis=0, dtype=np.float32))
