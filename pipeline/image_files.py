"""What any image file needs before its pixels mean something: turned upright, laid on white."""

from __future__ import annotations

from PIL import ExifTags, Image

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(image: Image.Image) -> Image.Image:
    """The image, turned and mirrored as its EXIF orientation says; without one, as it is.

    Pillow's `exif_transpose` also writes all other EXIF entries anew, and fails
    at the first that a camera or an editor wrote wrongly.

    Args:
        image: Opened; it is decoded here.

    Raises:
        Exception: Of many kinds, if the pixels cannot be decoded.
    """
    # First, since looking for EXIF decodes a PNG too, and what fails then seems decoded later.
    image.load()
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - unreadable EXIF tells nothing; the pixels may be sound
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def on_white(image: Image.Image) -> Image.Image:
    """The image with what is transparent in it laid on white; an opaque one as it is."""
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))
