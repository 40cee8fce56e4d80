"""The photos of one browser tab and what was found in them; all in memory, never on disk."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from pipeline.errors import ImageFormatError
from pipeline.recognition import images
from pipeline.recognition.drawing import annotate, caption
from pipeline.recognition.geometry import Box
from pipeline.recognition.occlusion import OcclusionMap, occlusion_map
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.results import FileResult, to_csv

PREVIEW_SIDE = 1600
"""Pixels of the longer side of the picture on the page."""

CROWD = 8
"""From so many faces on, the picture on the page is as small as `CROWD_SIDE`."""

CROWD_SIDE = 1000
"""Small faces get the smallest letters there are: they can be read if shown about 1:1."""

THUMBNAIL = (240, 180)
"""Width and height of a photo in the list, in pixels."""

FACE_SIDE = 144
"""Side of a face in the gallery, in pixels."""

_FACE_MARGIN = 0.25


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as it came.

    Attributes:
        id: Tells it from the others of the same tab: the hash of its content.
        name: The file's name.
        data: The file's content.
    """

    id: str
    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """What was found in a photo, and the pictures that show it.

    Attributes:
        photo: The photo.
        found: Its faces, or why it could not be read.
        width: Of the upright photo in pixels; 0 if it could not be read.
        height: Likewise.
        preview: The photo with its faces marked, as JPEG, for the page.
        thumbnail: The photo as a small JPEG.
        faces: Each face in colour, as JPEG.
        occlusion: What was worked out for some of the faces, by their index.
    """

    photo: Photo
    found: FileResult
    width: int = 0
    height: int = 0
    preview: bytes = b""
    thumbnail: bytes = b""
    faces: tuple[bytes, ...] = ()
    occlusion: dict[int, OcclusionMap] = field(default_factory=dict)

    @property
    def predictions(self) -> Sequence[Prediction]:
        """What is said of each face."""
        return self.found.predictions


class PhotoDesk:
    """The photos that lie open in one tab, one of them in front."""

    def __init__(self) -> None:
        self.batches = 0
        self._photos: dict[str, Photo] = {}
        self._results: dict[str, tuple[Hashable, PhotoResult]] = {}
        self._chosen: str | None = None
        self._face: dict[str, int] = {}

    @property
    def photos(self) -> list[Photo]:
        """All photos, in the order they came."""
        return list(self._photos.values())

    @property
    def chosen(self) -> Photo | None:
        """The photo in front; `None` while there is none."""
        return None if self._chosen is None else self._photos[self._chosen]

    def add(self, files: Sequence[tuple[str, bytes]]) -> list[tuple[str, str]]:
        """Puts photos, as name and content, on the desk and the first of them in front.

        Returns:
            What lies there already, by its content, and is not added again: the
            new name, and the one that it is known by.
        """
        photos = [Photo(hashlib.sha256(data).hexdigest(), name, data) for name, data in files]
        twins = []
        for photo in photos:
            known = self._photos.setdefault(photo.id, photo)
            if known is not photo:
                twins.append((photo.name, known.name))
        if photos:
            self._chosen = photos[0].id
        # Part of the widgets' keys, so that they empty and the server frees its copies.
        self.batches += 1
        return twins

    def remove(self, photo_id: str) -> None:
        """Forgets a photo and all that was found in it."""
        if photo_id not in self._photos:
            return  # a second click on its button
        ids = list(self._photos)
        position = ids.index(photo_id)
        for kept in (self._photos, self._results, self._face):
            kept.pop(photo_id, None)
        if self._chosen == photo_id:
            neighbours = ids[position + 1 :] + ids[:position][::-1]
            self._chosen = neighbours[0] if neighbours else None

    def clear(self) -> None:
        """Forgets everything."""
        for photo in self.photos:
            self.remove(photo.id)

    def choose(self, photo_id: str) -> None:
        """Puts a photo in front, if it has not been removed just now."""
        if photo_id in self._photos:
            self._chosen = photo_id

    def choose_face(self, photo_id: str, index: int) -> None:
        """Remembers which face of a photo is looked at."""
        self._face[photo_id] = index

    def face_of(self, result: PhotoResult) -> int:
        """Which face of a photo is looked at: the first, until one is chosen."""
        # With other settings there may be fewer.
        return min(self._face.get(result.photo.id, 0), len(result.predictions) - 1)

    def pending(self, key: Hashable) -> list[Photo]:
        """The photos that have no result yet under these circumstances."""
        return [photo for photo in self.photos if not self._is_known(photo, key)]

    def result(self, photo: Photo, recognizer: Recognizer, key: Hashable) -> PhotoResult:
        """What is in a photo; worked out once.

        Args:
            photo: One of `photos`.
            recognizer: Finds it out.
            key: All that the result depends on beside the photo; of each photo
                the result for the last key is kept.
        """
        if not self._is_known(photo, key):
            self._results[photo.id] = (key, recognize_photo(photo, recognizer))
        return self._results[photo.id][1]

    def _is_known(self, photo: Photo, key: Hashable) -> bool:
        return photo.id in self._results and self._results[photo.id][0] == key


