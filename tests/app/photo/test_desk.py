import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from app.photo.desk import (
    CROWD,
    CROWD_SIDE,
    PREVIEW_SIDE,
    Photo,
    PhotoDesk,
    annotated_png,
    annotated_zip,
    captions,
    explain,
    recognize_photo,
    to_json,
    to_table,
)
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.recognizer import Recognizer
from tests.served_models import make_model


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    model = make_model(tmp_path_factory.mktemp("model") / "bars")
    return Recognizer(EmotionClassifier.load(model), YuNetDetector())


def png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


PORTRAIT = png(skimage.data.astronaut())
CUP = png(skimage.data.coffee())


def photo(data: bytes, name: str = "a.png") -> Photo:
    return Photo(name, name, data)


def group(rows: int, columns: int, factor: int = 1) -> np.ndarray:
    face = skimage.data.astronaut()[20:220, 120:320]
    return np.tile(face, (rows, columns, 1)).repeat(factor, axis=0).repeat(factor, axis=1)


def decode(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


class TestDesk:
    def test_first_of_the_new_ones_comes_to_the_front(self) -> None:
        desk = PhotoDesk()
        assert desk.chosen is None
        desk.add([("a.png", b"a"), ("b.png", b"b")])
        desk.add([("c.png", b"c"), ("d.png", b"d")])
        assert [item.name for item in desk.photos] == ["a.png", "b.png", "c.png", "d.png"]
        assert desk.chosen is desk.photos[2]

    def test_same_content_lies_there_once(self) -> None:
        desk = PhotoDesk()
        desk.add([("a.png", b"a"), ("b.png", b"b")])
        assert desk.add([("copy of a.png", b"a")]) == [("copy of a.png", "a.png")]
        assert len(desk.photos) == 2
        assert desk.chosen is desk.photos[0]

    def test_every_batch_empties_the_uploader(self) -> None:
        desk = PhotoDesk()
        desk.add([("a.png", b"a")])
        desk.add([("a.png", b"a")])
        assert desk.batches == 2

    @pytest.mark.parametrize(("gone", "front"), [(1, "c"), (2, "b"), (0, "b")])
    def test_neighbour_takes_the_place_of_a_removed_one(self, gone: int, front: str) -> None:
        desk = PhotoDesk()
        desk.add([(name, name.encode()) for name in "abc"])
        desk.choose(desk.photos[gone].id)
        desk.remove(desk.photos[gone].id)
        assert desk.chosen is not None
        assert desk.chosen.name == front

    def test_removing_another_leaves_the_front(self) -> None:
        desk = PhotoDesk()
        desk.add([("a", b"a"), ("b", b"b")])
        desk.remove(desk.photos[1].id)
        assert desk.chosen is desk.photos[0]

    def test_second_click_on_remove_does_nothing(self) -> None:
        desk = PhotoDesk()
        desk.add([("a", b"a"), ("b", b"b")])
        gone = desk.photos[0].id
        desk.remove(gone)
        desk.remove(gone)
        desk.choose(gone)
        assert [photo.name for photo in desk.photos] == ["b"]
        assert desk.chosen is desk.photos[0]

    def test_clear_leaves_nothing(self) -> None:
        desk = PhotoDesk()
        desk.add([("a", b"a"), ("b", b"b")])
        desk.clear()
        assert desk.photos == []
        assert desk.chosen is None

    def test_result_is_worked_out_once_for_one_key(self, recognizer: Recognizer) -> None:
        desk = PhotoDesk()
        desk.add([("a.png", PORTRAIT), ("b.png", CUP)])
        first, second = desk.photos
        result = desk.result(first, recognizer, "key")
        assert desk.pending("key") == [second]
        assert desk.result(first, recognizer, "key") is result
        assert desk.pending("other key") == [first, second]
        assert desk.result(first, recognizer, "other key") is not result

    def test_chosen_face_is_remembered_and_stays_in_range(self, recognizer: Recognizer) -> None:
        desk = PhotoDesk()
        desk.add([("a.png", png(group(1, 3)))])
        result = desk.result(desk.photos[0], recognizer, 0)
        assert desk.face_of(result) == 0
        desk.choose_face(result.photo.id, 2)
        assert desk.face_of(result) == 2
        desk.choose_face(result.photo.id, 9)
        assert desk.face_of(result) == 2


class TestResult:
    def test_portrait(self, recognizer: Recognizer) -> None:
        result = recognize_photo(photo(PORTRAIT), recognizer)
        assert (result.width, result.height) == (512, 512)
        assert len(result.predictions) == len(result.faces) == 1
        assert decode(result.preview).shape == (512, 512, 3)
        assert decode(result.thumbnail).shape == (180, 240, 3)
        # The gallery's picture is of the face: skin, not the orange suit or the background.
        face = decode(result.faces[0]).astype(int)
        red, green, blue = face[48:96, 48:96].reshape(-1, 3).mean(axis=0)
        assert red > green > blue > 90

    def test_bad_file_gets_its_reason(self, recognizer: Recognizer) -> None:
        result = recognize_photo(photo(b"no image", "notes.txt"), recognizer)
        assert result.found.error is not None
        assert result.found.error.startswith("notes.txt: not an image")
        assert result.predictions == ()

    def test_boxes_lie_on_the_faces_of_a_shrunk_preview(self, recognizer: Recognizer) -> None:
        large = skimage.data.astronaut().repeat(4, axis=0).repeat(4, axis=1)
        result = recognize_photo(photo(png(large)), recognizer)
        assert decode(result.preview).shape == (PREVIEW_SIDE, PREVIEW_SIDE, 3)
        marked = decode(result.preview).astype(int)
        plain = np.asarray(Image.fromarray(large).resize((PREVIEW_SIDE, PREVIEW_SIDE))).astype(int)
        rows, columns = np.nonzero((np.abs(marked - plain) > 100).any(axis=2))
        box = result.predictions[0].box
        scale = PREVIEW_SIDE / 2048
        assert columns.min() == pytest.approx(box.x * scale, abs=15)
        assert rows.max() == pytest.approx((box.y + box.h) * scale, abs=15)

    def test_crowd_is_shown_smaller(self, recognizer: Recognizer) -> None:
        result = recognize_photo(photo(png(group(2, 4, factor=2))), recognizer)
        assert len(result.predictions) >= CROWD
        assert max(decode(result.preview).shape) == CROWD_SIDE

    def test_faces_are_numbered_only_where_there_are_several(self, recognizer: Recognizer) -> None:
        one = recognize_photo(photo(PORTRAIT), recognizer).predictions
        assert "·" not in captions(one)[0]
        assert [text[:4] for text in captions([*one, *one])] == ["1 · ", "2 · "]

    def test_explanation_is_of_the_chosen_face_and_kept(self, recognizer: Recognizer) -> None:
        result = recognize_photo(photo(png(group(1, 2))), recognizer)
        second = explain(result, 1, recognizer)
        assert second.label == result.predictions[1].probabilities.argmax()
        assert explain(result, 1, recognizer) is second
        assert explain(result, 0, recognizer) is not second


class TestDownloads:
    def test_picture_in_full_size(self, recognizer: Recognizer) -> None:
        large = skimage.data.astronaut().repeat(4, axis=0).repeat(4, axis=1)
        marked = decode(annotated_png(recognize_photo(photo(png(large)), recognizer)))
        assert marked.shape == large.shape
        assert (marked != large).any()

    def test_archive_holds_what_could_be_read(self, recognizer: Recognizer) -> None:
        files = [("a.png", PORTRAIT), ("bad.jpg", b"x"), ("a.png", CUP)]
        results = [recognize_photo(photo(data, name), recognizer) for name, data in files]
        with zipfile.ZipFile(io.BytesIO(annotated_zip(results))) as archive:
            assert archive.namelist() == ["0001-a.png", "0003-a.png"]
            assert decode(archive.read("0003-a.png")).shape == skimage.data.coffee().shape

    def test_json_and_csv_say_the_same(self, recognizer: Recognizer) -> None:
        files = [("a.png", PORTRAIT), ("bad.jpg", b"x"), ("cup.png", CUP)]
        results = [recognize_photo(photo(data, name), recognizer) for name, data in files]
        entries = json.loads(to_json(results))
        assert [entry["file"] for entry in entries] == ["a.png", "bad.jpg", "cup.png"]
        assert [len(entry["faces"]) for entry in entries] == [1, 0, 0]
        assert entries[1]["error"]
        assert entries[2]["error"] is None
        lines = to_table(results).splitlines()
        assert len(lines) == 4
        assert lines[1].startswith(f"a.png,1,{entries[0]['faces'][0]['x']},")

    def test_a_file_named_like_a_formula_is_text_in_the_csv(self, recognizer: Recognizer) -> None:
        files = [("=1+1.png", PORTRAIT), ("=2.png", b"x")]
        results = [recognize_photo(photo(data, name), recognizer) for name, data in files]
        assert [entry["file"] for entry in json.loads(to_json(results))] == ["=1+1.png", "=2.png"]
        for line, name in zip(to_table(results).splitlines()[1:], ("=1+1", "=2"), strict=True):
            assert line.startswith(f"'{name}.png,")
            assert ",=" not in line


def test_nothing_is_written(
    recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = recognize_photo(photo(PORTRAIT), recognizer)
    explain(result, 0, recognizer)
    annotated_png(result)
    assert list(tmp_path.iterdir()) == []
