"""Who a drawn face is, and what its muscles do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

# Where the features of every face are; `y` in half head heights below its middle.
EYE_Y = -0.08
NOSE_Y = 0.27
MOUTH_Y = 0.60

HairStyle = Literal["bald", "short", "fringe", "parted", "long", "curly", "bun"]


@dataclass(frozen=True)
class Identity:
    """What stays the same whatever a face expresses; lengths in half head heights.

    Attributes:
        skin: Grey value of the skin.
        hair: Grey value of hair and brows.
        hair_style: How the hair is worn.
        face_width: Half the width at the cheekbones.
        jaw: Half the width of the jaw, as a share of `face_width`.
        eye_distance: From the middle to an eye.
        eye_size: Half the width of an eye.
        brow_height: Of the resting brow above the eye.
        brow_width: Thickness of the brow.
        nose_size: Factor on the nose.
        mouth_width: Half the width of the resting mouth.
        lip_width: Thickness of a lip.
        glasses: Whether it wears some.
        beard: Whether it has a beard.
    """

    skin: float
    hair: float
    hair_style: HairStyle
    face_width: float
    jaw: float
    eye_distance: float
    eye_size: float
    brow_height: float
    brow_width: float
    nose_size: float
    mouth_width: float
    lip_width: float
    glasses: bool
    beard: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> Identity:
        """Makes somebody up."""
        skin = rng.uniform(100, 220)
        style = rng.choice(get_args(HairStyle))
        return cls(
            skin=skin,
            hair=rng.uniform(15, max(40.0, skin - 75)),
            hair_style=style,
            face_width=rng.uniform(0.72, 0.84),
            jaw=rng.uniform(0.50, 0.85),
            eye_distance=rng.uniform(0.31, 0.36),
            eye_size=rng.uniform(0.155, 0.19),
            brow_height=rng.uniform(0.25, 0.29),
            brow_width=rng.uniform(0.06, 0.10),
            nose_size=rng.uniform(0.8, 1.2),
            mouth_width=rng.uniform(0.27, 0.34),
            lip_width=rng.uniform(0.05, 0.08),
            glasses=rng.random() < 0.15,
            beard=style in ("bald", "short", "curly") and rng.random() < 0.3,
        )


@dataclass(frozen=True)
class ActionUnits:
    """How strongly each muscle group is active, from 0 to 1.

    After the Facial Action Coding System (Ekman and Friesen 1978).
    """

    inner_brow_raiser: float = 0.0  # AU 1
    outer_brow_raiser: float = 0.0  # AU 2
    brow_lowerer: float = 0.0  # AU 4
    upper_lid_raiser: float = 0.0  # AU 5
    cheek_raiser: float = 0.0  # AU 6
    lid_tightener: float = 0.0  # AU 7
    nose_wrinkler: float = 0.0  # AU 9
    lip_corner_puller: float = 0.0  # AU 12
    lip_corner_depressor: float = 0.0  # AU 15
    lower_lip_depressor: float = 0.0  # AU 16
    lip_stretcher: float = 0.0  # AU 20
    lip_tightener: float = 0.0  # AU 23
    lips_part: float = 0.0  # AU 25
    jaw_drop: float = 0.0  # AU 26

    def varied(self, rng: np.random.Generator) -> ActionUnits:
        """The same expression as somebody else would show it some other day."""
        overall = rng.uniform(0.7, 1.0)
        values = {}
        for item in fields(self):
            # No face is ever quite still: hence the second term.
            strength = getattr(self, item.name) * overall * rng.uniform(0.85, 1.1)
            values[item.name] = min(1.0, strength + rng.uniform(0, 0.06))
        return ActionUnits(**values)


# Variants of each expression after EMFACS (Friesen and Ekman 1983).
EXPRESSIONS: dict[str, tuple[ActionUnits, ...]] = {
    "angry": (
        ActionUnits(brow_lowerer=1, upper_lid_raiser=0.7, lid_tightener=0.8, lip_tightener=1),
        ActionUnits(
            brow_lowerer=1, upper_lid_raiser=0.7, lid_tightener=0.8, lip_tightener=0.8, lips_part=1
        ),
    ),
    "disgust": (
        ActionUnits(nose_wrinkler=1, lip_corner_depressor=0.7, lower_lip_depressor=1),
        ActionUnits(
            nose_wrinkler=1, lip_corner_depressor=0.8, lower_lip_depressor=0.8, lips_part=0.4
        ),
    ),
    "fear": (
        ActionUnits(
            inner_brow_raiser=1,
            outer_brow_raiser=0.4,
            brow_lowerer=0.6,
            upper_lid_raiser=1,
            lip_stretcher=1,
            lips_part=1,
        ),
    ),
    "happy": (
        ActionUnits(cheek_raiser=1, lip_corner_puller=1),
        ActionUnits(cheek_raiser=1, lip_corner_puller=1, lips_part=1),
    ),
    "sad": (ActionUnits(inner_brow_raiser=1, brow_lowerer=0.4, lip_corner_depressor=1),),
    "surprise": (
        ActionUnits(
            inner_brow_raiser=1,
            outer_brow_raiser=1,
            upper_lid_raiser=0.9,
            lips_part=0.3,
            jaw_drop=1,
        ),
    ),
    "neutral": (ActionUnits(),),
}
