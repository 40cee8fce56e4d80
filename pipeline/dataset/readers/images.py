"""Reads FER-2013 as image files in folders named after the classes.

train/angry/Training_3908.jpg      the split of the folder, or of the file's name
test/happy/PublicTest_100.jpg      `PublicTest_…`: validation, whatever the folder
angry/1.png                        no split told: all three are drawn

Images come in the order of the numbers in their file names, so a table that was
written out as `fer0000000.png`, `fer0000001.png`, … keeps its order.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pipeline.dataset import IMAGE_SIZE
from pipeline.dataset.readers.batches import (
    UNSPLIT,
    Batch,
    cut_splits,
    empty_images,
    pieces,
    split_code,
)
from pipeline.dataset.readers.contents import Contents, Member
from pipeline.dataset.readers.streams import reading
from pipeline.errors import DatasetError
from pipeline.image_files import on_white, upright
from pipeline.labels import label_index
from pipeline.preprocessing import Preprocessing
from pipeline.progress import Progress

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})

MAX_IMAGE_BYTES = 32 * 2**20
"""The largest image file."""

MAX_IMAGE_PIXELS = 50_000_000
"""The largest image; a few bytes of PNG can claim to be gigapixels."""

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM")
_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_REPORT_EVERY = 256
_RESIZE = Preprocessing(size=IMAGE_SIZE)


@dataclass(frozen=True)
class _Place:
    """What an image's path tells."""

    root: PurePosixPath
    label: int
    split: int


class ImageFolderReader:
    """Reads class folders, with or without split folders above them.

    Attributes:
        kind: `images`.
        notes: See `Reader`.
    """

    kind = "images"

    def __init__(self, contents: Contents, members: list[Member]) -> None:
        self.notes: list[str] = []
        self._contents = contents
        self._members = sorted(members, key=_order)

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """See `Reader.batches`."""
        source = self._contents.label
        places = [self._place(member) for member in self._members]
        self._check_one_root(places)
        images, converted = self._images(progress)
        if converted:
            self.notes.append(conversion_note(converted, len(images)))
        batch, notes = cut_splits(
            Batch(
                images,
                np.array([place.label for place in places], np.uint8),
                np.array([place.split for place in places], np.uint8),
                [member.name for member in self._members],
            ),
            source,
        )
        self.notes.extend(notes)
        yield from pieces(batch)

    def _place(self, member: Member) -> _Place:
        *folders, folder = member.path.parts[:-1] or ("",)
        try:
            label = label_index(folder)
        except DatasetError as error:
            raise DatasetError(
                f"{self._contents.where(member.name)}: its folder should name the class; {error}"
            ) from error
        root, split = len(folders), UNSPLIT
        for depth, word in enumerate(folders):
            if (code := split_code(word)) is not None:
                root, split = depth, code
        named = split_code(member.path.stem.partition("_")[0])
        return _Place(PurePosixPath(*folders[:root]), label, split if named is None else named)

    def _check_one_root(self, places: list[_Place]) -> None:
        roots = sorted({place.root.as_posix() for place in places})
        if len(roots) > 1:
            raise DatasetError(
                f"{self._contents.label}: holds more than one dataset, in {roots[0]!r} and "
                f"{roots[1]!r}; import one of these folders"
            )

    def _images(self, progress: Progress) -> tuple[npt.NDArray[np.uint8], int]:
        """Reads the images in the order of the archive into their order here."""
        position = {member.name: index for index, member in enumerate(self._members)}
        images = empty_images(len(position))
        converted = done = 0
        for member, stream in self._contents.streams(position.keys()):
            where = self._contents.where(member.name)
            if member.size > MAX_IMAGE_BYTES:
                raise DatasetError(f"{where}: larger than {MAX_IMAGE_BYTES >> 20} MiB")
            with reading(where):
                image, changed = decode(stream.read(MAX_IMAGE_BYTES), where)
            images[position[member.name]] = image
            converted += changed
            done += 1
            if done % _REPORT_EVERY == 0 or done == len(position):
                progress(done, len(position), "reading images")
        if done != len(position):
            raise DatasetError(f"{self._contents.label}: changed while it was read; try again")
        return images, converted


def decode(data: bytes, where: str) -> tuple[npt.NDArray[np.uint8], bool]:
    """Decodes an image file to the dataset's form.

    Of colours deeper than 8 bits a channel, the upper 8 count.

    Args:
        data: The file's content.
        where: Its name, for messages.

    Returns:
        `uint8` grey in `[0, 255]`, shape `(48, 48)`, and whether the image had
        to be converted to get there.

    Raises:
        DatasetError: If it is not an image, damaged, too large, or grey of more than 8
            bits, whose white may be anything.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > MAX_IMAGE_PIXELS:
                raise DatasetError(
                    f"{where}: {image.width}×{image.height} pixels; at most "
                    f"{MAX_IMAGE_PIXELS // 1_000_000} million are read"
                )
            if image.mode in _DEEP_MODES:
                raise DatasetError(f"{where}: more than 8 bits a channel; convert it first")
            shown = on_white(upright(image))
            pixels = np.asarray(shown if shown.mode == "L" else shown.convert("RGB"))
    except UnidentifiedImageError as error:
        raise DatasetError(f"{where}: not an image that can be read") from error
    except (
        OSError,
        SyntaxError,  # Pillow's word for a broken PNG
        ValueError,
        EOFError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise DatasetError(f"{where}: damaged image ({error})") from error
    if pixels.shape == (IMAGE_SIZE, IMAGE_SIZE):
        return pixels, False
    return _RESIZE.apply(pixels[None])[0, ..., 0], True


def conversion_note(converted: int, total: int) -> str:
    """The sentence that says how many images were not 48×48 grey."""
    return (
        f"{converted:,} of {total:,} images were not {IMAGE_SIZE}×{IMAGE_SIZE} grey and were "
        f"converted: to grey on white, then resized without keeping their proportions."
    )


def _order(member: Member) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r"\d{1,18}", member.path.name)], member.name
