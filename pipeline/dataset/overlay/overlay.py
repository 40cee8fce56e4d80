"""What a list of edits makes of a dataset, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset.core import Dataset, Edits, count_classes
from pipeline.dataset.overlay.edit import Edit, EditKind, holding
from pipeline.errors import DatasetError
from pipeline.labels import label_index


@dataclass(frozen=True)
class Overlay:
    """What a list of edits comes to.

    Attributes:
        fingerprint: Of the dataset that the edits were made for.
        edits: All of them, the oldest first.
        excluded: Images that are left out.
        relabelled: The new label of each image that has one, as an index into
            `labels.EMOTIONS`.
    """

    fingerprint: str
    edits: tuple[Edit, ...] = ()
    excluded: frozenset[int] = frozenset()
    relabelled: dict[int, int] = field(default_factory=dict)

    @classmethod
    def replay(cls, fingerprint: str, edits: Iterable[Edit]) -> Overlay:
        """Carries edits out in order."""
        edits = tuple(edits)
        excluded: set[int] = set()
        relabelled: dict[int, int] = {}
        for edit in holding(edits):
            if edit.kind is EditKind.EXCLUDE:
                excluded.update(edit.images)
            elif edit.kind is EditKind.RELABEL:
                relabelled.update(zip(edit.images, map(label_index, edit.labels), strict=True))
            else:
                excluded.difference_update(edit.images)
                for index in edit.images:
                    relabelled.pop(index, None)
        return cls(fingerprint, edits, frozenset(excluded), relabelled)

    @property
    def version(self) -> int:
        """The number of edits ever made; 0 for none."""
        return len(self.edits)

    @property
    def num_relabelled(self) -> int:
        """Images that are left and have another label."""
        return len(set(self.relabelled) - self.excluded)

    @property
    def last(self) -> Edit | None:
        """The edit that `undo` would take back."""
        return next(iter(holding(self.edits)[::-1]), None)

    def at(self, version: int) -> Overlay:
        """The overlay as it was at a version.

        Raises:
            DatasetError: If there has been no such version.
        """
        if not 0 <= version <= self.version:
            raise DatasetError(
                f"the edits have versions 0 to {self.version}, got version {version}"
            )
        return Overlay.replay(self.fingerprint, self.edits[:version])

    def labels(self, dataset: Dataset) -> npt.NDArray[np.uint8]:
        """The labels of all images, those left out too, with the new ones in place.

        Args:
            dataset: The one that the edits were made for.

        Returns:
            Indices into `labels.EMOTIONS`, shape `(n,)`; a copy.
        """
        labels = np.array(dataset.labels)
        labels[list(self.relabelled)] = list(self.relabelled.values())
        return labels

    def apply(self, dataset: Dataset) -> Dataset:
        """The dataset with the edits carried out, in memory.

        Args:
            dataset: The one that the edits were made for.

        Returns:
            A dataset without the excluded images and with the new labels, with
            counts, a note and a fingerprint of its own; its `edits` tell the
            version. Relabelled images lose their FER+ votes: whoever relabels
            an image overrules them. If no edit holds, the dataset itself.

        Raises:
            DatasetError: If the edits were made for other data, or nothing
                would be left.
        """
        self.check(dataset)
        if not self.excluded and not self.relabelled:
            return dataset
        labels = self.labels(dataset)
        keep = np.ones(len(dataset), bool)
        keep[list(self.excluded)] = False
        if not keep.any():
            raise DatasetError(
                f"the overlay of {dataset.name!r} excludes every image: restore some of them"
            )
        # Without exclusions the pixels need not be copied.
        chosen: Any = keep if self.excluded else slice(None)
        images, labels = dataset.images[chosen], labels[chosen]
        splits = dataset.split_codes[chosen]
        digest = hashlib.sha256(np.ascontiguousarray(images).data)
        digest.update(labels.data)
        digest.update(np.ascontiguousarray(splits).data)
        edits = Edits(
            self.version,
            num_excluded=len(self.excluded),
            num_relabelled=self.num_relabelled,
            official=dataset,
        )
        meta = replace(
            dataset.meta,
            fingerprint=digest.hexdigest(),
            num_samples=len(labels),
            counts=count_classes(labels, splits),
            notes=(*dataset.meta.notes, _note(edits)),
        )
        return replace(
            dataset,
            meta=meta,
            images=images,
            labels=labels,
            split_codes=splits,
            votes=None if dataset.votes is None else self._votes(dataset.votes)[chosen],
            origins=None if dataset.origins is None else dataset.origins[chosen],
            edits=edits,
        )

    def check(self, dataset: Dataset) -> None:
        """Refuses data that the edits were not made for.

        Raises:
            DatasetError: If the fingerprints differ, or an edit names an image
                that is not there.
        """
        if self.edits and self.fingerprint != dataset.meta.fingerprint:
            raise DatasetError(
                f"the overlay of {dataset.name!r} was made for other data (fingerprint "
                f"{self.fingerprint[:12]}, not {dataset.meta.fingerprint[:12]}): import that data "
                "again, or delete the overlay"
            )
        touched = self.excluded | set(self.relabelled)
        if touched and not 0 <= min(touched) <= max(touched) < len(dataset):
            raise DatasetError(
                f"the overlay of {dataset.name!r} names image {max(touched)}, but there are "
                f"{len(dataset)}: the file is damaged"
            )

    def _votes(self, votes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        left = np.array(votes)
        left[list(self.relabelled)] = 0
        return left


def _note(edits: Edits) -> str:
    return (
        f"overlay version {edits.version}: {edits.num_excluded:,} images excluded, "
        f"{edits.num_relabelled:,} relabelled"
    )
