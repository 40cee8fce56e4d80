import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import resources, state
from app.camera import Camera
from app.photo import view
from app.recognition import RecognitionSettings, load_settings
from pipeline.home import Home
from pipeline.recognition.contract import OperatingPoint
from tests.served_models import make_model

PAGE = "pages/photo.py"

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


def png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


PORTRAIT = png(skimage.data.astronaut())
CUP = png(skimage.data.coffee())
GROUP = png(np.tile(skimage.data.astronaut()[20:220, 120:320], (1, 3, 1)))


@pytest.fixture
def model(home: Home, tmp_path: Path) -> Path:
    folder = make_model(
        tmp_path / "served" / "bars",
        unsure_below=0.1,
        trade_off=(OperatingPoint(0.1, 0.97, 0.66), OperatingPoint(0.9, 0.2, 0.95)),
    )
    resources.models().activate(str(folder))
    return folder


def drop(app: AppTest, **files: bytes) -> AppTest:
    """Drops files on the uploader, with `_` for `.` in their names."""
    (uploader,) = app.file_uploader
    uploader.set_value(
        [(name.replace("_", "."), data, "application/octet-stream") for name, data in files.items()]
    )
    return app.run()


def alts(app: AppTest) -> list[str]:
    return [image.proto.imgs[0].alt for image in app.get("image")]


class TestWithoutModel:
    def test_says_what_to_do(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        assert "No model yet" in texts(app)
        assert not app.file_uploader
        assert not app.error


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(200, 1200, 103), (1080, 1920, 349), (20, 20, 400), (6000, 4000, 930), (1, 5000, 1)],
)
def test_picture_fits_the_screen(width: int, height: int, shown: int) -> None:
    assert view.shown_width(width, height) == shown


