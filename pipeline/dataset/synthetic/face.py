"""A drawn face, photographed: pose, light, blur and noise."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE
from pipeline.dataset.synthetic import parts
from pipeline.dataset.synthetic.anatomy import EXPRESSIONS, ActionUnits, Identity
from pipeline.dataset.synthetic.canvas import Canvas, Pose
from pipeline.dataset.synthetic.mouth import draw_mouth
from pipeline.errors import DatasetError

# Drawn at four times the size and shrunk, lines come out smooth.
_OVERSAMPLING = 4


def draw_face(expression: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Draws somebody with an expression, in some pose and light.

    Args:
        expression: A name in `labels.NAMES`.
        rng: Decides all that the expression leaves open.

    Returns:
        `uint8` grey in `[0, 255]`, shape `(48, 48)`.

    Raises:
        DatasetError: If there is no such expression.
    """
    if expression not in EXPRESSIONS:
        raise DatasetError(f"unknown expression {expression!r}: expected one of {[*EXPRESSIONS]}")
    variants = EXPRESSIONS[expression]
    units = variants[rng.integers(len(variants))].varied(rng)
    drawing = compose(Identity.random(rng), units, random_pose(rng), rng)
    return photograph(drawing, rng)


def compose(
    who: Identity, units: ActionUnits, pose: Pose, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Draws a face from its parts, back to front, four times the final size."""
    # Of three walls, the one before which the head stands out best.
    walls = rng.uniform(30, 230, 3)
    contrast = np.minimum(abs(walls - who.skin), abs(walls - who.hair))
    canvas = Canvas(IMAGE_SIZE * _OVERSAMPLING, pose, walls[contrast.argmax()])
    parts.draw_hair_behind(canvas, who)
    parts.draw_head(canvas, who, units)
    parts.draw_cheeks(canvas, who, units)
    parts.draw_nose(canvas, who, units)
    draw_mouth(canvas, who, units)
    parts.draw_eyes(canvas, who, units, gaze=rng.uniform(-1, 1))
    parts.draw_brows(canvas, who, units)
    parts.draw_hair(canvas, who)
    if who.glasses:
        parts.draw_glasses(canvas, who)
    return canvas.pixels


def random_pose(rng: np.random.Generator) -> Pose:
    """A head held as people hold theirs for a portrait."""
    return Pose(
        roll=rng.normal(0, np.radians(7)),
        yaw=rng.normal(0, np.radians(10)),
        pitch=rng.normal(0, np.radians(5)),
        scale=rng.uniform(0.43, 0.53),
        center=(0.5 + rng.normal(0, 0.03), 0.49 + rng.normal(0, 0.03)),
    )


def photograph(drawing: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Takes a drawing to its final size under some light, blurred and noisy."""
    shape = (IMAGE_SIZE, IMAGE_SIZE)
    image = cv2.resize(drawing, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : IMAGE_SIZE * 1j, -1 : 1 : IMAGE_SIZE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.35) * (x * np.cos(angle) + y * np.sin(angle))
    image = image * light * rng.uniform(0.75, 1.1) + rng.uniform(-15, 25)
    image = cv2.GaussianBlur(image, (5, 5), sigmaX=rng.uniform(0.2, 0.75))
    image += rng.normal(0, rng.uniform(1, 6), shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
