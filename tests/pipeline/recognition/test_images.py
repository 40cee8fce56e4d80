import io
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import ImageFormatError
from pipeline.recognition import images

RED = (200, 30, 30)


def encode(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def halves() -> Image.Image:
    """Wider than high, red on the left, green on the right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste((30, 200, 30), (20, 0, 40, 20))
    return image


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP", "AVIF"])
def test_formats(form: str) -> None:
    pixels = images.decode(encode(halves(), form))
    assert pixels.shape == (20, 40, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[10, 5].astype(int) - RED).max() < 16


def test_cameras_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held with its left side down: turn by 90° clockwise
    pixels = images.decode(encode(halves(), "JPEG", exif=exif, quality=95))
    assert pixels.shape == (40, 20, 3)
    assert pixels[5, 10, 0] > 150
    assert pixels[35, 10, 1] > 150


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((0, 0), (200, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 128))
    pixels = images.decode(encode(image))
    assert pixels[3, 3].tolist() == [255, 255, 255]
    assert pixels[0, 0].tolist() == [200, 0, 0]
    assert pixels[0, 1].tolist() == [127, 127, 127]


def test_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((0, 0), 0)
    pixels = images.decode(encode(image, transparency=0))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[3, 3].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("mode", "ink", "expected"),
    [("L", 77, 77), ("1", 1, 255), ("LA", (77, 255), 77)],
)
def test_grey_becomes_three_equal_channels(mode: str, ink: object, expected: int) -> None:
    pixels = images.decode(encode(Image.new(mode, (4, 4), ink)))
    assert (pixels == expected).all()


def test_cmyk() -> None:
    pixels = images.decode(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert pixels[8, 8, 0] > 200
    assert pixels[8, 8, 1:].max() < 60


def test_16_bits_are_scaled_not_clipped() -> None:
    ramp = np.array([[0, 257 * 10, 257 * 128, 65535]], np.uint16)
    assert images.decode(encode(Image.fromarray(ramp)))[0, :, 0].tolist() == [0, 10, 128, 255]


def test_dark_16_bit_picture_stays_dark() -> None:
    dim = np.full((2, 2), 200, np.uint16)
    assert images.decode(encode(Image.fromarray(dim))).max() == 1
    assert images.decode(b"P5 2 2 65535\n" + dim.astype(">u2").tobytes()).max() == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.2, 1.0]], np.float32), [0, 51, 255]),
        (np.array([[0.0, 51.0, 255.0]], np.float32), [0, 51, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, np.nan, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0, 51, 255]], np.int32), [0, 51, 255]),
        (np.array([[0, 257 * 51, 65535]], np.int32), [0, 51, 255]),
        (np.array([[0, 200_000, 1_000_000]], np.int32), [0, 51, 255]),
    ],
)
def test_32_bits_are_scaled(values: np.ndarray, expected: list[int]) -> None:
    decoded = images.decode(encode(Image.fromarray(values), "TIFF"))
    assert decoded[0, :, 0].tolist() == expected


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert images.decode(data)[0, 0].tolist() == [255, 0, 0]


def test_result_can_be_written_to() -> None:
    images.decode(encode(halves()))[0, 0] = 0


def png_header(width: int, height: int) -> bytes:
    body = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    chunk = b"IHDR" + body
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\r" + chunk + zlib.crc32(chunk).to_bytes(4)


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000, 2_000_000_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_before_decoding(side: int) -> None:
    # The data would not decode: that is never tried.
    with pytest.raises(ImageFormatError, match=r"huge\.png: .*more than the 80,000,000 pixels"):
        images.decode(png_header(side, side) + b"\0\0\0\0IDAT", name="huge.png")


def test_largest_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 800)
    assert images.decode(encode(halves())).shape == (20, 40, 3)
    monkeypatch.setattr(images, "MAX_PIXELS", 799)
    with pytest.raises(ImageFormatError, match="40×20 pixels is more than the 799"):
        images.decode(encode(halves()))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello, I am a text", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encode(halves(), "JPEG")[:200], "not an image|incomplete"),
        (encode(halves(), "PNG")[:60], "incomplete"),
    ],
)
def test_what_is_no_image_is_named_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ImageFormatError, match=rf"^holiday\.png: .*({reason})"):
        images.decode(data, name="holiday.png")


@pytest.mark.skipif("HEIF" in images._formats(), reason="pillow-heif is installed")
def test_heic_without_its_reader_says_what_to_install() -> None:
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    with pytest.raises(ImageFormatError, match="needs the package pillow-heif"):
        images.decode(data)


def test_heic_reader_is_used_when_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pillow_heif.py").write_text(
        "from PIL import Image\n"
        "def register_heif_opener():\n"
        "    Image.register_open('HEIF', lambda f, n: Image.new('RGB', (3, 2)),"
        " lambda head: head[4:8] == b'ftyp')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    images._formats.cache_clear()
    try:
        assert images.decode(b"\0\0\0\x18ftypheic" + bytes(100)).shape == (2, 3, 3)
    finally:
        images._formats.cache_clear()
        Image.OPEN.pop("HEIF", None)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data) - 1)]


def scramble_head(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(8):
        damaged[rng.randrange(min(len(data), 120))] = rng.randrange(256)
    return bytes(damaged)


def scramble_all(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(30):
        damaged[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(damaged)


@pytest.mark.parametrize("damage", [cut, scramble_head, scramble_all])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "AVIF"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_damaged_files_decode_or_raise_our_error(
    form: str, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    rng = random.Random(0)
    data = encode(halves(), form)
    for _ in range(25):
        try:
            pixels = images.decode(damage(data, rng), name="bad")
        except ImageFormatError as error:
            assert str(error).startswith("bad: ")  # noqa: PT017 - some damage goes unnoticed
        else:
            assert pixels.ndim == 3


def test_read_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(halves(), "PNG"))  # the content decides, not the name
    assert images.read(path).shape == (20, 40, 3)
    path.write_bytes(b"")
    with pytest.raises(ImageFormatError, match=r"photo\.jpg: the file is empty"):
        images.read(path)
    with pytest.raises(ImageFormatError, match=r"lost\.jpg: the file cannot be read \(No such"):
        images.read(tmp_path / "lost.jpg")
    with pytest.raises(ImageFormatError, match="cannot be read"):
        images.read(tmp_path)
