"""Facial-expression datasets: reading them in, keeping them, checking them."""

from pipeline.dataset.store import (
    IMAGE_SIZE,
    SPLITS,
    Dataset,
    DatasetMeta,
    DatasetStore,
    DatasetWriter,
    Split,
)

__all__ = [
    "IMAGE_SIZE",
    "SPLITS",
    "Dataset",
    "DatasetMeta",
    "DatasetStore",
    "DatasetWriter",
    "Split",
]
