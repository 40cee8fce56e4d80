"""The hash is stable under what leaves a picture the same; the search misses nothing."""

import cv2
import numpy as np
import pytest

from pipeline.dataset import perceptual_hash
from pipeline.dataset.perceptual_hash import HASH_BITS, close_pairs, window_hashes
from pipeline.dataset.synthetic import draw_face


def distance(one: np.ndarray, other: np.ndarray) -> int:
    """Bits between the middle windows."""
    middle = window_hashes(np.stack([one, other]))[1, 1]
    return int(np.bitwise_count(middle[0] ^ middle[1]))


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return draw_face("surprise", np.random.default_rng(0))


def test_gain_and_offset_leave_the_hash_alone(face: np.ndarray) -> None:
    assert distance(face, (face * 0.5 + 40).astype(np.uint8)) <= 2


def test_noise_and_blur_change_few_bits_and_another_picture_many(face: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 8, face.shape)
    noisy = np.clip(face + noise, 0, 255).astype(np.uint8)
    assert distance(face, noisy) <= 6
    assert distance(face, cv2.GaussianBlur(face, (5, 5), 1.0)) <= 6
    assert distance(face, face[:, ::-1]) > 16
    assert distance(face, draw_face("sad", np.random.default_rng(2))) > 12


def test_windows_lie_from_top_to_bottom_and_left_to_right() -> None:
    image = np.random.default_rng(0).integers(0, 256, (52, 52), np.uint8)
    views = [image[2:50, 2:50], image[0:48, 4:52]]  # the second from further up and right
    hashes = window_hashes(np.stack(views))
    assert hashes[1, 1, 0] == hashes[2, 0, 1]
    assert len(set(hashes.ravel().tolist())) > 9


def test_images_need_not_be_square() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 64), np.uint8)
    assert len(set(window_hashes(images)[1, 1].tolist())) == 3


def clustered_hashes(count: int = 300) -> np.ndarray:
    """Hashes of nine windows, of which many lie close together, in every band."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 40, np.uint64)[rng.integers(0, 40, 9 * count)]
    for index in range(len(hashes)):
        for bit in rng.integers(0, HASH_BITS, rng.integers(0, 9)):
            hashes[index] ^= np.uint64(1) << np.uint64(bit)
    return hashes.reshape(3, 3, count)


def distances(hashes: np.ndarray) -> np.ndarray:
    """Bits between each two images, all windows up to the middle one compared in full."""
    windows, middle = hashes.reshape(9, -1)[:5], hashes[1, 1]
    one_way = np.bitwise_count(windows[:, :, None] ^ middle).min(axis=0)
    return np.minimum(one_way, one_way.T).astype(int)


@pytest.mark.parametrize("max_distance", range(12))
def test_the_search_finds_what_comparing_all_with_all_finds(max_distance: int) -> None:
    hashes = clustered_hashes()
    pairs = close_pairs(hashes, max_distance)
    expected = np.argwhere(np.triu(distances(hashes) <= max_distance, k=1))
    assert len(expected) > 50
    assert sorted(pairs.tolist()) == expected.tolist()


def test_the_closest_pairs_come_first() -> None:
    hashes = clustered_hashes()
    pairs = close_pairs(hashes, 10)
    apart = distances(hashes)[pairs[:, 0], pairs[:, 1]]
    assert np.all(np.diff(apart) >= 0)
    assert apart[0] < apart[-1]


def test_small_portions_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = clustered_hashes(100)
    expected = close_pairs(hashes, 8)
    monkeypatch.setattr(perceptual_hash, "_CANDIDATES_AT_ONCE", 7)
    np.testing.assert_array_equal(close_pairs(hashes, 8), expected)


def test_no_images_have_no_pairs() -> None:
    assert close_pairs(window_hashes(np.empty((0, 48, 48), np.uint8)), 8).shape == (0, 2)
