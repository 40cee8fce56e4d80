import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.labels import NAMES
from pipeline.progress import Cancelled
from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample, analyze, clock, summarize
from pipeline.recognition.video.moments import THUMBNAIL_SIDE, MomentFinder
from pipeline.recognition.video.results import COLUMNS, save_thumbnails, to_csv, to_dict
from tests.pipeline.recognition.conftest import BrightnessClassifier
from tests.videos import pan, write_video

ANGRY, HAPPY, SAD, NEUTRAL = 0, 3, 4, 6
IMAGE = np.zeros((120, 160, 3), np.uint8)


@pytest.fixture
def recognizer(classifier: BrightnessClassifier, yunet: YuNetDetector) -> Recognizer:
    classifier.contract.name = "brightness"
    return Recognizer(classifier, yunet)


def said(track: int, label: int, confidence: float, *, x: float = 40.0) -> TrackedPrediction:
    probabilities = np.full(7, (1 - confidence) / 6, np.float32)
    probabilities[label] = confidence
    prediction = Prediction(
        box=Box(x, 30, 40, 40),
        detection_score=0.9,
        landmarks=None,
        probabilities=probabilities,
        unsure_below=0.4,
        quality=(),
        crop=np.zeros((48, 48), np.uint8),
    )
    return TrackedPrediction(track, prediction, prediction)


class TestSampling:
    def test_interval_goes_by_the_clock_of_the_file(
        self, recognizer: Recognizer, tmp_path: Path
    ) -> None:
        times = [0, 100, 499, 900, 1010, 1020, 1600, 2490, 2530]
        path = write_video(tmp_path / "a.mkv", len(times), times=times)
        analysis = analyze(path, recognizer, interval=0.5)
        # The first frame of each half second, and the last of all.
        found = [round(1000 * sample.time) for sample in analysis.samples]
        assert found == [0, 499, 1010, 1600, 2490, 2530]

    def test_every_frame(self, recognizer: Recognizer, tmp_path: Path) -> None:
        analysis = analyze(write_video(tmp_path / "a.mp4", 7), recognizer, interval=0)
        assert len(analysis.samples) == 7

    @pytest.mark.parametrize("interval", [-0.1, 61.0, float("nan")])
    def test_interval_out_of_range(
        self, recognizer: Recognizer, tmp_path: Path, interval: float
    ) -> None:
        with pytest.raises(ConfigError, match="interval"):
            analyze(tmp_path / "a.mp4", recognizer, interval=interval)

    def test_long_intervals_keep_the_person(self, recognizer: Recognizer, tmp_path: Path) -> None:
        times = [2000 * i for i in range(4)]
        path = write_video(tmp_path / "a.mkv", 4, times=times)
        assert len(analyze(path, recognizer, interval=2.0).tracks) == 1


def test_everyone_after_a_cut_is_new_and_begins_with_scores_of_their_own(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    before, elsewhere = pan(10), np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)
    # Another scene with a darker face in the very same place.
    after = [(frame * 0.4).astype(np.uint8) for frame in before]
    for frame in after:
        frame[:, 200:] = elsewhere[:, 200:]
    path = write_video(tmp_path / "a.mkv", [*before, *after], times=[100 * n for n in range(20)])
    analysis = analyze(path, recognizer, interval=0.5)
    assert [[face.track for face in sample.faces] for sample in analysis.samples] == [
        [1], [1], [2], [2], [2],
    ]  # fmt: skip
    (first,) = analysis.samples[2].faces
    np.testing.assert_allclose(first.smoothed.probabilities, first.raw.probabilities, atol=1e-6)


def test_light_that_changes_is_no_cut(recognizer: Recognizer, tmp_path: Path) -> None:
    frames = pan(20)
    frames[10:] = [(frame * 0.6).astype(np.uint8) for frame in frames[10:]]
    analysis = analyze(write_video(tmp_path / "a.mp4", frames), recognizer, interval=0.2)
    assert {face.track for sample in analysis.samples for face in sample.faces} == {1}


