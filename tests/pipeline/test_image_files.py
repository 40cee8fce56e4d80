from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pipeline.image_files import on_white, upright


def encoded(orientation: int, *, broken_entry: bool = False) -> BytesIO:
    """A PNG or JPEG of 3×2 distinct greys, with an EXIF orientation."""
    pixels = np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = exif.tobytes()
    if broken_entry:
        entries = ImageFileDirectory_v2()
        entries[0x0112] = orientation
        entries.tagtype[0x011A] = 2  # a resolution that is told in words
        entries[0x011A] = "much"
        data = b"Exif\0\0" + b"II*\0\x08\0\0\0" + entries.tobytes(8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=data)
    file.seek(0)
    return file


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_are_those_of_pillow(orientation: int) -> None:
    with Image.open(encoded(orientation)) as image, Image.open(encoded(orientation)) as same:
        expected = np.asarray(ImageOps.exif_transpose(same))
        np.testing.assert_array_equal(np.asarray(upright(image)), expected)


def test_an_entry_that_is_written_wrongly_does_no_harm() -> None:
    with Image.open(encoded(6, broken_entry=True)) as image:
        with pytest.raises(Exception, match="str"):
            ImageOps.exif_transpose(image)
        assert upright(image).size == (2, 3)


def test_transparent_pixels_become_white() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    shown = np.asarray(on_white(Image.fromarray(pixels)).convert("RGB"))
    assert shown[0, 0].tolist() == [10, 20, 30]
    assert shown[1, 1].tolist() == [255, 255, 255]
    opaque = Image.new("RGB", (2, 2))
    assert on_white(opaque) is opaque
