"""A hundred videos that are none, or no longer: a clear error each, or a sound analysis."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.recognition import RecognitionSettings
from app.video.desk import VideoDesk, video_work
from pipeline.errors import VideoFormatError
from pipeline.home import Home
from pipeline.recognition.recognizer import Recognizer
from tests.faults.damage import DAMAGES, check_message
from tests.videos import write_video

NUMBER = 100
SECONDS_EACH = 30
FASTSTART = {"movflags": "+faststart"}


def bad_videos(folder: Path, seed: int) -> list[tuple[str, bytes]]:
    """Names and contents, `NUMBER` of them."""
    rng = random.Random(seed)
    whole = [
        write_video(folder / "clip.mp4", 12, audio="aac"),
        write_video(folder / "fast.mp4", 12, options=FASTSTART),
        write_video(folder / "clip.mkv", 12),
        write_video(folder / "clip.avi", 12, codec="mpeg4"),
        write_video(folder / "still.avi", 6, codec="mjpeg"),
        write_video(folder / "clip.webm", 12, codec="libvpx"),
        write_video(folder / "turned.mov", 12, rotation=90),
    ]
    made = []
    for number in range(NUMBER):
        path, damage = rng.choice(whole), DAMAGES[number % len(DAMAGES)]
        # Every fifth has the name of another kind.
        suffix = rng.choice(whole).suffix if number % 5 == 0 else path.suffix
        data = damage(path.read_bytes(), rng)
        made.append((f"{damage.__name__}-{number}{suffix}", data))
    return made


def test_a_hundred_bad_videos(
    home: Home,
    recognizer: Recognizer,
    everything: Callable[[], set[str]],
    within: Callable[[float], AbstractContextManager[None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    refused, sound = 0, 0
    videos = bad_videos(tmp_path_factory.mktemp("whole"), seed=8)
    desk = VideoDesk(home)
    home.data.mkdir()
    for name, data in videos:
        before, folder = everything(), desk.new_folder()
        source = Path(folder.name) / name
        source.write_bytes(data)
        work = video_work(desk, source, folder, lambda: recognizer, RecognitionSettings(), 0.5)
        with within(SECONDS_EACH):
            try:
                work(lambda *_: None)
            except VideoFormatError as error:
                check_message(str(error), f"{name}: ")
                refused += 1
            else:
                sound += 1
        desk.clear()
        assert everything() == before
    assert refused + sound == NUMBER
    assert min(refused, sound) > NUMBER // 10
