import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RunImportError, RunStateError
from pipeline.runs import (
    ProcessMark,
    Run,
    RunStatus,
    RunStore,
    edit_notes,
    write_history,
    write_state,
)
from pipeline.runs.transfer import export_runs, import_runs

CONFIG = {"architecture": "vgg", "dataset": "faces", "epochs": 4}
EPOCHS = [{"epoch": n, "val_accuracy": 0.5, "is_best": n == 1, "seconds": 3.0} for n in (1, 2)]
Members = dict[str, bytes | str]


@pytest.fixture
def run(store: RunStore) -> Run:
    run = store.create(CONFIG, name="good")
    write_state(run, replace(run.state, status=RunStatus.FINISHED, pid=77, process_started=1.0))
    write_history(run, EPOCHS)
    edit_notes(run.folder, title="The good one", tags=["first"])
    for name, size in (
        ("model.onnx", 3000),
        ("checkpoints/best-0001.npz", 500),
        ("checkpoints/epoch-0002/arrays.npz", 700),
        ("train.log", 10),
    ):
        (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (run.folder / name).write_bytes(b"x" * size)
    (run.folder / "contract.json").write_text("{}")
    return run


@pytest.fixture
def elsewhere(tmp_path: Path) -> RunStore:
    """The runs of another computer."""
    return RunStore(tmp_path / "elsewhere")


def packed(run: Run, *, checkpoints: bool = False) -> io.BytesIO:
    file = io.BytesIO()
    export_runs([run], file, checkpoints=checkpoints)
    return file


def changed(run: Run, change: Callable[[Members], None]) -> io.BytesIO:
    """The run's zip file after somebody had a hand in it."""
    with zipfile.ZipFile(packed(run)) as archive:
        members: Members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.parametrize("checkpoints", [True, False])
def test_there_and_back(run: Run, elsewhere: RunStore, checkpoints: bool) -> None:
    (found,) = import_runs(elsewhere, packed(run, checkpoints=checkpoints))
    assert (found.id, found.config, found.history) == ("good", CONFIG, EPOCHS)
    assert found.notes == run.notes
    assert found.state == replace(run.state, pid=None, process_started=None)
    expected = files(run.folder)
    if not checkpoints:
        expected = {name for name in expected if not name.startswith("checkpoints")}
    assert files(found.folder) == expected
    for name in expected - {"status.json"}:
        assert (found.folder / name).read_bytes() == (run.folder / name).read_bytes()


def test_written_to_what_cannot_be_rewound(run: Run, elsewhere: RunStore) -> None:
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    export_runs([run], pipe)
    assert import_runs(elsewhere, io.BytesIO(pipe.content))[0].history == EPOCHS


def test_taken_id_gets_a_number(run: Run, store: RunStore) -> None:
    file = packed(run)
    assert [import_runs(store, file)[0].id for _ in range(2)] == ["good-2", "good-3"]
    assert run.state.pid == 77


def test_several_runs_in_one_file_come_all_or_none(
    run: Run, store: RunStore, elsewhere: RunStore
) -> None:
    other = store.create({**CONFIG, "epochs": 9}, name="other")
    file = io.BytesIO()
    export_runs([run, other], file)
    assert [found.id for found in import_runs(elsewhere, file)] == ["good", "other"]
    assert elsewhere.get("other").config["epochs"] == 9
    assert files(elsewhere.get("good").folder) <= files(run.folder)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("third/exported.json", '{"format": 1}')
    with pytest.raises(RunImportError, match=r"config\.json is missing"):
        import_runs(elsewhere, file)
    assert {found.id for found in elsewhere.list()} == {"good", "other"}


def test_a_file_has_its_limit_of_runs(
    run: Run, store: RunStore, elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, file = [run, store.create(CONFIG, name="other")], io.BytesIO()
    export_runs(both, file)
    monkeypatch.setattr("pipeline.runs.transfer._MAX_RUNS", 1)
    with pytest.raises(RunStateError, match="1 runs at most, got 2"):
        export_runs(both, io.BytesIO())
    with pytest.raises(RunImportError, match="this has more"):
        import_runs(elsewhere, file)


def test_hidden_files_links_and_marks_of_this_computer_stay(run: Run, tmp_path: Path) -> None:
    (run.folder / "link.json").symlink_to(tmp_path / "secret")
    for name in ("started.json", "progress.json", "stop_asked.json", ".lock", "core.4711"):
        (run.folder / name).write_text("{}")
    names = {Path(name).name for name in zipfile.ZipFile(packed(run)).namelist()}
    assert "train.log" in names
    unwanted = {"link.json", "started.json", "progress.json", "stop_asked.json", ".lock"}
    assert not names & {*unwanted, "core.4711"}


def test_run_in_training_is_not_exported(run: Run) -> None:
    mark = ProcessMark.of(1)
    write_state(
        run,
        replace(run.state, status=RunStatus.RUNNING, pid=1, process_started=mark.process_started),
    )
    with pytest.raises(RunStateError, match="is being trained"):
        packed(run)


def test_running_state_becomes_stopped(run: Run, elsewhere: RunStore) -> None:
    write_state(run, replace(run.state, status=RunStatus.RUNNING, pid=2**22 + 1))
    (found,) = import_runs(elsewhere, packed(run))
    assert found.state.status is RunStatus.STOPPED
    assert "was being trained" in found.state.reason
    assert found.state.pid is None


def put(name: str, content: bytes | str) -> Callable[[Members], None]:
    return lambda members: members.update({name: content})


def drop(name: str) -> Callable[[Members], None]:
    return lambda members: members.pop(name) and None


def state(**values: object) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        stored = json.loads(members["good/status.json"])
        members["good/status.json"] = json.dumps({**stored, **values})

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("../evil.json", "{}"), "holds something else"),
        (put("good/../../evil.json", "{}"), "holds something else"),
        (put("/etc/evil.json", "{}"), "holds something else"),
        (put("good\\..\\evil.json", "{}"), "holds something else"),
        (put("good/.lock", ""), "holds something else"),
        (put("good/a/b/c/deep.json", "{}"), "holds something else"),
        (put("other/exported.json", "{}"), "exported.json is damaged"),
        (put("other/more.json", "{}"), "holds no exported run"),
        (put("good/run.sh", "rm"), "no file of the kind"),
        (put(f"good/{'a' * 30}/{'x' * 79}.jsonx.exe", "rm"), "no file of the kind"),
        (put("good/model.onnx/inner.npz", "x"), "not a sound zip"),
        (put("good/big.json", b" " * (64 * 2**20 + 1)), "too large"),
        (drop("good/exported.json"), "holds no exported run"),
        (put("good/exported.json", "[]"), "exported.json is damaged"),
        (put("good/exported.json", '{"format": 2}'), "in form 2, and only 1 is known here"),
        (drop("good/config.json"), "config.json is missing"),
        (drop("good/status.json"), "status.json is missing"),
        (drop("good/model.onnx"), "model is missing"),
        (put("good/config.json", "[]"), "expected an object, got list"),
        (put("good/config.json", '{"architecture": 3}'), "does not name architecture"),
        (put("good/config.json", b"\xff\xfe"), "is not text"),
        (put("good/environment.json", "[" * 100_000), "is not JSON"),
        (put("good/history.jsonl", '{"epoch": 2}\n'), "does not tell of epoch 1"),
        (put("good/history.jsonl", '{"epoch": 1, "loss": NaN}\n'), "is no number"),
        (put("good/history.jsonl", '{"epoch": 1, "loss": "<b>"}\n'), "is no number"),
        (put("good/history.jsonl", '{"epoch": 1, "lo'), "is not JSON"),
        (state(status="odd"), r"status\.json is damaged"),
        (state(created="yesterday"), r"status\.json is damaged"),
        (state(created=None), r"status\.json is damaged"),
    ],
)
def test_what_is_no_sound_run_is_refused_and_leaves_nothing(
    run: Run, elsewhere: RunStore, change: Callable[[Members], None], reason: str, tmp_path: Path
) -> None:
    file, before = changed(run, change), files(tmp_path)
    with pytest.raises(RunImportError, match=reason):
        import_runs(elsewhere, file)
    assert elsewhere.list() == []
    assert files(tmp_path) == before
    assert list((elsewhere.root / ".incoming").iterdir() if elsewhere.root.exists() else ()) == []