def test_face_is_followed_in_the_pixels_of_the_upright_picture(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    frames = [np.ascontiguousarray(np.rot90(frame)) for frame in pan(50)]
    path = write_video(tmp_path / "a.mp4", frames, rotation=-90)
    analysis = analyze(path, recognizer, interval=0.2)
    assert {face.track for sample in analysis.samples for face in sample.faces} == {1}
    places = [sample.faces[0].raw.box.center for sample in analysis.samples]
    # A pixel a frame to the left, at 25 frames a second.
    for (x, y), sample in zip(places, analysis.samples, strict=True):
        assert x == pytest.approx(163 - 25 * sample.time, abs=8)
        assert y == pytest.approx(100, abs=12)
    # What the network saw is not kept.
    assert not any(face.raw.crop.any() for sample in analysis.samples for face in sample.faces)


def test_no_face_is_a_result(recognizer: Recognizer, tmp_path: Path) -> None:
    frames = [np.ascontiguousarray(skimage.data.coffee()[:240, :320])] * 10
    analysis = analyze(write_video(tmp_path / "a.mp4", frames), recognizer)
    assert (analysis.tracks, analysis.moments, analysis.notes) == ((), (), ())
    assert [sample.faces for sample in analysis.samples] == [()] * 2
    assert to_csv(analysis.samples) == ",".join(COLUMNS) + "\n"
    json.dumps(to_dict(analysis), allow_nan=False)


def test_progress_tells_seconds_and_can_cancel(recognizer: Recognizer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 50)
    told: list[tuple[float, float | None]] = []

    def progress(done: float, total: float | None, text: str = "") -> None:
        told.append((done, total))
        if len(told) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        analyze(path, recognizer, progress=progress)
    assert told == [(0.0, 2.0), (0.52, 2.0), (1.0, 2.0)]


class TestSummary:
    def test_a_sample_stands_for_the_time_until_the_next(self) -> None:
        samples = [
            Sample(0.0, (said(1, HAPPY, 0.9),)),
            Sample(1.0, (said(1, ANGRY, 0.9), said(2, SAD, 0.8))),
            Sample(4.0, (said(2, SAD, 0.2),)),
            Sample(6.0, (said(1, HAPPY, 0.7),)),
        ]
        first, second = summarize(samples, end=7.0)
        assert (first.first_seen, first.last_seen, first.seconds) == (0.0, 6.0, 5.0)
        assert first.shares[HAPPY] == pytest.approx(2 / 5)
        assert first.shares[ANGRY] == pytest.approx(3 / 5)
        assert first.unsure == 0
        # Below the threshold nothing is named.
        assert second.shares[SAD] == pytest.approx(3 / 5)
        assert second.unsure == pytest.approx(2 / 5)
        assert sum(second.shares) + second.unsure == pytest.approx(1)
        happy, angry = (said(1, label, 0.9).smoothed.valence for label in (HAPPY, ANGRY))
        last = said(1, HAPPY, 0.7).smoothed.valence
        assert first.valence == pytest.approx((happy + 3 * angry + last) / 5)

    def test_clock(self) -> None:
        assert [clock(seconds) for seconds in (0, 65.9, 3607)] == ["0:00", "1:05", "1:00:07"]


class TestMoments:
    def find(self, *said_at: tuple[float, TrackedPrediction]) -> list[tuple[str, float]]:
        finder = MomentFinder()
        for time, face in said_at:
            finder.update(IMAGE, [face], time)
        return [(moment.emotion.name, moment.time) for moment in finder.finish()]

    def test_peak_of_each_lasting_stretch(self) -> None:
        found = self.find(
            (0.0, said(1, HAPPY, 0.6)),
            (0.5, said(1, HAPPY, 0.9)),
            (1.0, said(1, HAPPY, 0.7)),
            (1.5, said(1, ANGRY, 0.99)),  # too short
            (2.0, said(1, SAD, 0.5)),
            (3.0, said(1, SAD, 0.6)),
        )
        assert found == [("happy", 0.5), ("sad", 3.0)]

    def test_neutral_and_unsure_end_a_stretch_and_are_none(self) -> None:
        found = self.find(
            (0.0, said(1, HAPPY, 0.9)),
            (0.5, said(1, NEUTRAL, 0.9)),
            (2.0, said(1, NEUTRAL, 0.9)),
            (2.5, said(1, HAPPY, 0.9)),
            (3.0, said(1, HAPPY, 0.3)),
            (4.5, said(1, HAPPY, 0.3)),
        )
        assert found == []

    def test_people_do_not_disturb_each_other(self) -> None:
        finder = MomentFinder()
        for time in (0.0, 0.5, 1.0):
            finder.update(IMAGE, [said(1, HAPPY, 0.9), said(2, SAD, 0.5 + time / 4)], time)
        moments = finder.finish()
        assert [(moment.track, moment.time) for moment in moments] == [(1, 0.0), (2, 1.0)]
        assert (moments[1].start, moments[1].end) == (0.0, 1.0)

    def test_who_is_gone_for_good_is_not_kept_open(self) -> None:
        finder = MomentFinder(max_gap=2.0)
        for time in (0.0, 1.5, 3.5):  # back just in time
            finder.update(IMAGE, [said(1, HAPPY, 0.9)], time)
        for number in range(2, 50):
            finder.update(IMAGE, [said(number, SAD, 0.9)], 2.0 + 2 * number)
        assert len(finder._open) == 2
        (moment,) = finder.finish()
        assert (moment.track, moment.start, moment.end) == (1, 0.0, 3.5)

    def test_thumbnail_shows_the_face_at_the_peak(self, tmp_path: Path) -> None:
        finder = MomentFinder()
        for time, shade, confidence in ((0.0, 60, 0.6), (0.5, 200, 0.8), (1.0, 90, 0.7)):
            image = np.full_like(IMAGE, shade)
            finder.update(image, [said(1, HAPPY, confidence, x=140.0)], time)
        moments = finder.finish()
        save_thumbnails(moments, tmp_path)
        with Image.open(tmp_path / "0000000500ms-track-1-happy.jpg") as picture:
            assert picture.size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
            assert np.asarray(picture).mean() == pytest.approx(200, abs=2)


def test_files_hold_what_was_found(recognizer: Recognizer, tmp_path: Path) -> None:
    frames = pan(50)
    frames[25:] = [(frame * 0.3).astype(np.uint8) for frame in frames[25:]]
    analysis = analyze(write_video(tmp_path / "a.mp4", frames), recognizer, interval=0.2)
    rows = list(csv.DictReader(io.StringIO(to_csv(analysis.samples))))
    assert len(rows) == sum(len(sample.faces) for sample in analysis.samples)
    value = json.loads(json.dumps(to_dict(analysis), allow_nan=False))
    faces = [(sample["time_ms"], face) for sample in value["samples"] for face in sample["faces"]]
    for row, (time, face) in zip(rows, faces, strict=True):
        assert int(row["time_ms"]) == time
        assert [int(row[key]) for key in "xywh"] == [face[key] for key in "xywh"]
        assert [float(row[name]) for name in NAMES] == list(face["scores"].values())
        assert [float(row[f"raw_{name}"]) for name in NAMES] == list(face["raw_scores"].values())
        assert row["emotion"] == face["emotion"]
        assert row["quality"].split() == face["quality"]
    # It gets dark after a second: the smoothed score follows the raw one slowly.
    dark = next(row for row in rows if int(row["time_ms"]) >= 1000)
    assert float(dark["raw_happy"]) < float(dark["happy"])
    assert value["interval_ms"] == 200
    assert value["video"]["end_ms"] == 2000
    (track,) = value["tracks"]
    assert (track["first_seen_ms"], track["last_seen_ms"]) == (0, 1960)


@pytest.mark.parametrize(("missed", "persons"), [(2, 1), (3, 2)])
def test_who_is_missed_in_two_samples_stays_the_same_person(
    recognizer: Recognizer, tmp_path: Path, missed: int, persons: int
) -> None:
    (face,) = pan(1)
    frames = [face, *[np.zeros_like(face)] * missed, face]
    path = write_video(tmp_path / "a.mkv", frames, times=[500 * n for n in range(len(frames))])
    analysis = analyze(path, recognizer, interval=0.5)
    assert len(analysis.samples) == len(frames)
    assert len({item.track for sample in analysis.samples for item in sample.faces}) == persons


def test_pictures_of_an_earlier_analysis_go_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "0000000500ms-track-1-happy.jpg").write_bytes(b"old")
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    save_thumbnails([], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jpg"]
