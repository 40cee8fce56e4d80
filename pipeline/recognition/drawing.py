"""Predictions drawn into their image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pipeline.errors import ConfigError
from pipeline.recognition.recognizer import Prediction

UNSURE_COLOR = "#3A3A3A"

_INK = "#101010"
_PAPER = "#FFFFFF"
# Smaller images are enlarged by a whole factor, or nobody could read the labels.
_LEGIBLE_SIDE = 400
_LEAST_FONT, _MOST_FONT = 11, 64
_FONT_OF_IMAGE, _FONT_OF_FACE = 1 / 42, 1 / 5
_LINE_OF_IMAGE, _LINE_OF_FACE = 1 / 320, 1 / 24

_Rectangle = tuple[int, int, int, int]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def caption(prediction: Prediction) -> str:
    """What the label of a face says: the emotion and its probability, or that it is unsure."""
    if prediction.unsure:
        return "Unsure"
    return f"{prediction.emotion.title} {100 * prediction.confidence:.0f} %"


def annotate(
    image: npt.NDArray[np.uint8],
    predictions: Sequence[Prediction],
    captions: Sequence[str] | None = None,
) -> npt.NDArray[np.uint8]:
    """Draws a box and a label for each face.

    Args:
        image: `uint8` RGB, shape `(height, width, 3)`; it stays as it is.
        predictions: The faces.
        captions: The labels' texts; `None` takes `caption` of each.

    Returns:
        A new image, `uint8` RGB; one whose longer side is below 400 pixels
        comes back enlarged by a whole factor.

    Raises:
        ConfigError: If there are not as many captions as predictions.
    """
    texts = [caption(prediction) for prediction in predictions] if captions is None else captions
    if len(texts) != len(predictions):
        raise ConfigError(f"got {len(texts)} captions for {len(predictions)} faces")
    factor = max(1, -(-_LEGIBLE_SIDE // max(image.shape[:2])))
    canvas = Image.fromarray(image)
    if factor > 1:
        size = canvas.width * factor, canvas.height * factor
        canvas = canvas.resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(canvas)
    boxes = [
        _draw_box(draw, canvas.size, _corners(prediction, factor), _color(prediction))
        for prediction in predictions
    ]
    # Labels come last, so that no other face's box runs through them.
    taken: list[_Rectangle] = []
    for prediction, box, text in zip(predictions, boxes, texts, strict=True):
        font = _font(_font_size(canvas.size, box))
        chip = _place_chip(canvas.size, box, _chip_size(font, text), taken)
        _draw_chip(draw, chip, text, font, _color(prediction))
        taken.append(chip)
    return np.array(canvas)


def _color(prediction: Prediction) -> str:
    return UNSURE_COLOR if prediction.unsure else prediction.emotion.color


def _corners(prediction: Prediction, factor: int) -> _Rectangle:
    x, y, w, h = prediction.box.rounded()
    return x * factor, y * factor, (x + w) * factor - 1, (y + h) * factor - 1


def _draw_box(
    draw: ImageDraw.ImageDraw, canvas: tuple[int, int], box: _Rectangle, color: str
) -> _Rectangle:
    """Draws a frame around a face, not over it, and gives the frame's outer edge."""
    thickness = max(1, round(min(max(canvas) * _LINE_OF_IMAGE, (box[2] - box[0]) * _LINE_OF_FACE)))
    # A hairline on either side sets the colour apart from any ground.
    hair = max(1, thickness // 3)
    outer = _grown(box, 2 * hair + thickness, canvas)
    draw.rectangle(outer, None, _text_color(color), 2 * hair + thickness)
    inner = _grown(outer, -hair, canvas)
    if inner[0] <= inner[2] and inner[1] <= inner[3]:  # not so in an image of a pixel or two
        draw.rectangle(inner, None, color, thickness)
    return outer


def _grown(box: _Rectangle, by: int, canvas: tuple[int, int]) -> _Rectangle:
    left, top, right, bottom = box
    return (
        max(left - by, 0),
        max(top - by, 0),
        min(right + by, canvas[0] - 1),
        min(bottom + by, canvas[1] - 1),
    )


def _font_size(canvas: tuple[int, int], box: _Rectangle) -> int:
    """In proportion to the image, but not larger than a small face can carry."""
    of_image = max(canvas) * _FONT_OF_IMAGE
    of_face = (box[2] - box[0]) * _FONT_OF_FACE
    return round(min(max(min(of_image, of_face), _LEAST_FONT), _MOST_FONT))


@lru_cache(maxsize=64)
def _font(size: int) -> _Font:
    return ImageFont.load_default(size)


def _chip_size(font: _Font, text: str) -> tuple[int, int]:
    _, top, _, bottom = font.getbbox("Äg")  # one height for all texts
    left, _, right, _ = font.getbbox(text)
    pad = round((bottom - top) / 3)
    return round(right - left) + 2 * pad, round(bottom - top) + pad


def _place_chip(
    canvas: tuple[int, int], box: _Rectangle, size: tuple[int, int], taken: Sequence[_Rectangle]
) -> _Rectangle:
    """Above the face, else below, else inside: the first that is free and in the image."""
    width, height = size
    left, top, _, bottom = box
    x = min(left, max(canvas[0] - width, 0))
    for y in (top - height, bottom + 1, top, bottom + 1 - height):
        chip = (x, y, x + width - 1, y + height - 1)
        inside = y >= 0 and y + height <= canvas[1]
        if inside and not any(_meet(chip, other) for other in taken):
            return chip
    y = max(min(top, canvas[1] - height), 0)
    return x, y, x + width - 1, y + height - 1


def _meet(one: _Rectangle, other: _Rectangle) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _draw_chip(
    draw: ImageDraw.ImageDraw,
    chip: _Rectangle,
    text: str,
    font: _Font,
    color: str,
) -> None:
    draw.rectangle(chip, color)
    middle = ((chip[0] + chip[2] + 1) / 2, (chip[1] + chip[3] + 1) / 2)
    draw.text(middle, text, _text_color(color), font, anchor="mm")


def _text_color(ground: str) -> str:
    """Black or white, whichever stands out more (contrast of WCAG 2.2)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # Where (1 + 0.05) / (L + 0.05) equals (L + 0.05) / (0 + 0.05).
    return _INK if luminance > 0.179 else _PAPER
