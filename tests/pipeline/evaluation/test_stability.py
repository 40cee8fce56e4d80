from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError, PipelineError
from pipeline.evaluation.stability import (
    JITTER_EVERY,
    JITTERS,
    CropStability,
    Steadiness,
    clip_stability,
    crop_stability,
    jittered,
    runs,
    split_stability,
    steadiness,
)
from pipeline.progress import Cancelled
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import Face, make_detector
from pipeline.recognition.geometry import Box, Framing
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample
from tests.served_models import bar_faces, bar_pictures, make_model
from tests.videos import write_video

MOVES = 10


def said(*scores: float, unsure_below: float = 0.0) -> Prediction:
    """A prediction with the first few probabilities; the last emotion takes the rest."""
    probabilities = np.zeros(7, np.float32)
    probabilities[: len(scores)] = scores
    probabilities[6] += 1 - sum(scores)
    return Prediction(
        box=Box(0, 0, 10, 10),
        detection_score=1.0,
        landmarks=None,
        probabilities=probabilities,
        unsure_below=unsure_below,
        quality=(),
        crop=np.zeros((48, 48), np.uint8),
    )


def sample(time: float, *tracks: int) -> Sample:
    """A frame in which each face is said to be angry as much as its frame is late."""
    faces = [TrackedPrediction(track, said(time / 10), said(0.5)) for track in tracks]
    return Sample(time, tuple(faces))


class TestSteadiness:
    def test_compares_each_with_the_one_before(self) -> None:
        found = steadiness([[said(0.9, 0.1), said(0.6, 0.4), said(0.4, 0.6)], [said(1.0)]])
        assert found.pairs == 2
        assert found.changed == found.shown_changed == 0.5
        assert found.distance == pytest.approx((0.3 + 0.2) / 2)

    def test_stretches_are_not_compared_with_each_other(self) -> None:
        apart = steadiness([[said(1.0), said(1.0)], [said(0.0, 1.0), said(0.0, 1.0)]])
        assert apart == Steadiness(2, 0.0, 0.0, 0.0)

    def test_becoming_unsure_changes_what_is_shown(self) -> None:
        unsure = [said(score, unsure_below=0.7) for score in (0.8, 0.6, 0.65)]
        found = steadiness([unsure])
        assert (found.changed, found.shown_changed) == (0.0, 0.5)
        # Another label of an unsure face changes nothing that anybody sees.
        between = [said(0.55, 0.45, unsure_below=0.7), said(0.45, 0.55, unsure_below=0.7)]
        found = steadiness([between])
        assert (found.changed, found.shown_changed) == (1.0, 0.0)

    def test_single_frames_have_no_pair(self) -> None:
        nothing = Steadiness(0, None, None, None)
        assert steadiness([]) == steadiness([[said(1.0)], [said(1.0)]]) == nothing


class TestRuns:
    def test_are_of_one_face_without_gaps(self) -> None:
        frames = [sample(0, 1, 2), sample(1, 1), sample(2, 1, 2), sample(3), sample(4, 1, 2)]
        times = [[round(10 * item.probabilities[0]) for item in run] for run in runs(frames)]
        assert times == [[0, 1, 2], [0], [2], [4], [4]]

    def test_of_what_was_averaged(self) -> None:
        (run,) = runs([sample(0, 1), sample(1, 1)], smoothed=True)
        assert [item.probabilities[0] for item in run] == [0.5, 0.5]


class TestCrops:
    def test_are_moved_by_shares_of_what_is_cut_out(self, classifier: EmotionClassifier) -> None:
        taken = []

        class Spy(Recognizer):
            def predict(self, image, faces):
                taken.extend(face.box for face in faces)
                return super().predict(image, faces)

        detector = make_detector("none")
        detector.framing = Framing(scale=2.0)
        face = Face(Box(100.0, 100.0, 50.0, 50.0), 1.0)
        image = np.zeros((300, 300, 3), np.uint8)
        answers = jittered(image, [face], Spy(classifier, detector))
        assert answers.shape == (1, 1 + MOVES, 7)
        assert taken[0] == face.box
        centers = np.array([box.center for box in taken]) - 125
        # The square that is cut out has a side of 100 pixels, not the box's 50.
        expected = [(2, 0), (-2, 0), (0, 2), (0, -2), (4, 0), (-4, 0), (0, 4), (0, -4)]
        assert centers[1:9] == pytest.approx(np.array(expected))
        assert centers[[0, 9, 10]] == pytest.approx(0)
        assert [box.w for box in taken[8:]] == pytest.approx([50, 47.5, 52.5])

    def test_what_is_moved_is_held_against_what_was_found(self) -> None:
        answers = np.tile(said(0.8, 0.2).probabilities, (2, 1 + MOVES, 1))
        answers[0, 1:3] = said(0.3, 0.7).probabilities  # half of the small shifts of one face
        answers[:, -1] = said(0.6, 0.4).probabilities
        found = crop_stability(answers)
        assert found.num_faces == 2
        assert list(found.jitters) == list(JITTERS)
        changed = {name: score.changed for name, score in found.jitters.items()}
        assert changed == {"shift_2": 0.25, "shift_4": 0, "smaller_5": 0, "larger_5": 0}
        assert found.jitters["shift_2"].distance == pytest.approx(0.5 / 4)
        assert found.jitters["larger_5"].distance == pytest.approx(0.2)

    def test_no_face_is_no_figure(self) -> None:
        assert crop_stability(np.empty((0, 1 + MOVES, 7), np.float32)) == CropStability(0, {})

    def test_answers_of_another_shape_are_an_error(self) -> None:
        with pytest.raises(PipelineError, match=r"shape \(n, 11, 7\), got \(2, 7\)"):
            crop_stability(np.zeros((2, 7), np.float32))


