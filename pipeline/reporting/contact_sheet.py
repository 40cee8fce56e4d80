"""Many faces in one picture, each with a few words below it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pipeline.errors import ConfigError

_PAPER, _INK = 255, 24
_GAP = 6
_FONT_SIZE = 12
_LINE = 15


def contact_sheet(
    images: npt.NDArray[np.uint8],
    captions: Sequence[str] = (),
    *,
    columns: int = 8,
    side: int = 96,
) -> npt.NDArray[np.uint8]:
    """Lays faces out in rows, from the left and the top.

    Args:
        images: `uint8` grey in `[0, 255]`, shape `(n, height, width)`; `n` is 1
            at least.
        captions: What stands below each, in the order of the images, in one line
            or more; a line that is too long for its face is cut off. Empty for
            none.
        columns: Faces in a row.
        side: The width of each face on the sheet, pixels.

    Returns:
        The sheet on white, `uint8` grey, shape `(height, width)`.

    Raises:
        ConfigError: If there is no image, or not one caption for each.
    """
    if not len(images) or (captions and len(captions) != len(images)):
        raise ConfigError(
            f"expected one image or more and a caption for each or none, got {len(images)} images "
            f"and {len(captions)} captions"
        )
    tall = round(side * images.shape[1] / images.shape[2])
    lines = max((text.count("\n") + 1 for text in captions), default=0)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell = tall + lines * _LINE + _GAP
    sheet = Image.new("L", (columns * (side + _GAP) + _GAP, rows * cell + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        left, top = _GAP + column * (side + _GAP), _GAP + row * cell
        # Pixels stay squares: what 48 pixels do not show should not be made up.
        face = Image.fromarray(np.asarray(image)).resize((side, tall), Image.Resampling.NEAREST)
        sheet.paste(face, (left, top))
        for number, text in enumerate(captions[place].split("\n") if captions else ()):
            draw.text((left, top + tall + number * _LINE), _fitted(text, font, side), _INK, font)
    return np.asarray(sheet)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text, or as much of its beginning as there is room for, with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1].rstrip()
    return f"{text}…"
