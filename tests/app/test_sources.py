import io
from pathlib import Path

import pytest

from app import sources


class Upload(io.BytesIO):
    """What a page's uploader gives, as far as it is used."""

    name = ""


@pytest.mark.parametrize("text", ['"~/a file.csv"', " '~/a file.csv' ", "~/a file.csv\n"])
def test_paths_as_people_paste_them(text: str) -> None:
    assert sources.path(text) == Path.home() / "a file.csv"


@pytest.mark.parametrize("name", ["faces.csv", r"C:\Users\me\faces.csv", "/home/me/faces.csv"])
def test_uploads_keep_their_names_and_nothing_before(tmp_path: Path, name: str) -> None:
    upload = Upload(b"some rows")
    upload.name = name
    upload.read()  # by whoever looked at it before
    copy = sources.stored(upload, tmp_path / "new")
    assert copy == tmp_path / "new" / "faces.csv"
    assert copy.read_bytes() == b"some rows"
