"""Two hundred dataset files that are none, or no longer: a clear error each, or sound data."""

import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from app.get_data import import_work
from app.sources import removing
from pipeline.dataset import SPLITS, DatasetStore
from pipeline.errors import DatasetError
from pipeline.home import Home
from pipeline.labels import NAMES
from tests.faults.damage import DAMAGES, check_message

NUMBER = 200
SECONDS_EACH = 20
WRONG_CELLS = (
    *(b"", b"-1", b"7", b"nan", b"1e9", b'"', b"\0", b"\xff\xfe", b"=1+1", "٣".encode()),
    *(b"256 " * 2304, b"0 --1", b"9" * 5000),
)


@dataclass(frozen=True)
class Faces:
    """A small sound dataset, and how each form of file writes it."""

    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray

    def table(self) -> bytes:
        rows = ["emotion,pixels,Usage"]
        for image, label, split in zip(self.images, self.labels, self.splits, strict=True):
            rows.append(f"{label},{' '.join(map(str, image.ravel()))},{SPLITS[split].usage}")
        return "\n".join(rows).encode() + b"\n"

    def files(self, form: str) -> dict[str, bytes]:
        files = {}
        for index, image in enumerate(self.images):
            file = io.BytesIO()
            Image.fromarray(image).save(file, form)
            folder = f"{SPLITS[self.splits[index]].usage}/{NAMES[self.labels[index]]}"
            files[f"{folder}/{index}.{form.lower()}"] = file.getvalue()
        return files

    def parquet(self) -> bytes:
        columns = {
            "image": [{"bytes": data} for data in self.files("PNG").values()],
            "label": [NAMES[label] for label in self.labels],
            "split": [SPLITS[split].usage for split in self.splits],
        }
        file = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), file)
        return file.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(files: dict[str, bytes], mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def spoil_cell(data: bytes, rng: random.Random) -> bytes:
    """One cell of a table is not what its column holds."""
    rows = data.split(b"\n")
    row = rng.randrange(len(rows) - 1)
    cells = rows[row].split(b",")
    cells[rng.randrange(len(cells))] = rng.choice(WRONG_CELLS)
    rows[row] = b",".join(cells)
    return b"\n".join(rows)


def spoil_picture(data: bytes, rng: random.Random) -> bytes:
    """One picture in a sound archive is damaged."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(files))
    files[name] = rng.choice(DAMAGES)(files[name], rng)
    return zipped(files, zipfile.ZIP_STORED)


def bad_files(seed: int) -> list[tuple[str, bytes]]:
    """Names and contents, `NUMBER` of them."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    faces = Faces(
        noise.integers(0, 256, (14, 48, 48), np.uint8),
        np.arange(14, dtype=np.uint8) % 7,
        np.arange(14, dtype=np.uint8) % 3,
    )
    table = faces.table()
    pictures = [faces.files(form) for form in ("PNG", "JPEG", "BMP", "WEBP", "TIFF")]
    archives = [zipped(files) for files in pictures]
    whole = {
        "fer2013.csv": [table],
        "fer2013.csv.gz": [gzip.compress(table)],
        "fer2013.csv.xz": [lzma.compress(table, preset=0)],
        "faces.zip": [*archives, zipped({"fer2013.csv": table})],
        "faces.tar": [tarred(pictures[0], "w")],
        "faces.tar.gz": [tarred(pictures[1], "w:gz")],
        "faces.parquet": [faces.parquet()],
    }
    made = []
    for number in range(NUMBER):
        match number % 10:
            case 0:
                made.append(("fer2013.csv", spoil_cell(table, rng)))
            case 1:
                made.append(("fer2013.csv.gz", gzip.compress(spoil_cell(table, rng), 1)))
            case 2 | 3:
                made.append(("faces.zip", spoil_picture(rng.choice(archives), rng)))
            case 4:
                data = rng.choice((b"", b"\n", b"PK\5\6" + bytes(18), b"PAR1", rng.randbytes(500)))
                made.append((rng.choice(list(whole)), data))
            case _:
                name = rng.choice(list(whole))
                made.append((name, rng.choice(DAMAGES)(rng.choice(whole[name]), rng)))
    return made


def test_two_hundred_bad_dataset_files(
    home: Home,
    everything: Callable[[], set[str]],
    within: Callable[[float], AbstractContextManager[None]],
) -> None:
    """Each is uploaded over a dataset of that name, which stays whole whatever comes."""
    store, refused, sound = DatasetStore(home.data), 0, 0
    for name, data in [("fer2013.csv", b""), *bad_files(seed=8)]:
        before = everything()
        folder = home.data / ".upload-test"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)
        kept = store.meta("faces") if "faces" in store.names() else None
        with within(SECONDS_EACH):
            try:
                removing(folder, import_work(home, folder / name, "faces"))(lambda *_: None)
            except DatasetError as error:
                message = str(error)
                refused += 1
            else:
                sound += 1
                _check_sound(store)
                continue
        check_message(message, name)
        assert everything() - before <= {"home/data"}
        assert kept is None or store.meta("faces") == kept
    assert refused + sound == NUMBER + 1
    assert refused > NUMBER // 2
    assert sound > NUMBER // 20
    # Whatever was imported last is all that there is.
    names = {path.name for path in home.data.iterdir()}
    assert names == {"faces", ".faces.lock"}


def _check_sound(store: DatasetStore) -> None:
    dataset = store.open("faces")
    assert len(dataset) > 0
    assert dataset.images.shape == (len(dataset), 48, 48)
    assert dataset.labels.max() < 7
    assert dataset.split_codes.max() < 3
