"""Images that occur more than once: pixel for pixel, or as near copies.

FER-2013 was collected by image search, so the same photograph came in again and
again: identical, or shifted, cropped, brightened, recompressed, stamped by a
stock agency. Copies across splits make a test score look better than it is.

Near copies are found in two steps: a perceptual hash proposes pairs, then their
pixels are compared. Both allow for a small shift. The limits were set on the
real FER-2013 (34,031 distinct images that are not blank):

| bits apart | pairs | similarity 0.9 or more |
|---|---|---|
| 0 to 4 | 1,280 | 96 % |
| 6 | 1,321 | 84 % |
| 8 | 2,020 | 51 % |
| 10 | 7,987 | 8 % |
| 12 | 54,497 | 1 % |

Beyond 8 bits hardly any proposed pair is a copy. Of the accepted pairs nearest
the other limit (similarity 0.90 to 0.925) 99 of a random 100 show the same
photograph to the eye; between 0.80 and 0.85 a third shows different people.
Mirrored copies are not searched for: there are about 40 pairs in all.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.dataset.perceptual_hash import close_pairs, window_hashes
from pipeline.progress import Progress, no_progress, part_of

MAX_HASH_DISTANCE = 8
MIN_SIMILARITY = 0.9

# How far apart two copies may be shifted: 4 of 48 pixels.
_SHIFT_SHARE = 1 / 12
_PAIRS_AT_ONCE = 4096


def picture_ids(images: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.intp]:
    """Numbers the distinct pictures; identical images share a number.

    Images count as identical when their 128-bit BLAKE2b digests are.

    Args:
        images: `n` of them, each `uint8`, shape `(height, width)`, or one array
            of shape `(n, height, width)`.

    Returns:
        Shape `(n,)`; numbers from 0 up, in no particular order.
    """
    digests = b"".join(blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    words = np.frombuffer(digests, np.uint64).reshape(-1, 2)
    return np.unique(words, axis=0, return_inverse=True)[1]


def twins_in_train(dataset: Dataset, split: Split) -> npt.NDArray[np.bool_]:
    """Tells which images of a split have a pixel-identical image in Training.

    Training means that of the dataset as it was imported, whatever edits it
    carries: which of them a model was trained with is not known here, and an
    image that it may have seen is no clean one.

    Returns:
        Shape `(len of split,)`, in the order of `dataset.indices(split)`. For
        Training itself: whether another of its images is identical.
    """
    official = dataset.official
    train, chosen = official.indices(Split.TRAIN), dataset.indices(split)
    ids = picture_ids(
        chain(
            (official.images[index] for index in train),
            (dataset.images[index] for index in chosen),
        )
    )
    copies = np.bincount(ids[: len(train)], minlength=len(ids))
    return copies[ids[len(train) :]] > (1 if split is Split.TRAIN else 0)


def near_groups(
    images: npt.NDArray[np.uint8], *, progress: Progress = no_progress
) -> list[npt.NDArray[np.intp]]:
    """Finds images that show the same picture, though not pixel for pixel.

    Two images belong together when their perceptual hashes differ in at most
    `MAX_HASH_DISTANCE` bits and their `similarity` is at least
    `MIN_SIMILARITY`; groups are closed under that. Blank images show nothing
    and are left out.

    Args:
        images: `uint8`, shape `(n, height, width)`, 12 pixels a side or more.
        progress: Told the share that is done, first of the search, then of the
            comparison.

    Returns:
        Groups of two or more indices, each ascending, ordered by their first. A
        group holds at least two distinct pictures and all identical copies of
        each; copies of one picture alone are left to `picture_ids`.
    """
    searching = part_of(progress, 0.0, 0.5)
    images = np.asarray(images)
    pictures = picture_ids(images)
    firsts = np.sort(np.unique(pictures, return_index=True)[1])
    firsts = np.array([index for index in firsts if np.ptp(images[index])], np.intp)
    # Hashes are small enough to select; the images stay where they are, on disk maybe.
    hashes = window_hashes(images)[..., firsts]
    pairs = close_pairs(hashes, MAX_HASH_DISTANCE, progress=searching)
    clusters = _cluster(images, firsts, pairs, progress)
    # A cluster of one picture is no group, however many copies the picture has.
    clusters[np.bincount(clusters, minlength=1)[clusters] < 2] = -1
    cluster_of_picture = np.full(len(images), -1)
    cluster_of_picture[pictures[firsts]] = clusters
    return groups_of(cluster_of_picture[pictures])


def similarity(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Correlates the pixels of two images, at the shift where they agree best.

    The centre of each is moved over the other, by up to a twelfth of the side;
    gain and offset of the grey values do not matter.

    Args:
        one: `uint8`, shape `(height, width)`.
        other: The same.

    Returns:
        Normalised correlation in `[-1, 1]`; 0 where a centre is flat.
    """
    down, across = (max(1, round(side * _SHIFT_SHARE)) for side in one.shape)
    centre = (slice(down, -down), slice(across, -across))
    # OpenCV calls a flat template a perfect match with everything.
    if not (np.ptp(one[centre]) and np.ptp(other[centre])):
        return 0.0
    return max(
        float(cv2.matchTemplate(whole, part[centre], cv2.TM_CCOEFF_NORMED).max())
        for whole, part in ((one, other), (other, one))
    )


def groups_of(ids: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    """Gathers the positions that share a number; negative numbers stand alone.

    Returns:
        Groups of two or more positions, each ascending, ordered by their first.
    """
    positions = np.flatnonzero(ids >= 0)
    order = positions[np.argsort(ids[positions], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1)
    return sorted((group for group in groups if len(group) > 1), key=lambda group: group[0])


def _cluster(
    images: npt.NDArray[np.uint8],
    chosen: npt.NDArray[np.intp],
    pairs: npt.NDArray[np.intp],
    progress: Progress,
) -> npt.NDArray[np.intp]:
    """Numbers the clusters that the similar ones among pairs of chosen images make."""
    # Here, not above: the pages that only ask for exact twins need not wait for it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    clusters = np.arange(len(chosen))
    linked = np.empty((0, 2), np.intp)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        progress(0.5 + 0.5 * start / len(pairs), 1.0, "comparing near copies")
        batch = pairs[start : start + _PAIRS_AT_ONCE]
        # Of a large cluster only a few of its many pairs need to be compared.
        batch = batch[clusters[batch[:, 0]] != clusters[batch[:, 1]]]
        scores = [similarity(images[one], images[other]) for one, other in chosen[batch]]
        linked = np.concatenate([linked, batch[np.array(scores) >= MIN_SIMILARITY]])
        graph = coo_array((np.ones(len(linked), bool), linked.T), shape=(len(chosen),) * 2)
        clusters = connected_components(graph, directed=False)[1].astype(np.intp)
    return clusters
