import io
import lzma
import random
import tarfile
import zipfile

import pytest

from pipeline.dataset.readers import contents, import_dataset, streams
from pipeline.errors import DatasetError


def pack_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def pack_tar(path, files, mode="w", **level):
    with tarfile.open(path, mode, **level) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def pack_tar_gz(path, files):
    return pack_tar(path, files, "w:gz", compresslevel=1)


PACKERS = {
    "faces.zip": pack_zip,
    "faces.tar": pack_tar,
    "faces.tar.gz": pack_tar_gz,
    "faces.tar.xz": lambda path, files: pack_tar(path, files, "w:xz", preset=0),
    "no-suffix": pack_tar_gz,
}


@pytest.mark.parametrize("name", PACKERS)
def test_table_in_an_archive_is_the_same_dataset(samples, store, tmp_path, imported, name) -> None:
    files = {"fer2013/README": b"read me", "fer2013/fer2013.csv": samples.csv().encode()}
    archive = PACKERS[name](tmp_path / name, files)
    assert import_dataset(archive, store, "packed").meta.fingerprint == imported.meta.fingerprint


@pytest.mark.parametrize("name", PACKERS)
def test_images_in_an_archive_are_the_same_dataset(
    samples, store, tmp_path, imported, name
) -> None:
    """Whatever their order there."""
    files = list(samples.files().items())
    random.Random(1).shuffle(files)
    archive = PACKERS[name](tmp_path / name, dict(files))
    assert import_dataset(archive, store, "packed").meta.fingerprint == imported.meta.fingerprint


def test_packed_table_in_an_archive(samples, store, tmp_path, imported) -> None:
    data = lzma.compress(samples.csv().encode(), preset=0)
    archive = pack_zip(tmp_path / "a.zip", {"fer2013.csv.xz": data})
    assert import_dataset(archive, store, "packed").meta.fingerprint == imported.meta.fingerprint


def test_windows_paths_in_a_zip(samples, store, tmp_path, imported) -> None:
    files = {name.replace("/", "\\"): data for name, data in samples.files().items()}
    archive = pack_zip(tmp_path / "a.zip", files)
    assert import_dataset(archive, store, "packed").meta.fingerprint == imported.meta.fingerprint


def test_nothing_is_written_beside_the_dataset(samples, store, tmp_path) -> None:
    archive = pack_tar_gz(tmp_path / "faces.tar.gz", samples.files())
    import_dataset(archive, store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "faces.tar.gz"]


@pytest.mark.parametrize("member", ["../up.png", "/etc/1.png", "a/../../1.png", "C:\\1.png"])
@pytest.mark.parametrize("name", ["faces.zip", "faces.tar.gz"])
def test_path_traversal_is_refused(samples, store, tmp_path, imported, name, member) -> None:
    files = {"angry/1.png": samples.png(0), member: samples.png(1)}
    with pytest.raises(DatasetError, match=rf"^{name}: the member .* points outside"):
        import_dataset(PACKERS[name](tmp_path / name, files), store)
    assert store.open("fer2013").meta == imported.meta


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(store, tmp_path, kind) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("angry/1.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DatasetError, match=r"^a\.tar, angry/1\.png: a link or a device"):
        import_dataset(tmp_path / "a.tar", store)


def test_links_in_a_zip_are_refused(store, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("angry/1.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DatasetError, match=r"^a\.zip, angry/1\.png: a link"):
        import_dataset(tmp_path / "a.zip", store)


def test_password_is_told(samples, store, tmp_path) -> None:
    data = bytearray(pack_zip(tmp_path / "a.zip", {"fer2013.csv": b"secret"}).read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.zip, fer2013\.csv: protected by a password"):
        import_dataset(tmp_path / "a.zip", store)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(samples, store, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("angry/1.png", samples.png(0))
        archive.writestr("angry/1.png", samples.png(1))
    with pytest.raises(DatasetError, match=r"holds angry/1\.png twice"):
        import_dataset(tmp_path / "a.zip", store)


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar.gz", "faces.tar.xz"])
def test_bomb_is_refused_by_its_ratio(store, tmp_path, name) -> None:
    archive = PACKERS[name](tmp_path / name, {"angry/1.png": bytes(40_000_000)})
    with pytest.raises(DatasetError, match="more than 100 times its size; refused"):
        import_dataset(archive, store)


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar.gz"])
def test_bomb_is_refused_by_its_number_of_files(
    samples, store, tmp_path, monkeypatch, name
) -> None:
    monkeypatch.setattr(contents, "MAX_MEMBERS", 50)
    with pytest.raises(DatasetError, match="holds more than 50 files"):
        import_dataset(PACKERS[name](tmp_path / name, samples.files()), store)


def test_bomb_in_a_tar_header_is_refused(store, tmp_path) -> None:
    """tarfile would read the whole of an extended header into memory."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, streams.MAX_READ_BYTES + 1
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + bytes(10_240))
    with pytest.raises(DatasetError, match="64 MiB in one piece; refused"):
        import_dataset(tmp_path / "a.tar", store)


@pytest.mark.parametrize("name", [name for name in PACKERS if name != "no-suffix"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_archive_leaves_the_earlier_import(
    samples, store, tmp_path, imported, name, share
) -> None:
    path = PACKERS[name](tmp_path / name, samples.files())
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DatasetError, match=rf"^{name}.*(cut short|damaged)"):
        import_dataset(path, store)
    assert store.open("fer2013").meta == imported.meta


@pytest.mark.parametrize("name", PACKERS)
def test_damage_is_never_anything_but_a_dataset_error(samples, store, tmp_path, name) -> None:
    """Random bytes exchanged: the import works or names the file, it does not crash."""
    files = dict(list(samples.files().items())[:10])
    good = PACKERS[name](tmp_path / name, files).read_bytes()
    generator = random.Random(3)
    messages = []
    for _ in range(30):
        bad = bytearray(good)
        for _ in range(generator.choice((1, 5, 50))):
            bad[generator.randrange(len(bad))] = generator.randrange(256)
        (tmp_path / name).write_bytes(bad)
        try:
            import_dataset(tmp_path / name, store)
        except DatasetError as error:
            messages.append(str(error))
    assert messages
    assert all(message.startswith(name) and "\n" not in message for message in messages)
