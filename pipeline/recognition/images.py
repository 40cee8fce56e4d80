"""From the bytes of an image file to RGB pixels, whatever the file holds."""

from __future__ import annotations

import importlib
import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pipeline.errors import ImageFormatError
from pipeline.image_files import on_white, upright

MAX_PIXELS = 80_000_000
"""More are refused before decoding: 80 megapixels are 240 MB once decoded."""

EXTENSIONS = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm"}
    | {".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""File names that a folder is searched for; the content decides what a file is."""

# Pillow knows many more formats, some of which start other programs (EPS) or carry no
# signature (TGA, XBM) and so take any file for theirs.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
_KNOWN = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or HEIC"
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def decode(data: bytes, *, name: str = "image") -> npt.NDArray[np.uint8]:
    """Decodes an image file.

    The orientation that the camera noted is applied, transparency is laid on
    white, deeper pixels than 8 bits are scaled down, and of an animation the
    first frame is taken.

    Args:
        data: The file's content.
        name: What to call the file in an error.

    Returns:
        `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`, contiguous.

    Raises:
        ImageFormatError: If it is empty, no image, damaged, of an unknown
            format or larger than `MAX_PIXELS`.
    """
    if not data:
        raise ImageFormatError(f"{name}: the file is empty; expected an image")
    return _decode(io.BytesIO(data), name)


def read(path: Path) -> npt.NDArray[np.uint8]:
    """Decodes an image file on disk, as `decode` does.

    Raises:
        ImageFormatError: As `decode` does, and if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise ImageFormatError(f"{path.name}: the file is empty; expected an image")
            file.seek(0)
            return _decode(file, path.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageFormatError(f"{path.name}: the file cannot be read ({reason})") from error


def _decode(file: BinaryIO, name: str) -> npt.NDArray[np.uint8]:
    try:
        image = Image.open(file, formats=_formats())
    except UnidentifiedImageError as error:
        raise ImageFormatError(_not_an_image(file, name)) from error
    # Pillow's own limits lie above `MAX_PIXELS`.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageFormatError(_too_large(name)) from error
    except Exception as error:
        raise ImageFormatError(_damaged(name, error)) from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise ImageFormatError(_too_large(name, f"{image.width}×{image.height} pixels is "))
        try:
            return _to_rgb(upright(image))
        # Fed with damaged files, decoders fail in every way there is.
        except Exception as error:
            raise ImageFormatError(_damaged(name, error)) from error


def _to_rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image)
        if image.format == "PPM" and image.mode == "I":
            values = values.astype(np.uint16)  # Pillow has scaled the file's depth to 16 bits
        image = Image.fromarray(_to_8_bits(values))
    return np.array(on_white(image).convert("RGB"), np.uint8)


def _to_8_bits(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Scales grey values of any depth to `[0, 255]`.

    16-bit integers have a known white. 32-bit files do not say what white is:
    it is taken as the first of 1 (fractions only), 255 and 65535 that holds all
    values, and where none does, the values are stretched over the range.
    """
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        whites = [65535.0]
    else:
        whites = [1.0, 255.0, 65535.0] if values.dtype.kind == "f" else [255.0, 65535.0]
    white = next((white for white in whites if low >= 0 and high <= white), None)
    if white is None:
        grey, white = grey - low, high - low or 1.0
    return np.rint(grey * (255.0 / white)).astype(np.uint8)


@cache
def _formats() -> tuple[str, ...]:
    if importlib.util.find_spec("pillow_heif") is None:
        return _FORMATS
    importlib.import_module("pillow_heif").register_heif_opener()
    return (*_FORMATS, "HEIF")


def _not_an_image(file: BinaryIO, name: str) -> str:
    file.seek(0)
    head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and "HEIF" not in _formats():
        return f"{name}: reading HEIC needs the package pillow-heif: install it or send a JPEG"
    return f"{name}: not an image, or damaged at its start; expected {_KNOWN}"


def _too_large(name: str, size: str = "") -> str:
    return f"{name}: {size}more than the {MAX_PIXELS:,} pixels that are read; make it smaller"


def _damaged(name: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return f"{name}: the image is incomplete, damaged or of a rare kind ({reason})"
