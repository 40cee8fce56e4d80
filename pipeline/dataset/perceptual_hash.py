"""A perceptual hash that bears a small shift, and a fast search for near agreement."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from pipeline.progress import Progress, no_progress

HASH_BITS = 64
NUM_OFFSETS = 3

_SIDE = 8  # the hash keeps 8 by 8 cosine coefficients
_NUM_BANDS = 4
_BAND_BITS = HASH_BITS // _NUM_BANDS
# Windows are moved by this share of the side: 2 of 48 pixels.
_STEP_SHARE = 1 / 24
_IMAGES_AT_ONCE = 1024
_CANDIDATES_AT_ONCE = 2_000_000

Hashes = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.intp]


def window_hashes(images: npt.NDArray[np.uint8]) -> Hashes:
    """Hashes nine windows of each image so that similar ones differ in few bits.

    A window is the image less 4 of 48 pixels; it is taken at three heights, in
    each at three places. Its hash is the DCT hash of Zauner (2010,
    "Implementation and Benchmarking of Perceptual Image Hash Functions"): which
    of the 8 × 8 lowest cosine coefficients, the constant row and column
    excepted, lie above the middle one. Gain and offset of the grey values do
    not change it, mild noise and blur hardly.

    Args:
        images: `uint8`, shape `(n, height, width)`, 12 pixels a side or more.

    Returns:
        Shape `(3, 3, n)`: window from top to bottom, from left to right, image.
        The hashes of an image without contrast mean nothing.
    """
    rows, columns = (_waves(side) for side in images.shape[1:])
    hashes = np.empty((NUM_OFFSETS, NUM_OFFSETS, len(images)), np.uint64)
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        batch = images[start : start + _IMAGES_AT_ONCE].astype(np.float32)
        grid = rows @ batch @ columns.T
        grid = grid.reshape(len(batch), NUM_OFFSETS, _SIDE, NUM_OFFSETS, _SIDE)
        grid = grid.transpose(1, 3, 0, 2, 4).reshape(*hashes.shape[:2], len(batch), HASH_BITS)
        middle = np.partition(grid, HASH_BITS // 2, axis=-1)[..., HASH_BITS // 2, None]
        bits = np.packbits(grid >= middle, axis=-1)
        hashes[:, :, start : start + len(batch)] = bits.view(np.uint64)[..., 0]
    return hashes


def close_pairs(hashes: Hashes, max_distance: int, *, progress: Progress = no_progress) -> Pairs:
    """Finds the pairs of images of which some window nearly agrees with the middle one.

    Multi-index hashing (Norouzi, Punjani and Fleet 2012, arXiv:1307.2982): where
    two hashes of four bands differ in few bits, some band differs in very few,
    so it is enough to look into the buckets around each band. It finds what
    comparing all with all would, with a thousandth of the work.

    Args:
        hashes: As `window_hashes` gives them.
        max_distance: In bits. The search is fast up to about 12.
        progress: Told how many of its rounds are done.

    Returns:
        Shape `(p, 2)`, the closest pairs first; in a pair the lower index first.
    """
    num_images = hashes.shape[-1]
    middle = hashes[NUM_OFFSETS // 2, NUM_OFFSETS // 2]
    found = [np.empty((2, 0), np.intp)]
    # The windows after the middle one tell of the same shifts, the other way round.
    windows = hashes.reshape(NUM_OFFSETS**2, num_images)[: NUM_OFFSETS**2 // 2 + 1]
    rounds = [*product(windows, range(_NUM_BANDS))]
    for number, (window, band) in enumerate(rounds):
        progress(number, len(rounds), "searching near copies")
        for one, other in _agreeing(window, middle, band, max_distance):
            distance = np.bitwise_count(window[one] ^ middle[other])
            key = np.minimum(one, other) * num_images + np.maximum(one, other)
            found.append(np.stack([key, distance.astype(np.intp)])[:, one != other])
    keys, distances = np.concatenate(found, axis=1)
    order = np.lexsort((keys, distances))
    # Of each pair the closest windows count, which now come first.
    firsts = np.sort(np.unique(keys[order], return_index=True)[1])
    return np.stack(np.divmod(keys[order][firsts], max(num_images, 1)), axis=1)


def _agreeing(
    queries: Hashes, references: Hashes, band: int, max_distance: int
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Gives, in portions, the close pairs of query and reference that one band shows."""
    # With a distance of 4a + b, one of the first b + 1 bands differs in at most a
    # bits, or else one of the others in at most a - 1: more would not add up.
    radius = max_distance // _NUM_BANDS - (band > max_distance % _NUM_BANDS)
    values = _band(references, band)
    order = np.argsort(values, kind="stable")
    sizes = np.bincount(values, minlength=1 << _BAND_BITS)
    starts = np.cumsum(sizes) - sizes
    asked = _band(queries, band)
    # Sorted, the queries walk through the buckets in order, which memory likes.
    asking = np.argsort(asked, kind="stable")
    for mask in _masks(_BAND_BITS, radius):
        bucket = asked[asking] ^ mask
        for left, right in _expand(starts[bucket], sizes[bucket]):
            one, other = asking[left], order[right]
            close = np.bitwise_count(queries[one] ^ references[other]) <= max_distance
            yield one[close], other[close]


def _band(hashes: Hashes, band: int) -> npt.NDArray[np.intp]:
    bits = hashes >> np.uint64(band * _BAND_BITS)
    return (bits & np.uint64((1 << _BAND_BITS) - 1)).astype(np.intp)


def _expand(
    starts: npt.NDArray[np.intp], sizes: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Pairs each position `i` with `sizes[i]` numbers from `starts[i]` on.

    They come in portions, so that memory stays flat however large a bucket is.
    """
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _CANDIDATES_AT_ONCE, "right")))
        portion = sizes[first:last]
        left = np.repeat(np.arange(first, last), portion)
        shift = starts[first:last] - (ends[first:last] - portion - before)
        yield left, np.arange(len(left)) + np.repeat(shift, portion)
        first = last


@cache
def _masks(num_bits: int, radius: int) -> tuple[int, ...]:
    """All numbers of `num_bits` bits with at most `radius` bits set."""
    return tuple(
        sum(1 << bit for bit in chosen)
        for number in range(radius + 1)
        for chosen in combinations(range(num_bits), number)
    )


@cache
def _waves(length: int) -> npt.NDArray[np.float32]:
    """The DCT-II waves 1 to 8 in a window at each offset, shape `(24, length)`."""
    step = max(1, round(length * _STEP_SHARE))
    window = length - (NUM_OFFSETS - 1) * step
    frequencies = np.arange(1, _SIDE + 1)[:, None]
    waves = np.cos(np.pi * (2 * np.arange(window) + 1) * frequencies / (2 * window))
    placed = np.zeros((NUM_OFFSETS, _SIDE, length), np.float32)
    for number in range(NUM_OFFSETS):
        placed[number, :, number * step : number * step + window] = waves
    return placed.reshape(NUM_OFFSETS * _SIDE, length)