@pytest.mark.usefixtures("model")
class TestPhotos:
    def test_example_in_one_click(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        app.button(key="photo_example").click().run()
        words = texts(app)
        assert "astronaut.png · 512 × 512 pixels · 1 face" in words
        assert app.header[0].value.startswith("Looks ")
        assert "Exactly this: 48 × 48" in words
        assert "Zeiler and Fergus, 2014" in words
        assert "Derived" in words
        assert len(app.get("plotly_chart")) == 2
        assert [button.label for button in app.get("download_button")] == [
            "Marked picture",
            "JSON",
            "CSV",
        ]

    def test_bad_files_get_their_line_and_stop_nothing(
        self, open_page: OpenPage, texts: Texts
    ) -> None:
        app = drop(open_page(PAGE), notes_txt=b"hello", cup_png=CUP, a_png=PORTRAIT)
        (error,) = app.error
        assert error.value.replace("\\", "").startswith("notes.txt: not an image")
        app.button(key=f"photo_choose_{photo_id(app, 'a.png')}").click().run()
        assert "a.png · 512 × 512 pixels · 1 face" in texts(app)
        app.button(key=f"photo_remove_{photo_id(app, 'notes.txt')}").click().run()
        assert not app.error
        assert "a.png · 512" in texts(app)

    def test_only_bad_files(self, open_page: OpenPage, texts: Texts) -> None:
        app = drop(open_page(PAGE), empty_png=b"", broken_jpg=b"\xff\xd8\xff broken")
        assert len(app.error) == 2
        assert "the file is empty" in app.error[0].value
        assert not app.get("image")

    def test_first_readable_file_of_a_batch_is_in_front(
        self, open_page: OpenPage, texts: Texts
    ) -> None:
        app = drop(open_page(PAGE), cup_png=CUP)
        app = drop(app, notes_txt=b"hello", a_png=PORTRAIT)
        assert "a.png · 512 × 512 pixels" in texts(app)
        assert "cup.png ·" not in texts(app)

    def test_many_bad_files_are_one_message_and_go_with_one_click(
        self, open_page: OpenPage, texts: Texts
    ) -> None:
        bad = {f"n{number}_jpg": f"text {number}".encode() for number in range(5)}
        app = drop(open_page(PAGE), **bad, a_png=PORTRAIT)
        (error,) = app.error
        assert error.value.startswith("5 files could not be read:")
        assert "n4.jpg: not an image" in error.value.replace("\\", "")
        app.button(key="photo_remove_unreadable").click().run()
        assert not app.error
        assert [photo.name for photo in app.session_state["photos"].photos] == ["a.png"]

    def test_no_face_says_what_to_try(self, open_page: OpenPage, texts: Texts) -> None:
        app = drop(open_page(PAGE), cup_png=CUP)
        assert app.info[0].value == "**No face found.**"
        assert "a lower confidence" in texts(app)
        assert not app.get("plotly_chart")

    def test_face_of_a_group_can_be_chosen(
        self, open_page: OpenPage, texts: Texts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = drop(open_page(PAGE), group_png=GROUP)
        assert "Face 1 of 3" in texts(app)
        # The next look needs no detector and no decoding.
        monkeypatch.setattr("app.photo.desk.recognize_photo", None)
        app.button(key="face_2").click().run()
        assert "Face 3 of 3" in texts(app)
        assert sum(alt.startswith("Face ") for alt in alts(app)) == 3

    def test_pictures_are_described_in_words(self, open_page: OpenPage) -> None:
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        assert all(alts(app))
        assert alts(app)[0].startswith("a.png: 1 face. Looks ")

    def test_photos_survive_a_page_change(self, open_page: OpenPage, texts: Texts) -> None:
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        app.switch_page(str(Path("pages/overview.py").resolve())).run()
        app.switch_page(str(Path(PAGE).resolve())).run()
        assert "a.png · 512" in texts(app)

    def test_uploader_empties_and_takes_more(self, open_page: OpenPage, texts: Texts) -> None:
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        assert app.file_uploader[0].value == []
        app = drop(app, group_png=GROUP)
        assert "group.png · 600 × 200 pixels · 3 faces" in texts(app)
        assert "All pictures" in [button.label for button in app.get("download_button")]

    def test_all_can_be_removed_at_once(self, open_page: OpenPage) -> None:
        app = drop(open_page(PAGE), a_png=PORTRAIT, cup_png=CUP, bad_png=b"x")
        app.button(key="photo_remove_all").click().run()
        assert not app.get("image")
        assert not app.error
        assert app.session_state["photos"].photos == []

    def test_camera_is_asked_for_only_when_chosen(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        assert not app.camera_input
        app.segmented_control(key="photo_source").set_value(view.CAMERA).run()
        jpeg = io.BytesIO()
        Image.fromarray(skimage.data.astronaut()).save(jpeg, "JPEG")
        app.camera_input[0].set_value(("shot.jpg", jpeg.getvalue(), "image/jpeg"))
        assert "snapshot-1.jpg · 512 × 512 pixels · 1 face" in texts(app.run())

    def test_what_keeps_the_camera_away_is_said(
        self, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.photo.view.camera", lambda key: Camera.DENIED)
        app = open_page(PAGE)
        app.segmented_control(key="photo_source").set_value(view.CAMERA).run()
        assert "Allow it" in app.error[0].value
        assert not app.camera_input

    def test_nothing_is_stored(self, home: Home, open_page: OpenPage) -> None:
        before = sorted(home.root.rglob("*"))
        drop(open_page(PAGE), a_png=PORTRAIT)
        assert sorted(home.root.rglob("*")) == before

    def test_poor_picture_is_named(self, open_page: OpenPage) -> None:
        dim = (skimage.data.astronaut() * 0.2).astype(np.uint8)
        app = drop(open_page(PAGE), dim_png=png(dim))
        assert "The face is dark." in app.warning[0].value


class TestSettings:
    def test_unsure_below_the_threshold(
        self, home: Home, model: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        assert app.slider(key="recognition_unsure_below").value == 10
        assert "97 % then get an answer, 66 % of them right" in texts(app)
        app.slider(key="recognition_unsure_below").set_value(90).run()
        assert app.header[0].value == "Unsure"
        assert "below the threshold of 90 %" in texts(app)
        assert "20 % then get an answer" in texts(app)
        # A new session, and every other page, finds the same.
        assert load_settings(home).unsure_below == 0.9
        assert open_page(PAGE).slider(key="recognition_unsure_below").value == 90
        app.button(key="recognition_reset").click().run()
        assert app.header[0].value.startswith("Looks ")
        assert load_settings(home) == RecognitionSettings()

    def test_detector_and_its_threshold(
        self, home: Home, model: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        app = drop(open_page(PAGE), cup_png=CUP)
        assert app.slider(key="recognition_detection_threshold").value == 65
        app.slider(key="recognition_detection_threshold").set_value(30).run()
        assert load_settings(home).detection_threshold == 0.3
        app.selectbox(key="recognition_detector").select("ssd").run()
        # A threshold is of one detector: the next begins with its own.
        assert app.slider(key="recognition_detection_threshold").value == 80
        assert load_settings(home).detection_threshold is None
        app.selectbox(key="recognition_detector").select("none").run()
        assert "cup.png · 600 × 400 pixels · 1 face" in texts(app)

    def test_model_is_the_one_of_the_whole_home(
        self, home: Home, tmp_path: Path, model: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        shipped = make_model(tmp_path / "shipped" / "drawn", dataset={"synthetic": True})
        state.remember(home, recognition={"unsure_below": 0.9})
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        assert not app.warning
        app.selectbox(key="recognition_model").select("drawn").run()
        active = resources.models().active()
        assert active is not None
        assert active.folder == shipped
        assert "seen drawn faces only" in app.warning[0].value
        assert load_settings(home).unsure_below is None

    def test_damaged_model_is_one_sentence_and_can_be_left(
        self, tmp_path: Path, model: Path, open_page: OpenPage
    ) -> None:
        make_model(tmp_path / "shipped" / "sound")
        (model / "model.onnx").write_bytes(b"no network")
        app = drop(open_page(PAGE), a_png=PORTRAIT)
        assert "not a readable ONNX model" in app.error[0].value
        app.selectbox(key="recognition_model").select("sound").run()
        assert not app.error
        assert app.header[0].value.startswith(("Looks ", "Unsure"))


def photo_id(app: AppTest, name: str) -> str:
    return next(photo.id for photo in app.session_state["photos"].photos if photo.name == name)
