import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.recognition import RecognitionSettings
from app.video.charts import MOST_POINTS, seconds_at, time_shares, time_shares_text, timeline
from app.video.desk import VideoDesk, series, video_work
from pipeline.errors import VideoFormatError
from pipeline.home import Home
from pipeline.labels import EMOTIONS
from pipeline.progress import Cancelled, no_progress
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video.analysis import TrackSummary
from tests.served_models import make_model
from tests.videos import pan, write_video


@pytest.fixture
def recognizer(tmp_path: Path) -> Callable[[], Recognizer]:
    folder = make_model(tmp_path / "served" / "bars")
    return lambda: Recognizer(EmotionClassifier.load(folder), make_detector())


@pytest.fixture
def desk(tmp_path: Path) -> VideoDesk:
    return VideoDesk(Home(tmp_path / "home"))


def folders(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "home" / "data").glob(".video-*"))


class TestDesk:
    def test_upload_goes_and_the_copy_stays_until_removed(
        self, desk: VideoDesk, recognizer: Callable[[], Recognizer], tmp_path: Path
    ) -> None:
        folder = desk.new_folder()
        source = write_video(Path(folder.name) / "clip.mp4", 30)
        work = video_work(desk, source, folder, recognizer, RecognitionSettings(), 0.5)
        assert work(no_progress).startswith("4 samples, 1 person.")
        result = desk.result
        assert result is not None
        assert result.copy is not None
        assert [path.name for path in Path(folder.name).iterdir()] == [result.copy.name]
        desk.clear()
        assert desk.result is None
        assert folders(tmp_path) == []

    def test_next_result_takes_the_place_of_the_one_before(
        self, desk: VideoDesk, recognizer: Callable[[], Recognizer], tmp_path: Path
    ) -> None:
        source = write_video(tmp_path / "clip.mp4", 5)
        for _ in range(2):
            work = video_work(
                desk, source, desk.new_folder(), recognizer, RecognitionSettings(), 0.5
            )
            work(no_progress)
        assert desk.result is not None
        assert desk.result.id == 2
        assert folders(tmp_path) == [desk.result.folder]
        # A file that was not uploaded is the user's own.
        assert source.is_file()

    def test_nothing_stays_of_what_failed(
        self, desk: VideoDesk, recognizer: Callable[[], Recognizer], tmp_path: Path
    ) -> None:
        folder = desk.new_folder()
        source = Path(folder.name) / "clip.mp4"
        source.write_text("no video")
        work = video_work(desk, source, folder, recognizer, RecognitionSettings(), 0.5)
        with pytest.raises(VideoFormatError):
            work(no_progress)
        assert folders(tmp_path) == []

    def test_cancelling_keeps_the_result_before(
        self, desk: VideoDesk, recognizer: Callable[[], Recognizer], tmp_path: Path
    ) -> None:
        source = write_video(tmp_path / "clip.mp4", 5)
        settings = RecognitionSettings()
        video_work(desk, source, desk.new_folder(), recognizer, settings, 0.5)(no_progress)

        def cancel(done: float, total: float | None, text: str = "") -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            video_work(desk, source, desk.new_folder(), recognizer, settings, 0.5)(cancel)
        assert desk.result is not None
        assert folders(tmp_path) == [desk.result.folder]

    def test_left_over_folders_of_dead_servers_are_removed(self, tmp_path: Path) -> None:
        data = tmp_path / "home" / "data"
        living = os.getppid()
        for owner in (2**22 + 1, os.getpid(), living):
            (data / f".video-{owner}-abc").mkdir(parents=True)
        VideoDesk(Home(tmp_path / "home"))
        assert [path.name for path in folders(tmp_path)] == [f".video-{living}-abc"]


def test_series_of_a_person_who_leaves_for_a_while(
    desk: VideoDesk, recognizer: Callable[[], Recognizer], tmp_path: Path
) -> None:
    frames = pan(1) * 40
    frames[10:25] = [np.zeros_like(frames[0])] * 15
    source = write_video(tmp_path / "clip.mp4", frames)
    work = video_work(desk, source, desk.new_folder(), recognizer, RecognitionSettings(), 0.2)
    work(no_progress)
    found = series(desk.result.analysis, 1)
    assert found.times == pytest.approx([0, 0.2, 1.0, 1.2, 1.4, 1.56], abs=0.01)
    assert found.gaps == (2,)
    assert found.raw.shape == found.smoothed.shape == (6, 7)
    assert found.smoothed.sum(axis=1) == pytest.approx(1, abs=1e-5)


class TestCharts:
    def test_lines_are_broken_where_nobody_was_seen(self) -> None:
        times, scores = np.array([0.0, 1.0, 5.0, 6.0]), np.full((4, 7), 1 / 7, np.float32)
        figure = timeline(times, scores, np.zeros(4), (2,), end=7)
        assert [trace.name for trace in figure.data[:7]] == [item.title for item in EMOTIONS]
        assert np.isnan(figure.data[0].y).tolist() == [False, False, True, True, False, False]
        moments = figure.data[0].x.astype("datetime64[ms]").astype(int).tolist()
        assert moments == [0, 1000, 1001, 4999, 5000, 6000]

    def test_stack_falls_to_nothing_in_a_gap(self) -> None:
        times, scores = np.array([0.0, 1.0, 5.0, 6.0]), np.full((4, 7), 1 / 7, np.float32)
        figure = timeline(times, scores, np.zeros(4), (2,), end=7, stacked=True)
        total = np.sum([trace.y for trace in figure.data[:7]], axis=0)
        assert total == pytest.approx([100, 100, 0, 0, 100, 100], abs=1e-3)

    def test_long_videos_are_thinned_out(self) -> None:
        number = 10 * MOST_POINTS
        figure = timeline(
            np.arange(number) / 25,
            np.full((number, 7), 1 / 7),
            np.zeros(number),
            (5000, 5001),
            end=number / 25,
        )
        points = figure.data[0].x
        assert MOST_POINTS <= len(points) <= MOST_POINTS + 4
        assert (np.diff(points.astype("datetime64[ms]")).astype(int) > 0).all()
        assert np.isnan(figure.data[0].y).sum() in (2, 4)

    @pytest.mark.parametrize(
        ("moment", "seconds"),
        [
            ("1970-01-01", 0),
            ("1970-01-01 00:00:00.04", 0.04),
            ("1970-01-01 00:00:12.5", 12.5),
            ("1970-01-01 00:01", 60),
            ("1970-01-01 01:00", 3600),
            ("1970-01-02", 86_400),
            ("1970-01-02 01:00", 90_000),
        ],
    )
    def test_plotly_leaves_out_what_is_zero_at_a_moments_end(
        self, moment: str, seconds: float
    ) -> None:
        assert seconds_at(moment) == seconds

    def test_shares_of_time(self) -> None:
        tracks = [
            TrackSummary(1, 0, 9, 9, (0.25, 0, 0, 0.5, 0, 0, 0), 0.25, 0.1),
            TrackSummary(3, 0, 9, 9, (0, 0, 0, 1, 0, 0, 0), 0.0, 0.8),
        ]
        figure = time_shares(tracks)
        bars = {trace.name: list(trace.x) for trace in figure.data}
        assert bars == {"Angry": [25, 0], "Happy": [50, 100], "Unsure": [25, 0]}
        text = "Person 1: Angry 25 %, Happy 50 %, Unsure 25 %. Person 3: Happy 100 %"
        assert time_shares_text(tracks) == text
