import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.files import (
    disk_trouble,
    keep_newest,
    read_arrays,
    read_json,
    replaced_folder,
    write_arrays,
    write_json,
    write_text,
)
from pipeline.home import PROJECT_ROOT


def flipped(data: bytes, places: range, bit: int) -> Iterator[bytes]:
    """The data with one wrong bit, at each of some places."""
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        yield bytes(damaged)


def test_failed_write_leaves_the_old_text_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_newest_stay_and_what_a_killed_writer_left_goes_after_a_day(tmp_path: Path) -> None:
    killed = (
        "import os; from pathlib import Path; from pipeline.files import replaced_file\n"
        f"with replaced_file(Path({str(tmp_path)!r}) / 'a.npz') as file: os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=PROJECT_ROOT, check=False)
    (left,) = tmp_path.iterdir()
    now = time.time()
    for name, age in (("old.npz", 30), ("new.npz", 20), ("newest.npz", 10)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    keep_newest(tmp_path, "*.npz", 2)
    assert {path.name for path in tmp_path.iterdir()} == {"new.npz", "newest.npz", left.name}
    os.utime(left, (now - 90_000, now - 90_000))
    keep_newest(tmp_path, "*.npz", 2)
    assert {path.name for path in tmp_path.iterdir()} == {"new.npz", "newest.npz"}


def test_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "data"
    for text in ("old", "new"):
        with replaced_folder(target) as folder:
            (folder / text).write_text(text)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "data"
    with replaced_folder(target) as folder:
        (folder / "old").touch()

    def fail() -> None:
        with replaced_folder(target) as folder:
            (folder / "new").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_remains_of_a_killed_process_are_cleared_and_the_old_folder_is_back(
    tmp_path: Path,
) -> None:
    (tmp_path / ".data.01234567.outgoing").mkdir()
    (tmp_path / ".data.01234567.outgoing" / "old").touch()
    (tmp_path / ".data.89abcdef.incoming").mkdir()

    def fail() -> None:
        with replaced_folder(tmp_path / "data"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["old"]


def test_a_path_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path, words in (("folder", "is a directory"), ("file/x.json", "file exists")):
        with pytest.raises(OSError, match=path.partition("/")[0]) as caught:
            write_text(tmp_path / path, "x")
        told = disk_trouble(caught.value)
        assert told is not None
        assert words in told


@pytest.mark.parametrize(("content", "reason"), [(b"{", "Expecting"), (b"\xff\xfe", "decode")])
def test_what_is_not_json_or_not_even_text_is_one_error(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("bit", [0, 6])
def test_arrays_with_a_wrong_bit_are_the_arrays_or_none(tmp_path: Path, bit: int) -> None:
    path, numbers = tmp_path / "a.npz", np.arange(50)
    write_arrays(path, {"x": numbers})
    data = path.read_bytes()
    np.savez_compressed(path, x=numbers)
    packed = path.read_bytes()
    for damaged in (
        *flipped(data, range(len(data) - 120, len(data)), bit),
        *flipped(packed, range(60), bit),
    ):
        path.write_bytes(damaged)
        found = read_arrays(path)
        assert found is None or np.array_equal(found.get("x", numbers), numbers)


def test_arrays_that_say_nonsense_of_themselves_are_none(tmp_path: Path) -> None:
    """The archive's sums are right: it was made of what was damaged already."""
    path = tmp_path / "a.npz"
    write_arrays(path, {"x": np.arange(50)})
    with zipfile.ZipFile(path) as archive:
        data = archive.read("x.npy")
    # The length of what the array says of itself, and how that begins.
    for damaged in (*flipped(data, range(8, 9), 6), *flipped(data, range(21, 22), 4)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", damaged)
        assert read_arrays(path) is None
