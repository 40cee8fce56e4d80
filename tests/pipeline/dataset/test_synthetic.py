"""The drawn faces show what they are said to, and are never taken for photographs."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from pipeline.dataset import DatasetStore, Split
from pipeline.dataset.quality import inspect
from pipeline.dataset.synthetic import build_demo, draw_face, open_or_demo
from pipeline.dataset.synthetic.anatomy import EXPRESSIONS, ActionUnits, Identity
from pipeline.dataset.synthetic.canvas import Canvas, Pose, curve, ellipse
from pipeline.dataset.synthetic.face import compose
from pipeline.errors import DatasetError
from pipeline.labels import NAMES
from pipeline.progress import Cancelled


def portrait(units: ActionUnits, pose: Pose | None = None) -> np.ndarray:
    """The same person before the same wall, whatever the expression."""
    rng = np.random.default_rng(5)
    return compose(Identity.random(rng), units, pose or Pose(), rng).astype(float)


def test_every_emotion_can_be_drawn_and_nothing_else() -> None:
    assert set(EXPRESSIONS) == set(NAMES)
    for name in NAMES:
        face = draw_face(name, np.random.default_rng(0))
        assert face.shape == (48, 48)
        assert face.dtype == np.uint8
        assert face.std() > 15
    with pytest.raises(DatasetError, match=r"unknown expression 'bored'.*happy"):
        draw_face("bored", np.random.default_rng(0))


def test_muscles_alone_tell_the_expressions_apart() -> None:
    prototypes = [(name, portrait(units)) for name in NAMES for units in EXPRESSIONS[name]]
    rng = np.random.default_rng(0)
    for name in NAMES:
        for units in EXPRESSIONS[name]:
            shown = portrait(units.varied(rng))
            nearest = min(prototypes, key=lambda item: np.abs(item[1] - shown).sum())
            assert nearest[0] == name


@pytest.mark.parametrize(
    ("unit", "rows"),
    [
        ("inner_brow_raiser", slice(0, 105)),
        ("outer_brow_raiser", slice(0, 90)),
        ("brow_lowerer", slice(0, 90)),
        ("upper_lid_raiser", slice(60, 110)),
        ("cheek_raiser", slice(60, 130)),
        ("lid_tightener", slice(60, 110)),
        ("nose_wrinkler", slice(40, 170)),
        ("lip_corner_puller", slice(105, 192)),
        ("lip_corner_depressor", slice(105, 192)),
        ("lower_lip_depressor", slice(105, 192)),
        ("lip_stretcher", slice(105, 192)),
        ("lip_tightener", slice(105, 192)),
        ("lips_part", slice(105, 192)),
        ("jaw_drop", slice(105, 192)),
    ],
)
def test_each_muscle_moves_its_own_part_of_the_face(unit: str, rows: slice) -> None:
    change = np.abs(portrait(ActionUnits(**{unit: 1.0})) - portrait(ActionUnits()))
    assert change[rows].sum() > 10_000
    elsewhere = change.copy()
    elsewhere[rows] = 0
    assert elsewhere.sum() < 0.02 * change.sum()


def test_a_turn_moves_the_nose_more_than_the_ears() -> None:
    def middle_of_mark(x: float, depth: float, yaw: float) -> float:
        canvas = Canvas(192, Pose(yaw=yaw), tone=0)
        canvas.fill(ellipse(x, 0, 0.05, 0.05), 255, depth=depth)
        return float(np.nonzero(canvas.pixels)[1].mean())

    def moved(x: float, depth: float) -> float:
        return abs(middle_of_mark(x, depth, 0.3) - middle_of_mark(x, depth, 0.0))

    assert moved(0.0, 1.0) > 10
    assert moved(0.8, 0.0) < 5


def test_clipping_keeps_the_drawing_inside() -> None:
    canvas = Canvas(96, Pose(), tone=0)
    with canvas.clipped(ellipse(0, 0, 0.3, 0.3)):
        canvas.fill(ellipse(0, 0, 2, 2), 200)
    assert canvas.pixels[47, 48] == 200
    assert (canvas.pixels == 200).mean() < 0.1


def test_a_curve_starts_and_ends_at_its_knots() -> None:
    line = curve((0, 0), (1, 2), (2, 0))
    np.testing.assert_allclose(line[[0, -1]], [[0, 0], [2, 0]], atol=1e-12)
    # Half way a quadratic curve is half as high as its control point.
    assert line[:, 1].max() == pytest.approx(1.0, abs=0.02)


def test_the_demo_is_labelled_synthetic(store: DatasetStore) -> None:
    dataset = build_demo(store, num_images=70)
    assert dataset.name == "demo"
    assert dataset.meta.synthetic
    assert "synthetic" in dataset.meta.title.lower()
    assert dataset.meta.kind == "synthetic"
    assert dataset.images.shape == (70, 48, 48)
    assert dataset.origin(3) == "drawn face 3 of seed 0"


def test_the_same_seed_draws_the_same_faces(store: DatasetStore) -> None:
    prints = {
        name: build_demo(store, name, num_images=35, seed=seed).meta.fingerprint
        for name, seed in (("one", 7), ("two", 7), ("three", 8))
    }
    assert prints["one"] == prints["two"] != prints["three"]


@pytest.mark.parametrize("num_images", [21, 100, 140])
def test_each_split_has_its_share_of_every_class(store: DatasetStore, num_images: int) -> None:
    counts = build_demo(store, num_images=num_images).meta.counts
    assert sum(map(sum, counts.values())) == num_images
    held_out = max(1, round(num_images / 70))
    assert counts["validation"] == counts["test"] == [held_out] * 7
    assert max(counts["train"]) - min(counts["train"]) <= 1


def test_too_few_images_or_a_change_of_mind_leave_the_old_demo(store: DatasetStore) -> None:
    before = build_demo(store, num_images=21).meta
    with pytest.raises(DatasetError, match="21 images or more, got 20"):
        build_demo(store, num_images=20)

    def refuse(done: float, total: float | None, text: str = "") -> None:
        if done:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        build_demo(store, num_images=140, progress=refuse)
    assert store.open("demo").meta == before


def test_the_demo_has_no_copies_and_hardly_a_fault(store: DatasetStore) -> None:
    report = inspect(build_demo(store, num_images=280))
    assert report.exact.groups == report.near.groups == []
    assert len(np.unique(np.concatenate([*report.faults.values()]))) <= 0.05 * 280


def test_a_dataset_that_was_imported_comes_before_the_demo(store: DatasetStore) -> None:
    demo = build_demo(store, num_images=21)
    # Not drawn anew: that would have the usual number of images.
    assert open_or_demo(store).meta == demo.meta
    real = build_demo(store, "fer2013", num_images=28)
    assert open_or_demo(store).meta == real.meta
    assert open_or_demo(store, "elsewhere").name == "demo"


def test_the_demo_is_drawn_where_there_is_no_dataset(store: DatasetStore) -> None:
    dataset = open_or_demo(store)
    assert dataset.meta.synthetic
    assert store.names() == [dataset.name] == ["demo"]


@pytest.mark.slow
def test_pixels_alone_do_not_give_the_expressions_away(store: DatasetStore) -> None:
    """A linear classifier learns something, but far from what a network learns."""
    dataset = build_demo(store)
    pixels = dataset.images.reshape(len(dataset), -1) / 255.0
    train, test = dataset.indices(Split.TRAIN), dataset.indices(Split.TEST)
    model = RidgeClassifier(alpha=1000).fit(pixels[train], dataset.labels[train])
    accuracy = model.score(pixels[test], dataset.labels[test])
    assert 0.35 < accuracy < 0.8
