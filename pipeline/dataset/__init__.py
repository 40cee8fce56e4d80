"""Facial-expression datasets: reading them in, keeping them, checking them."""

from pipeline.dataset.core import IMAGE_SIZE, SPLITS, Dataset, DatasetMeta, Split
from pipeline.dataset.store import DatasetStore
from pipeline.dataset.writer import DatasetWriter

__all__ = [
    "IMAGE_SIZE",
    "SPLITS",
    "Dataset",
    "DatasetMeta",
    "DatasetStore",
    "DatasetWriter",
    "Split",
]
