from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from streamlit.testing.v1 import AppTest

from app import resources
from pipeline.home import Home
from tests.served_models import make_model
from tests.videos import write_video

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]

PAGE = "pages/video.py"


@pytest.fixture
def model(home: Home, tmp_path: Path) -> None:
    resources.models().activate(str(make_model(tmp_path / "served" / "bars")))


@pytest.fixture
def analysed(
    model: None, open_page: OpenPage, finish_jobs: FinishJobs
) -> Callable[[Path], AppTest]:
    """The page after a file has been uploaded and its job has ended."""

    def run(path: Path) -> AppTest:
        app = open_page(PAGE)
        app.file_uploader(key="video_upload_0").upload(path.name, path.read_bytes()).run()
        app.button(key="video_start").click().run()
        return finish_jobs(app)

    return run


def test_no_model_says_what_to_do(open_page: OpenPage, texts: Texts) -> None:
    app = open_page(PAGE)
    assert "No model yet" in texts(app)
    assert not app.get("file_uploader")


@pytest.mark.usefixtures("model")
def test_nothing_can_be_started_without_a_file(open_page: OpenPage) -> None:
    assert open_page(PAGE).button(key="video_start").disabled


def test_upload_gives_player_people_timeline_and_files(
    analysed: Callable[[Path], AppTest], home: Home, texts: Texts, tmp_path: Path
) -> None:
    app = analysed(write_video(tmp_path / "clip.mp4", audio="aac"))
    words = texts(app)
    assert "5 samples, 1 person" in words
    assert "0:02 · 320 × 240 · 25 frames/s · 5 samples · model bars" in words
    assert len(app.get("video")) == 1
    assert len(app.get("plotly_chart")) == 2
    assert [button.label for button in app.get("download_button")] == ["JSON", "CSV"]
    assert [button.proto.label for button in app.get("link_button")] == ["Marked video"]
    assert app.dataframe[0].value["Last seen"].tolist() == ["0:01"]
    # Of the upload nothing is left, on disk or in the uploader.
    (folder,) = home.data.iterdir()
    assert [path.name for path in folder.iterdir()] == ["marked.mp4"]
    assert app.file_uploader(key="video_upload_1").value is None


def test_result_survives_a_page_change_and_can_be_removed(
    analysed: Callable[[Path], AppTest], home: Home, open_page: OpenPage, tmp_path: Path
) -> None:
    analysed(write_video(tmp_path / "clip.mp4", 10))
    app = open_page(PAGE)
    assert app.get("video")
    app.button(key="video_remove").click().run()
    assert not app.get("video")
    assert list(home.data.iterdir()) == []


def test_key_moment_moves_the_player(analysed: Callable[[Path], AppTest], tmp_path: Path) -> None:
    dark = [np.ascontiguousarray(skimage.data.coffee()[:240, :320])] * 50
    app = analysed(write_video(tmp_path / "clip.mp4", [*dark, *(frame for frame in face())]))
    assert app.get("video")[0].proto.start_time == 0
    (button,) = [item for item in app.button if (item.key or "").startswith("video_moment_")]
    button.click().run()
    assert app.get("video")[0].proto.start_time >= 2


def face() -> list[np.ndarray]:
    portrait = np.ascontiguousarray(skimage.data.astronaut()[20:260, 60:380])
    return [portrait] * 50


def test_file_that_is_no_video_is_one_sentence(
    analysed: Callable[[Path], AppTest], home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_text("no video")
    app = analysed(path)
    (error,) = app.error
    assert "holiday.mp4: not a video" in error.value.replace("\\", "")
    assert not app.get("video")
    assert list(home.data.iterdir()) == []


def test_video_without_faces_says_so(
    analysed: Callable[[Path], AppTest], texts: Texts, tmp_path: Path
) -> None:
    frames = [np.ascontiguousarray(skimage.data.coffee()[:240, :320])] * 5
    app = analysed(write_video(tmp_path / "cup.mp4", frames))
    assert "No face found" in app.info[0].value
    assert app.get("video")
    assert not app.get("plotly_chart")


def test_truncated_video_carries_a_note(
    analysed: Callable[[Path], AppTest], tmp_path: Path
) -> None:
    options = {"movflags": "+faststart"}
    path = write_video(tmp_path / "a.mp4", 100, codec="mpeg4", options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "incomplete" in analysed(path).warning[0].value


@pytest.mark.usefixtures("model")
def test_path_on_this_computer(
    open_page: OpenPage, finish_jobs: FinishJobs, texts: Texts, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "clip.mkv", 10)
    app = open_page(PAGE)
    app.button_group(key="video_source").set_value("This computer").run()
    app.text_input(key="video_path").set_value(f' "{tmp_path / "lost.mkv"}"').run()
    app.button(key="video_start").click().run()
    assert "there is no file" in app.error[0].value.replace("\\", "").lower()
    app.text_input(key="video_path").set_value(str(path)).run()
    app.selectbox(key="video_interval").set_value(0.0).run()
    app.button(key="video_start").click().run()
    assert "10 samples" in texts(finish_jobs(app))
    assert path.is_file()


def test_settings_that_a_result_does_not_have_are_pointed_out(
    analysed: Callable[[Path], AppTest], texts: Texts, tmp_path: Path
) -> None:
    app = analysed(write_video(tmp_path / "clip.mp4"))
    assert "other settings" not in texts(app)
    app.slider(key="recognition_unsure_below").set_value(95).run()
    assert "Made with other settings than those of now" in texts(app)
