"""The mouth of a drawn face: it tells more than the rest together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.dataset.synthetic.anatomy import MOUTH_Y, ActionUnits, Identity
from pipeline.dataset.synthetic.canvas import Canvas, Points, curve, ellipse, moved_down

_INSIDE = 35.0
_TEETH = 240.0
_TONGUE = 120.0


@dataclass(frozen=True)
class _Shape:
    """Where the lips are: half width, corners, and the middle of each lip."""

    width: float
    corner: float
    upper: float
    lower: float

    @classmethod
    def of(cls, who: Identity, units: ActionUnits) -> _Shape:
        """What the muscles make of a mouth."""
        smile, frown = units.lip_corner_puller, units.lip_corner_depressor
        stretch, tight, drop = units.lip_stretcher, units.lip_tightener, units.jaw_drop
        bared = units.lower_lip_depressor
        width = who.mouth_width * (
            1 + 0.35 * smile + 0.35 * stretch - 0.12 * tight - 0.35 * drop - 0.05 * frown
        )
        upper = (
            MOUTH_Y + 0.02 + 0.04 * smile - 0.07 * frown - 0.07 * drop - 0.07 * units.nose_wrinkler
        )
        gap = 0.17 * units.lips_part + 0.36 * drop + 0.10 * bared
        corner = MOUTH_Y - 0.13 * smile + 0.11 * frown + 0.05 * stretch + 0.05 * drop + 0.03 * tight
        return cls(width, corner, upper, upper + gap)

    @property
    def gap(self) -> float:
        return self.lower - self.upper

    def lip(self, height: float) -> Points:
        """A line from corner to corner whose middle is at `height`."""
        control = (4 * height - self.corner) / 3
        side = self.width * 0.75
        return curve(
            (-self.width, self.corner), (-side, control), (side, control), (self.width, self.corner)
        )


def draw_mouth(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    """Draws the lips, and teeth and tongue where they part."""
    shape = _Shape.of(who, units)
    upper, lower = shape.lip(shape.upper), shape.lip(shape.lower)
    thickness = who.lip_width * (1 - 0.5 * units.lip_tightener)
    for lip in (moved_down(upper, -thickness / 2), moved_down(lower, thickness / 2)):
        canvas.stroke(lip, who.skin * 0.68, thickness)
    if shape.gap > 0.04:
        opening = np.concatenate([upper, lower[::-1]])
        canvas.fill(opening, _INSIDE)
        with canvas.clipped(opening):
            _draw_inside(canvas, shape, units)
    else:
        canvas.stroke(upper, who.skin * 0.3, 0.035)
    # The lower lip throws a shadow, deeper where the chin is pushed up.
    y = shape.lower + thickness + 0.06
    shadow = curve((-0.1, y + 0.02), (0, y - 0.03), (0.1, y + 0.02))
    canvas.stroke(shadow, who.skin * (0.8 - 0.2 * units.lip_corner_depressor), 0.03)


def _draw_inside(canvas: Canvas, shape: _Shape, units: ActionUnits) -> None:
    """Draws teeth and tongue; the caller keeps them inside the lips."""
    if units.jaw_drop > 0.3:
        canvas.fill(ellipse(0, shape.lower, shape.width * 0.6, shape.gap * 0.35), _TONGUE)
        return
    clenched = max(units.lip_stretcher, units.lip_tightener)
    top = min(shape.corner, shape.upper) - 0.1
    bottom = shape.upper + shape.gap * (1.2 if clenched > 0.3 else 0.55)
    row = [(-1, top), (1, top), (1, bottom), (-1, bottom)]
    canvas.fill(np.array(row), _TEETH)
    if clenched > 0.3:
        canvas.stroke(shape.lip(shape.upper + shape.gap * 0.5), _INSIDE + 50, 0.025)
