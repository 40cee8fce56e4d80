from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
import requests
import streamlit as st

from app.recognition import RecognitionSettings
from app.video import marked_copy, shared
from app.video.desk import VideoDesk, VideoResult
from pipeline.home import Home
from pipeline.recognition.video.analysis import VideoAnalysis
from pipeline.recognition.video.opening import VideoInfo
from tests.serving import served

CONTENT = bytes(range(256)) * 400


@pytest.fixture
def desk(home: Home, monkeypatch: pytest.MonkeyPatch) -> VideoDesk:
    desk = VideoDesk(home)
    monkeypatch.setattr(shared, "desk", lambda: desk)
    return desk


@pytest.fixture
def result(desk: VideoDesk) -> VideoResult:
    """A finished video; its copy's content is none that plays."""
    info = VideoInfo(640, 480, 1.0, 25.0, "h264", None)
    analysis = VideoAnalysis("a.mp4", "bars", 0.5, info, 1.0, (), (), (), ())
    desk.keep(analysis, desk.new_folder(), RecognitionSettings())
    assert desk.result is not None
    (desk.result.folder / "marked.mp4").write_bytes(CONTENT)
    return desk.result


@pytest.fixture
def address(result: VideoResult, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of the copy, as the page gives it to the player."""
    with served([marked_copy.route()]) as url:
        page = SimpleNamespace(url=f"{url}/recognise-video?x=1")
        monkeypatch.setattr(st, "context", page)
        assert result.copy is not None
        yield str(marked_copy.address(result, result.copy))


def test_a_player_gets_the_piece_that_it_asks_for(address: str) -> None:
    whole = requests.get(address, timeout=10)
    assert whole.content == CONTENT
    assert whole.headers["Content-Type"] == "video/mp4"
    piece = requests.get(address, headers={"Range": "bytes=1000-1999"}, timeout=10)
    assert piece.status_code == 206
    assert piece.content == CONTENT[1000:2000]


def test_only_its_own_address_leads_to_it(address: str, desk: VideoDesk) -> None:
    for other in (address.replace(".mp4", "x.mp4"), address.replace("/marked-video/", "/x/")):
        assert requests.get(other, timeout=10).status_code == 404
    odd = address.rpartition("/")[0] + "/\u00e9.mp4"
    assert requests.get(odd, timeout=10).status_code == 404
    desk.clear()
    assert requests.get(address, timeout=10).status_code == 404


def test_a_copy_to_keep_has_the_name_of_its_video(address: str, result: VideoResult) -> None:
    whole = requests.get(urljoin(address, marked_copy.to_keep(result)), timeout=10)
    assert whole.content == CONTENT
    assert whole.headers["Content-Disposition"] == 'attachment; filename="a-marked.mp4"'
    assert "Content-Disposition" not in requests.get(address, timeout=10).headers


def test_a_copy_that_was_removed_meanwhile_is_missed_in_words(
    address: str, result: VideoResult, desk: VideoDesk
) -> None:
    desk.clear()
    answer = requests.get(urljoin(address, marked_copy.to_keep(result)), timeout=10)
    assert answer.status_code == 404
    assert "analyse the video again" in answer.text


def test_a_page_without_an_address_shows_the_file_itself(result: VideoResult) -> None:
    assert result.copy is not None
    assert marked_copy.address(result, result.copy) == result.copy