class TestSplit:
    def test_of_bars_that_move_down(self, classifier: EmotionClassifier, bars: Dataset) -> None:
        # The bar of each class is six rows high: what moves by one or two keeps its label.
        found = split_stability(classifier, bars, Split.TEST)
        assert found.num_faces == 70
        assert {score.changed for score in found.jitters.values()} == {0.0}
        near, far = found.jitters["shift_2"].distance, found.jitters["shift_4"].distance
        assert 0.01 < near < far < 0.5

    def test_faces_as_found_are_the_images_themselves(
        self, classifier: EmotionClassifier, bars: Dataset
    ) -> None:
        recognizer = Recognizer(classifier, make_detector("none"))
        image = np.repeat(bars.images[0][..., None], 3, axis=2)
        answers = jittered(image, recognizer.detector.detect(image), recognizer)
        expected = classifier.scores(bars.images[:1]).probabilities
        np.testing.assert_allclose(answers[:, 0], expected, atol=1e-6)

    def test_labels_change_where_a_bar_lies_between_two_places(self, tmp_path: Path) -> None:
        classifier = EmotionClassifier.load(make_model(tmp_path / "model"))
        recognizer = Recognizer(classifier, make_detector("none"))
        face = bar_faces(np.array([2]))[0] % 60
        face[14:19] += 150  # four rows of the third place, one of the fourth
        image = np.repeat(face[..., None], 3, axis=2)
        answers = jittered(image, recognizer.detector.detect(image), recognizer)
        # Moved up by two rows, the crop has three of them in the fourth place.
        changed = {name: score.changed for name, score in crop_stability(answers).jitters.items()}
        assert changed == {"shift_2": 0, "shift_4": 0.25, "smaller_5": 0, "larger_5": 0}
        assert answers[0].argmax(axis=1).tolist() == [2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 2]

    def test_subset_and_empty_split(self, classifier: EmotionClassifier, bars: Dataset) -> None:
        assert split_stability(classifier, bars, Split.TEST, num_images=7).num_faces == 7
        empty = replace(bars, split_codes=np.zeros(280, np.uint8))
        with pytest.raises(DatasetError, match="no image in its test split"):
            split_stability(classifier, empty, Split.TEST)


class TestClip:
    def test_still_picture_is_steady(self, classifier: EmotionClassifier, tmp_path: Path) -> None:
        picture = np.zeros((96, 96, 3), np.uint8)
        picture[48:60] = 255
        path = write_video(tmp_path / "still.mkv", [picture] * 12)
        found = clip_stability(path, Recognizer(classifier, make_detector("none")))
        assert (found.file, found.model) == ("still.mkv", "bars")
        assert (found.num_frames, found.num_tracks) == (12, 1)
        assert (found.raw.pairs, found.raw.changed, found.smoothed.changed) == (11, 0.0, 0.0)
        assert found.raw.distance == pytest.approx(0, abs=0.01)
        assert found.crops.num_faces == len(range(0, 12, JITTER_EVERY))

    def test_flicker_is_seen_and_smoothing_hides_it(
        self, classifier: EmotionClassifier, tmp_path: Path
    ) -> None:
        first, second = bar_pictures()
        path = write_video(tmp_path / "flicker.mkv", [first, first, first, second] * 5)
        found = clip_stability(path, Recognizer(classifier, make_detector("none")))
        assert found.raw.changed == pytest.approx(9 / 19)
        assert found.smoothed.changed == 0
        assert found.raw.distance is not None
        assert found.smoothed.distance is not None
        assert found.raw.distance > 3 * found.smoothed.distance
        assert found.to_dict()["raw"]["pairs"] == 19

    def test_face_is_followed_as_in_the_dashboard(
        self, classifier: EmotionClassifier, tmp_path: Path
    ) -> None:
        path = write_video(tmp_path / "pan.mp4", 8)
        found = clip_stability(path, Recognizer(classifier, make_detector()))
        assert (found.num_tracks, found.raw.pairs, found.crops.num_faces) == (1, 7, 2)

    def test_can_be_stopped(self, classifier: EmotionClassifier, tmp_path: Path) -> None:
        def refuse(done: float, total: float | None, text: str = "") -> None:
            if text == "moving the crops":
                raise Cancelled

        path = write_video(tmp_path / "pan.mp4", 2)
        with pytest.raises(Cancelled):
            clip_stability(path, Recognizer(classifier, make_detector("none")), progress=refuse)
