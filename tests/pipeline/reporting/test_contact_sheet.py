import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.contact_sheet import contact_sheet


def faces(*greys: int) -> np.ndarray:
    return np.stack([np.full((48, 48), grey, np.uint8) for grey in greys])


def test_faces_stand_in_rows_and_the_last_row_may_be_short() -> None:
    sheet = contact_sheet(faces(10, 20, 30), columns=2, side=48)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (2 * 54 + 6, 2 * 54 + 6)
    assert [int(sheet[y, x]) for y, x in ((30, 30), (30, 84), (84, 30), (84, 84))] == [
        *(10, 20, 30),
        255,
    ]


def test_pixels_are_enlarged_without_smoothing() -> None:
    checks = (np.indices((48, 48)).sum(axis=0) % 2 * 255).astype(np.uint8)[None]
    sheet = contact_sheet(checks, side=96)
    assert set(np.unique(sheet[6:102, 6:102])) == {0, 255}


def test_captions_stand_below_their_own_face_and_within_its_width() -> None:
    plain = contact_sheet(faces(10, 20), side=48)
    told = contact_sheet(faces(10, 20), ["", "a text that is far too long\nb"], side=48)
    assert told.shape[0] == plain.shape[0] + 2 * 15
    below = told[plain.shape[0] - 6 : -6]
    assert (below[:, :60] == 255).all()
    assert (below[:15, 60:108] < 128).any()
    assert (below[15:, 60:108] < 128).any()
    assert (below[:, 108:] == 255).all()


def test_a_sheet_needs_images_and_a_caption_for_each() -> None:
    with pytest.raises(ConfigError, match="got 0 images"):
        contact_sheet(np.empty((0, 48, 48), np.uint8))
    with pytest.raises(ConfigError, match="2 images and 1 captions"):
        contact_sheet(faces(1, 2), ["one"])
