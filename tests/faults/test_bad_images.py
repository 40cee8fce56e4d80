"""A thousand pictures that are none, or no longer: a clear error each, or sound pixels."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest
import skimage.data
from PIL import Image, PngImagePlugin

from pipeline.errors import ImageFormatError
from pipeline.recognition import images
from pipeline.recognition.recognizer import Recognizer
from tests.faults.damage import DAMAGES, check_message

NUMBER = 1000
SECONDS_EACH = 20
FORMS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "JPEG2000": ".jp2",
    "AVIF": ".avif",
    "PPM": ".ppm",
}
LARGEST = (10_000, 60_000, 65_535, 2**31 - 1)


def whole_pictures() -> dict[str, list[bytes]]:
    """Faces and things of the camera, small enough to be many, in every form."""
    sources = [
        skimage.data.astronaut()[60:188, 160:288],
        skimage.data.chelsea()[60:160, 120:240],
        skimage.data.rocket()[:96, :128],
        skimage.data.camera()[:100, 200:300],
    ]
    encoded: dict[str, list[bytes]] = {form: [] for form in FORMS}
    for form, files in encoded.items():
        for pixels in sources:
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, form)
            files.append(file.getvalue())
    return encoded


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


def png(width: int, height: int, data: bytes, *, bits: int = 8, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def absurd(rng: random.Random) -> bytes:
    """A header with sound checksums that tells of more pixels than there can be."""
    width, height = rng.choice(LARGEST), rng.choice(LARGEST)
    match rng.randrange(4):
        case 0:
            return png(width, height, zlib.compress(bytes(1000)))
        case 1:
            short = struct.pack("<HH", min(width, 65_535), min(height, 65_535))
            return b"GIF89a" + short + b"\x80\0\0" + bytes(6) + b"," + bytes(4) + short + b"\0\2"
        case 2:
            bitmap = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
            return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + bitmap + bytes(100)
    return b"P6\n%d %d\n255\n" % (width, height) + bytes(100)


def bombs() -> list[bytes]:
    """A few kilobytes that unpack to hundreds of megabytes, in pixels, words or profiles."""
    zeros = zlib.compressobj(9)
    swollen = b"".join(zeros.compress(bytes(2**20)) for _ in range(128)) + zeros.flush()
    grey = zlib.compress(bytes(65 * 64))
    text, profile = b"Comment\0\0" + swollen, b"icc\0\0" + swollen
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 900_000, zip=True)
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG", pnginfo=info)
    return [
        png(32_768, 32_760, swollen, bits=1),
        png(64, 64, swollen),
        png(64, 64, grey, extra=chunk(b"zTXt", text)),
        png(64, 64, grey, extra=chunk(b"iCCP", profile)),
        png(64, 64, grey, extra=chunk(b"iTXt", b"Comment\0\1\0\0\0" + swollen)),
        file.getvalue(),
    ]


def bad_pictures(seed: int) -> list[tuple[str, bytes]]:
    """Names and contents, `NUMBER` of them; a name's ending need not be the content's."""
    rng, whole, exploding = random.Random(seed), whole_pictures(), bombs()
    others = (b"", b"\0", b"%PDF-1.7\n" * 30, b"MZ" + bytes(500), b"<svg xmlns='x'/>", b"\xff\xd8")
    made = []
    for number in range(NUMBER):
        form = rng.choice(list(FORMS))
        data = rng.choice(whole[form])
        suffix = FORMS[form] if number % 3 else rng.choice(list(FORMS.values()))
        match number % 12:
            case 0:
                kind, data = "absurd", absurd(rng)
            case 1:
                kind, data = "bomb", rng.choice(exploding)
            case 2:
                kind, data = "other", rng.choice((*others, rng.randbytes(rng.randrange(1, 5000))))
            case case:
                damage = DAMAGES[case % len(DAMAGES)]
                kind, data = damage.__name__, damage(data, rng)
        made.append((f"{kind}-{number}{suffix}", data))
    return made


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_a_thousand_bad_pictures(
    recognizer: Recognizer,
    everything: Callable[[], set[str]],
    within: Callable[[float], AbstractContextManager[None]],
) -> None:
    before, refused, sound = everything(), 0, 0
    for name, data in bad_pictures(seed=8):
        with within(SECONDS_EACH):
            try:
                pixels = images.decode(data, name=name)
            except ImageFormatError as error:
                message = str(error)
                refused += 1
            else:
                sound += 1
                assert pixels.dtype == np.uint8, name
                assert pixels.shape == (*pixels.shape[:2], 3), name
                for prediction in recognizer.recognize(pixels[:512, :512]):
                    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-3)
                continue
        check_message(message, f"{name}: ")
    assert refused + sound == NUMBER
    # Damage may hit what does not matter; most does.
    assert refused > NUMBER // 2
    assert sound > NUMBER // 20
    assert everything() == before