def recognize_photo(photo: Photo, recognizer: Recognizer) -> PhotoResult:
    """Reads a photo and finds its faces; one that cannot be read gets its reason instead."""
    try:
        image = images.decode(photo.data, name=photo.name)
    except ImageFormatError as error:
        return PhotoResult(photo, FileResult(photo.name, (), str(error)))
    predictions = recognizer.recognize(image)
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    return PhotoResult(
        photo,
        FileResult(photo.name, predictions),
        width,
        height,
        preview=_preview(picture, predictions),
        thumbnail=_jpeg(ImageOps.fit(picture, THUMBNAIL)),
        faces=tuple(_face(picture, prediction.box) for prediction in predictions),
    )


def explain(result: PhotoResult, index: int, recognizer: Recognizer) -> OcclusionMap:
    """Why the model says what it says of one face; worked out once."""
    if index not in result.occlusion:
        crop = result.predictions[index].crop
        result.occlusion[index] = occlusion_map(recognizer.classifier, crop)
    return result.occlusion[index]


def captions(predictions: Sequence[Prediction]) -> list[str]:
    """The labels of the faces; numbered where there are several, to find them again."""
    texts = [caption(prediction) for prediction in predictions]
    if len(texts) < 2:
        return texts
    return [f"{number} · {text}" for number, text in enumerate(texts, start=1)]


def annotated_png(result: PhotoResult) -> bytes:
    """The photo in full size with its faces marked, as PNG."""
    image = images.decode(result.photo.data, name=result.photo.name)
    output = io.BytesIO()
    marked = annotate(image, result.predictions, captions(result.predictions))
    Image.fromarray(marked).save(output, "PNG", compress_level=3)
    return output.getvalue()


def annotated_zip(results: Sequence[PhotoResult]) -> bytes:
    """All photos that could be read, as `annotated_png` gives them, in one archive."""
    output = io.BytesIO()
    # PNG is compressed already.
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for number, result in enumerate(results, start=1):
            if result.found.error is None:
                # The number keeps files of one name apart.
                name = f"{number:04d}-{PurePath(result.photo.name).stem}.png"
                archive.writestr(name, annotated_png(result))
    return output.getvalue()


def to_json(results: Sequence[PhotoResult]) -> str:
    """All results as the command line's `recognize --json` prints them."""
    entries = [result.found.to_dict() for result in results]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def to_table(results: Sequence[PhotoResult]) -> str:
    """All results as the command line's `recognize --csv` writes them."""
    return to_csv([result.found for result in results])


def _preview(picture: Image.Image, predictions: Sequence[Prediction]) -> bytes:
    """Shrunk first and drawn on then, so that lines and letters stay crisp."""
    side = CROWD_SIDE if len(predictions) >= CROWD else PREVIEW_SIDE
    scale = min(1.0, side / max(picture.size))
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)
        predictions = [
            replace(prediction, box=_scaled(prediction.box, scale)) for prediction in predictions
        ]
    return _jpeg(annotate(np.asarray(picture), predictions, captions(predictions)))


def _scaled(box: Box, scale: float) -> Box:
    return Box(box.x * scale, box.y * scale, box.w * scale, box.h * scale)


def _face(picture: Image.Image, box: Box) -> bytes:
    """A square around a face, as far as the picture reaches."""
    side = max(box.w, box.h) * (1 + 2 * _FACE_MARGIN)
    x, y = box.center
    square = Box(x - side / 2, y - side / 2, side, side).clipped(*picture.size)
    left, top, width, height = square.rounded()
    part = picture.crop((left, top, left + width, top + height))
    return _jpeg(ImageOps.fit(part, (FACE_SIDE, FACE_SIDE)))


def _jpeg(picture: Image.Image | npt.NDArray[np.uint8]) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    output = io.BytesIO()
    # Full colour resolution: the labels' edges are sharp.
    picture.save(output, "JPEG", quality=90, subsampling=0)
    return output.getvalue()