def test_link_is_refused(run: Run, elsewhere: RunStore) -> None:
    file = packed(run)
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("good/link.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(RunImportError, match="is a link"):
        import_runs(elsewhere, file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_file_that_is_in_it_twice_is_refused(run: Run, elsewhere: RunStore) -> None:
    file = packed(run)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("good/config.json", "{}")
    with pytest.raises(RunImportError, match="twice"):
        import_runs(elsewhere, file)


def test_bomb_is_refused_by_what_it_would_unpack_to(
    run: Run, elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.runs.transfer._MAX_BYTES", 2**20)
    file = changed(run, put("good/zeros.npz", bytes(2**21)))
    assert len(file.getvalue()) < 2**14
    with pytest.raises(RunImportError, match="more than a run can have"):
        import_runs(elsewhere, file)


def test_heading_that_lies_about_the_size_is_refused(run: Run, elsewhere: RunStore) -> None:
    content = bytearray(changed(run, put("good/zeros.npz", bytes(12345))).getvalue())
    true, told = (12345).to_bytes(4, "little"), (99).to_bytes(4, "little")
    content[:] = content.replace(true, told)
    with pytest.raises(RunImportError, match="not a sound zip"):
        import_runs(elsewhere, io.BytesIO(content))
    assert elsewhere.list() == []


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_no_zip_file(elsewhere: RunStore, content: bytes) -> None:
    with pytest.raises(RunImportError, match="not a sound zip"):
        import_runs(elsewhere, io.BytesIO(content))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_torn_zip_file(run: Run, elsewhere: RunStore, share: float) -> None:
    content = packed(run).getvalue()
    with pytest.raises(RunImportError, match="not a sound zip"):
        import_runs(elsewhere, io.BytesIO(content[: int(share * len(content))]))


def test_flipped_bit_is_noticed(run: Run, elsewhere: RunStore) -> None:
    content = bytearray(packed(run).getvalue())
    content[content.index(b"x" * 3000) + 1500] ^= 1
    with pytest.raises(RunImportError, match="not a sound zip"):
        import_runs(elsewhere, io.BytesIO(content))
