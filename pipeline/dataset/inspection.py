"""Everything that takes a while to find out about a dataset, kept beside it.

data/.inspections/<name>.npz holds the last inspection of each dataset. It is
told from the data alone, so it may be deleted at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import SPLITS, Dataset
from pipeline.dataset.embedding import ImageMap, pixel_map
from pipeline.dataset.quality import (
    Copies,
    Indices,
    Measures,
    Overlap,
    QualityReport,
    inspect,
)
from pipeline.dataset.statistics import ClassStatistics, class_statistics
from pipeline.dataset.store import inspection_path
from pipeline.files import read_arrays, write_arrays
from pipeline.progress import Progress, no_progress, part_of

# Rises whenever what is kept, or how it is told, changes.
_FORMAT = 2
_COPIES = ("exact", "near")


@dataclass(frozen=True)
class Inspection:
    """What was found out about a dataset.

    Attributes:
        quality: Copies, faults and measures.
        statistics: Mean faces and grey values of each class.
        map: Every image as a point.
    """

    quality: QualityReport
    statistics: ClassStatistics
    map: ImageMap


def cache_path(dataset: Dataset) -> Path:
    """Where the inspection of a dataset is kept."""
    return inspection_path(dataset.folder.parent, dataset.name)


def run(dataset: Dataset, *, progress: Progress = no_progress) -> Inspection:
    """Inspects a dataset and keeps the result.

    Args:
        dataset: Any dataset.
        progress: Told the share that is done.
    """
    # The shares of time, as measured on FER-2013.
    statistics = class_statistics(dataset, progress=part_of(progress, 0.0, 0.1))
    points = pixel_map(dataset, progress=part_of(progress, 0.1, 0.25))
    quality = inspect(dataset, progress=part_of(progress, 0.25, 1.0))
    found = Inspection(quality, statistics, points)
    _save(found, cache_path(dataset))
    return found


def load(dataset: Dataset) -> Inspection | None:
    """The kept inspection; `None` if there is none of these very data, or it is damaged."""
    arrays = read_arrays(cache_path(dataset))
    if (
        arrays is None
        or arrays.get("format") != _FORMAT
        or str(arrays["fingerprint"]) != dataset.meta.fingerprint
    ):
        return None
    return Inspection(
        # Votes are no part of the fingerprint: those are told that are attached now.
        QualityReport.of(
            dataset,
            Measures(**_named(arrays, "measures", Measures)),
            _copies("exact", dataset.labels, arrays),
            _copies("near", dataset.labels, arrays),
        ),
        ClassStatistics(**_named(arrays, "statistics", ClassStatistics)),
        ImageMap(**_named(arrays, "map", ImageMap)),
    )


def _save(found: Inspection, path: Path) -> None:
    arrays: dict[str, Any] = {
        "format": np.array(_FORMAT),
        "fingerprint": np.array(found.quality.fingerprint),
    }
    for prefix, part in (
        ("statistics", found.statistics),
        ("map", found.map),
        ("measures", found.quality.measures),
    ):
        arrays |= {f"{prefix}.{item.name}": getattr(part, item.name) for item in fields(part)}
    for kind in _COPIES:
        arrays |= _copies_arrays(kind, getattr(found.quality, kind))
    write_arrays(path, arrays)


def _named(arrays: Any, prefix: str, kind: Any) -> dict[str, npt.NDArray[Any]]:
    return {item.name: arrays[f"{prefix}.{item.name}"] for item in fields(kind)}


def _copies_arrays(kind: str, copies: Copies) -> dict[str, npt.NDArray[Any]]:
    sizes = [len(group) for group in copies.groups]
    arrays: dict[str, npt.NDArray[Any]] = {
        f"{kind}.sizes": np.array(sizes, np.intp),
        f"{kind}.members": np.concatenate([np.empty(0, np.intp), *copies.groups]),
    }
    for item in copies.overlaps:
        key = f"{kind}.{item.split}.{item.other}"
        arrays[key] = np.append(item.images, item.num_same_label)
    return arrays


def _copies(kind: str, labels: npt.NDArray[np.uint8], arrays: Any) -> Copies:
    ends = np.cumsum(arrays[f"{kind}.sizes"])
    groups: list[Indices] = np.split(arrays[f"{kind}.members"], ends)[:-1]
    overlaps = []
    for split in SPLITS:
        for other in SPLITS:
            values = arrays[f"{kind}.{split}.{other}"]
            overlaps.append(Overlap(split, other, values[:-1], int(values[-1])))
    conflicting = [group for group in groups if len(np.unique(labels[group])) > 1]
    return Copies(groups, conflicting, tuple(overlaps))
