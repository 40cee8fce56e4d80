"""The parts of a drawn face, each a function of who it is and what its muscles do.

Places and lengths are in half head heights from the middle of the face (see
`canvas.Canvas`). The numbers were found by looking.
"""

from __future__ import annotations

import numpy as np

from pipeline.dataset.synthetic.anatomy import EYE_Y, MOUTH_Y, NOSE_Y, ActionUnits, Identity
from pipeline.dataset.synthetic.canvas import Canvas, Points, curve, ellipse, mirrored, moved_down

_DARK = 25.0
_BOTH_SIDES = (1, -1)


def draw_head(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    """Draws shoulders, neck, ears and the bare face."""
    neck = np.array([(-0.34, 0.6), (0.34, 0.6), (0.38, 1.4), (-0.38, 1.4)])
    canvas.fill(neck, who.skin * 0.75, depth=0)
    canvas.fill(ellipse(0, 1.85, 1.3, 0.6), 0.5 * who.hair + 70, depth=0)
    if who.hair_style != "long":
        for side in _BOTH_SIDES:
            canvas.fill(ellipse(side * who.face_width, 0.03, 0.11, 0.19), who.skin * 0.85, depth=0)
    outline = _face_outline(who, units)
    canvas.fill(outline, who.skin, depth=0)
    canvas.stroke(outline, who.skin * 0.7, 0.02, depth=0, closed=True)
    if who.beard:
        _draw_beard(canvas, who, outline)


def _face_outline(who: Identity, units: ActionUnits) -> Points:
    """The closed outline of the face; a dropped jaw makes it longer."""
    chin = 1.0 + 0.1 * units.jaw_drop
    width, jaw = who.face_width, who.face_width * who.jaw
    right = np.concatenate(
        [
            curve((0, -0.98), (width * 0.9, -0.98), (width * 1.05, -0.4), (width, 0.0)),
            curve((width, 0.0), (width * 0.95, 0.6), (jaw, chin), (0, chin)),
        ]
    )
    return np.concatenate([right, mirrored(right)[::-1]])


def _draw_beard(canvas: Canvas, who: Identity, outline: Points) -> None:
    chin = outline[outline[:, 1] > 0.2]
    moustache = curve((-0.4, 0.5), (-0.2, 0.32), (0.2, 0.32), (0.4, 0.5))
    cheek = who.face_width * 0.85
    edge = np.array([(-cheek, 0.2), *moustache, (cheek, 0.2)])
    canvas.fill(np.concatenate([chin, edge]), who.hair, depth=0.1, opacity=0.45)


def draw_hair_behind(canvas: Canvas, who: Identity) -> None:
    """Draws the hair that falls behind the face."""
    width = who.face_width
    if who.hair_style == "long":
        canvas.fill(ellipse(0, -0.2, width * 1.3, 0.98), who.hair, depth=0)
        corners = np.array([(-1.3, -0.2), (1.3, -0.2), (1.35, 1.3), (-1.35, 1.3)])
        canvas.fill(corners * (width, 1), who.hair, depth=0)
    elif who.hair_style == "bun":
        canvas.fill(ellipse(0, -1.1, 0.32, 0.26), who.hair, depth=0)
    elif who.hair_style == "curly":
        for angle in np.linspace(np.pi * 0.95, np.pi * 2.05, 11):
            x, y = width * 1.05 * np.cos(angle), -0.15 + 0.85 * np.sin(angle)
            canvas.fill(ellipse(x, y, 0.27, 0.27), who.hair, depth=0)


def draw_hair(canvas: Canvas, who: Identity) -> None:
    """Draws the hair that lies on the forehead."""
    if who.hair_style == "bald":
        return
    hairline = _hairline(who)
    skull = _face_outline(who, ActionUnits()) * (1.05, 1.08)
    above = skull[:, 1] < hairline[0, 1]
    middle = len(skull) // 2
    crown = np.concatenate([skull[middle:][above[middle:]], skull[:middle][above[:middle]]])
    canvas.fill(np.concatenate([crown, hairline]), who.hair, depth=0.1)
    if who.hair_style == "curly":
        for x in np.linspace(-0.8, 0.8, 7) * who.face_width:
            canvas.fill(ellipse(x, -0.68 + 0.3 * x**2, 0.14, 0.12), who.hair, depth=0.1)
    shine = curve((-0.45, -0.80), (-0.3, -0.98), (0.0, -0.98))
    canvas.stroke(shine, who.hair + 0.15 * (255 - who.hair), 0.03, depth=0.1)


def _hairline(who: Identity) -> Points:
    """Where the hair ends on the forehead, from the right ear to the left."""
    edge = who.face_width
    if who.hair_style == "fringe":
        x = np.linspace(edge, -edge, 15)
        jags = np.where(np.arange(15) % 2, -0.72, -0.63)
        return np.stack([x, jags + 0.8 * (x / edge) ** 8], axis=1)
    if who.hair_style == "parted":
        right = curve((edge, -0.1), (edge * 0.85, -0.6), (0.3, -0.85))
        left = curve((0.3, -0.85), (-0.3, -0.6), (-edge, -0.7), (-edge, -0.1))
        return np.concatenate([right, left])
    if who.hair_style == "long":
        right = curve((edge, 0.45), (edge * 0.95, -0.70), (0, -0.90))
        return np.concatenate([right, mirrored(right)[::-1]])
    ends = {"short": (-0.15, -0.86), "curly": (-0.1, -0.8), "bun": (-0.2, -0.95)}
    start, height = ends[who.hair_style]
    return curve((edge, start), (edge * 0.8, height), (-edge * 0.8, height), (-edge, start))


def draw_brows(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    """Draws the brows and what they do to the forehead."""
    raised, spread = units.inner_brow_raiser, units.outer_brow_raiser
    lowered = max(units.brow_lowerer, 0.5 * units.nose_wrinkler)
    rest = EYE_Y - who.brow_height
    # Raising only the inner ends makes the outer ones hang.
    inner = rest - 0.15 * raised + 0.15 * lowered * (1 - 0.6 * raised)
    outer = rest + 0.03 - 0.17 * spread + 0.12 * raised * (1 - spread) - 0.03 * lowered
    middle = (inner + outer) / 2 - 0.05 - 0.07 * spread + 0.04 * lowered
    left, right = who.eye_distance - 0.17 - 0.05 * lowered, who.eye_distance + 0.21
    ridge = curve(
        (left, inner), (who.eye_distance, 2 * middle - (inner + outer) / 2), (right, outer)
    )
    # Thick at the nose, thin at the temple.
    half = np.zeros_like(ridge)
    half[:, 1] = np.linspace(0.5, 0.18, len(ridge)) * who.brow_width
    brow = np.concatenate([ridge - half, (ridge + half)[::-1]])
    for points in (brow, mirrored(brow)):
        canvas.fill(points, min(who.hair, who.skin * 0.5))
    _draw_forehead(canvas, who, units)


def _draw_forehead(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    lifted = units.inner_brow_raiser
    width = 0.18 + 0.22 * units.outer_brow_raiser
    for y in (-0.62, -0.72):
        line = curve((-width, y + 0.02), (0, y - 0.04), (width, y + 0.02))
        _crease(canvas, who, line, lifted)
    for side in _BOTH_SIDES:
        line = curve((0.05 * side, -0.42), (0.03 * side, -0.32), (0.05 * side, -0.22))
        _crease(canvas, who, line, units.brow_lowerer)


def draw_eyes(canvas: Canvas, who: Identity, units: ActionUnits, gaze: float) -> None:
    """Draws both eyes, looking aside by `gaze`, from -1 to 1."""
    tight, cheek, wrinkle = units.lid_tightener, units.cheek_raiser, units.nose_wrinkler
    droop = units.inner_brow_raiser * (1 - units.upper_lid_raiser)
    upper = 0.70 + 0.50 * units.upper_lid_raiser - 0.25 * tight - 0.30 * wrinkle - 0.22 * droop
    lower = 0.55 + 0.20 * units.upper_lid_raiser - 0.30 * tight - 0.85 * cheek - 0.30 * wrinkle
    size = who.eye_size
    for side in _BOTH_SIDES:
        x = side * who.eye_distance
        # In sorrow the lid slants down to the temple.
        ends = ((x - side * size, EYE_Y), (x + side * size, EYE_Y + 0.05 * droop))
        lid = curve(ends[0], (x, EYE_Y - 2 * upper * size), ends[1])
        lash = curve(ends[1], (x, EYE_Y + 2 * lower * size), ends[0])
        opening = np.concatenate([lid, lash])
        canvas.fill(opening, 245)
        with canvas.clipped(opening):
            _draw_iris(canvas, x + 0.05 * gaze, size)
        canvas.stroke(lid, _DARK, 0.05)
        canvas.stroke(lash, who.skin * 0.5, 0.025)
        _crease(canvas, who, moved_down(lash, 0.09), max(cheek, tight, wrinkle))


def _draw_iris(canvas: Canvas, x: float, size: float) -> None:
    canvas.fill(ellipse(x, EYE_Y, size * 0.58, size * 0.58), 60)
    canvas.fill(ellipse(x, EYE_Y, size * 0.32, size * 0.32), 10)
    canvas.fill(ellipse(x + size * 0.2, EYE_Y - size * 0.2, size * 0.16, size * 0.16), 255)


def draw_nose(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    """Draws the nose; disgust wrinkles and lifts it."""
    wrinkle = units.nose_wrinkler
    size, y = who.nose_size, NOSE_Y - 0.05 * wrinkle
    wing = 0.12 * size + 0.03 * wrinkle
    bridge = curve((0.05, EYE_Y + 0.05), (0.09, y - 0.1), (wing, y - 0.02))
    canvas.stroke(bridge, who.skin * 0.82, 0.04)
    tip = curve(
        (-wing, y - 0.02),
        (-wing * 0.5, y + 0.1 * size),
        (wing * 0.5, y + 0.1 * size),
        (wing, y - 0.02),
    )
    canvas.stroke(tip, who.skin * 0.65, 0.035, depth=1.15)
    for side in _BOTH_SIDES:
        canvas.fill(ellipse(side * wing * 0.5, y + 0.03, 0.03, 0.018), _DARK, depth=1.15)
        fold = curve(
            (side * (wing + 0.02), y - 0.08),
            (side * (wing + 0.07), y - 0.02),
            (side * (wing + 0.05), y + 0.06),
        )
        _crease(canvas, who, fold, wrinkle)
    for level in (-0.16, -0.07, 0.02):
        line = curve((-0.09, level + 0.03), (0, level - 0.03), (0.09, level + 0.03))
        _crease(canvas, who, line, wrinkle)


def draw_cheeks(canvas: Canvas, who: Identity, units: ActionUnits) -> None:
    """Draws raised cheeks and the folds from nose to mouth."""
    smile, sneer = units.lip_corner_puller, units.nose_wrinkler
    for side in _BOTH_SIDES:
        if units.cheek_raiser > 0.2:
            blush = ellipse(side * 0.47, 0.27, 0.16, 0.11)
            canvas.fill(blush, who.skin * 0.8, opacity=0.5 * units.cheek_raiser)
        start = (side * 0.17 * who.nose_size, NOSE_Y - 0.04)
        end = (side * (0.36 + 0.1 * smile), MOUTH_Y - 0.1 * smile)
        fold = curve(start, (side * 0.36, NOSE_Y + 0.02), end)
        _crease(canvas, who, fold, 0.8 * max(smile, sneer))


def _crease(canvas: Canvas, who: Identity, line: Points, strength: float) -> None:
    """A fold of skin, the darker the stronger; a weak one is not seen at all."""
    if strength > 0.15:
        canvas.stroke(line, who.skin * (1 - 0.45 * strength), 0.03)


def draw_glasses(canvas: Canvas, who: Identity) -> None:
    """Draws a pair of glasses."""
    for side in _BOTH_SIDES:
        rim = ellipse(side * who.eye_distance, EYE_Y + 0.02, 0.26, 0.24)
        canvas.stroke(rim, _DARK, 0.045, closed=True)
        inner = side * (who.eye_distance + 0.26)
        temple = np.array([(inner, EYE_Y - 0.03), (side * who.face_width, EYE_Y - 0.07)])
        canvas.stroke(temple, _DARK, 0.04)
    gap = who.eye_distance - 0.26
    canvas.stroke(curve((-gap, EYE_Y), (0, EYE_Y - 0.05), (gap, EYE_Y)), _DARK, 0.045)
