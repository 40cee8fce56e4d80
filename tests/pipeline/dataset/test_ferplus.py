import numpy as np
import pytest

from pipeline.dataset import ferplus
from pipeline.errors import DatasetError, DatasetNotFoundError
from pipeline.labels import NAMES

HEADER = ",".join(["Usage", "Image name", *ferplus.COLUMNS])


def table(samples, votes):
    """The text of a file with these votes, in the order of the samples."""
    rows = [
        f"{samples.usage(index)},fer{index:07}.png,{','.join(map(str, row))}"
        for index, row in enumerate(votes)
    ]
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.fixture
def votes(samples):
    return np.random.default_rng(5).integers(0, 11, (len(samples), 10), dtype=np.uint8)


@pytest.fixture
def file(samples, votes, tmp_path):
    path = tmp_path / "fer2013new.csv"
    path.write_text(table(samples, votes))
    return path


def test_votes_are_attached_in_order(store, imported, file, votes) -> None:
    dataset = ferplus.attach(store, "fer2013", file)
    np.testing.assert_array_equal(dataset.votes, votes)
    assert dataset.votes.dtype == np.uint8
    assert dataset.meta.votes_source == str(file)
    assert dataset.meta.fingerprint == imported.meta.fingerprint


def test_unknown_dataset_is_told(store, file) -> None:
    with pytest.raises(DatasetNotFoundError):
        ferplus.attach(store, "fer2013", file)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text[: text.index("\n")], "no votes"),
        (lambda text: "", "row 1: expected the columns of FER., Usage.* got an empty file"),
        (lambda text: text.replace("NF", "nf", 1), "row 1: expected the columns of FER.,"),
        (lambda text: text.replace("Training", "Train", 1), "row 2: unknown Usage 'Train'"),
        (lambda text: text.replace(".png,", ".png,11,", 1), "row 2: expected 12 columns, got 13"),
        (lambda text: text + "PrivateTest,x,11" + ",0" * 9, "row 72: expected votes .* got '11'"),
        (lambda text: text + "PrivateTest,x,-1" + ",0" * 9, "row 72: expected votes .* got '-1'"),
        (lambda text: text + "PrivateTest,x," + ",0" * 9, "row 72: expected votes .* got ''"),
        (lambda text: text[: text.rindex("\nPriv")], "expected votes for 70 images, got 69 rows"),
        (
            lambda text: text.replace("PublicTest", "Training", 1),
            "row 51: Usage is Training, but image 49 of the dataset is PublicTest",
        ),
    ],
)
def test_wrong_file_is_named_with_row_and_reason(store, imported, file, edit, message) -> None:
    file.write_text(edit(file.read_text()))
    with pytest.raises(DatasetError, match=rf"^fer2013new\.csv(, |: ){message}"):
        ferplus.attach(store, "fer2013", file)
    assert store.open("fer2013").votes is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_file_that_cannot_be_read_is_told(imported, file, content) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read as FER"):
        ferplus.read_votes(file, imported)


def ballot(**counts):
    return [counts.get(column, 0) for column in ferplus.COLUMNS]


def test_distribution_is_in_our_order_and_drops_the_other_three() -> None:
    votes = np.array(
        [
            ballot(anger=1, disgust=2, fear=3, happiness=4),
            ballot(sadness=1, surprise=2, neutral=1, contempt=6),
            ballot(contempt=5, unknown=3, NF=2),
        ],
        np.uint8,
    )
    shares, mask = ferplus.distribution(votes)
    assert NAMES == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    np.testing.assert_allclose(
        shares,
        [[0.1, 0.2, 0.3, 0.4, 0, 0, 0], [0, 0, 0, 0, 0.25, 0.5, 0.25], [0] * 7],
        rtol=1e-6,
    )
    assert shares.dtype == np.float32
    np.testing.assert_array_equal(mask, [True, True, False])


def test_majority_needs_more_than_half_of_all_votes() -> None:
    votes = np.array(
        [
            ballot(fear=6, neutral=4),
            ballot(fear=5, neutral=5),
            ballot(happiness=4, contempt=6),
            ballot(sadness=5, NF=4),  # one row of the published file has nine votes
        ],
        np.uint8,
    )
    labels, mask = ferplus.majority(votes)
    np.testing.assert_array_equal(mask, [True, False, False, True])
    np.testing.assert_array_equal(labels[mask], [NAMES.index("fear"), NAMES.index("sad")])


def test_not_a_face_needs_more_than_half_of_all_votes() -> None:
    votes = np.array([ballot(NF=6, anger=4), ballot(NF=5, anger=5), ballot(NF=10)], np.uint8)
    np.testing.assert_array_equal(ferplus.not_a_face(votes), [True, False, True])


def test_no_votes_at_all_count_for_nothing() -> None:
    votes = np.zeros((1, 10), np.uint8)
    assert not ferplus.distribution(votes)[1][0]
    assert not ferplus.majority(votes)[1][0]
    assert not ferplus.not_a_face(votes)[0]


@pytest.mark.real_data
class TestRealData:
    def test_votes_fit_row_by_row(self, real_store, real_votes) -> None:
        dataset = real_store.open("fer2013")
        votes = ferplus.read_votes(real_votes, dataset)
        assert votes.shape == (35_887, 10)
        # Nearly all rows have ten votes.
        assert (votes.sum(axis=1) == 10).sum() == 35_886
        labels, mask = ferplus.majority(votes)
        # FER+ corrects about a third of the labels; in a wrong order a fifth would agree.
        agreement = (labels == dataset.labels)[mask].mean()
        assert 0.6 < agreement < 0.9

    def test_not_a_face(self, real_votes) -> None:
        votes = ferplus.read_table(real_votes).votes
        outvoted = votes[ferplus.not_a_face(votes)]
        assert len(outvoted) == 176
        assert (outvoted[:, ferplus.COLUMNS.index("NF")] == ferplus.MAX_VOTES).all()
