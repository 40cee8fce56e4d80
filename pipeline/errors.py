"""The exception tree: everything a caller of the pipeline may want to catch.

A message is one clear sentence: what was expected, what came, what to do.
"""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LISTED = 5


def listed(names: Sequence[str]) -> str:
    """What there is, for a message: the first few names, and how many more there are."""
    if not names:
        return "none yet"
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


class PipelineError(Exception):
    """The root of all errors that the pipeline raises on purpose."""


class ConfigError(PipelineError):
    """A setting is out of its range or contradicts another."""


class DatasetError(PipelineError):
    """Data cannot be read, or is not what it says it is."""


class DatasetNotFoundError(DatasetError):
    """No dataset of that name has been imported."""


class ImageFormatError(PipelineError):
    """An image, or an array of images, has the wrong form."""


class VideoFormatError(ImageFormatError):
    """A video cannot be read, or its marked copy not be written."""


class ModelLoadError(PipelineError):
    """A model is missing, incomplete, damaged or disagrees with its contract."""


class UnknownArchitectureError(PipelineError):
    """No network is registered under that name."""


class RunNotFoundError(PipelineError):
    """No training run has that id."""


class AmbiguousRunError(RunNotFoundError):
    """The ids of several training runs begin so."""


class RunStateError(PipelineError):
    """The run is not in a state that allows what was asked of it."""


class SweepError(PipelineError):
    """A hyperparameter search cannot be stored or read, or is not in a state for what was asked."""


class SweepNotFoundError(SweepError):
    """No hyperparameter search has that name."""


class RunImportError(PipelineError):
    """A file does not hold an exported training run, or not a sound one."""


class TrainingError(PipelineError):
    """Training cannot go on: out of memory, not-a-number loss, full disk."""


class ExportError(PipelineError):
    """A model cannot be written in a format, or reads back different."""
