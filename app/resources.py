"""What all sessions share: the stores, opened datasets, the running jobs.

The only place with `st.cache_*`. Everything returned is immutable or
thread-safe. `st.cache_resource` serves throughout: frozen values need no copy,
and unlike `st.cache_data` it does not complain when imported before the server
is up.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from app.faces import sample_faces
from app.jobs import JobRunner
from app.recognition import RecognitionSettings
from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.duplicates import twins_in_train
from pipeline.dataset.overlay import Overlay
from pipeline.errors import ModelLoadError
from pipeline.evaluation import EvaluationReport, Predictions, summarise
from pipeline.evaluation.comparison import Comparison, compare
from pipeline.evaluation.edited import edited
from pipeline.evaluation.ensemble import Judgement, Step, greedy, judge
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import CONTRACT
from pipeline.recognition.detectors import FaceDetector, make_detector
from pipeline.recognition.embedding import ModelEmbedding
from pipeline.recognition.recognizer import Recognizer
from pipeline.runs import RunStore
from pipeline.training.queue import RunQueue
from pipeline.training.sweep import SweepStore
from pipeline.training.sweep.store import DATABASE


def home() -> Home:
    """Where this dashboard keeps its state."""
    return Home.from_environment()


def datasets() -> DatasetStore:
    """The imported datasets."""
    return DatasetStore(home().data)


def runs() -> RunStore:
    """The training runs."""
    return RunStore(home().runs)


def queue() -> RunQueue:
    """The runs that wait to be trained."""
    return RunQueue(home())


def sweeps() -> SweepStore:
    """The hyperparameter searches; the connection to their database is kept."""
    folder = home().sweeps
    return _sweeps(SweepStore.of(home()).url, folder, _stamp(folder / DATABASE))


def importances(sweep: str, ended: tuple[str | None, ...]) -> dict[str, float]:
    """What each setting explains; see `Sweep.importances`.

    Args:
        sweep: A search.
        ended: When each of its finished trials ended; more trials, new shares. Times
            also tell it from a deleted one that had the name, as the database's ids,
            which are given again, do not.
    """
    store = sweeps()
    return _importances((store.url, sweep, ended), store)


def models() -> ModelCatalog:
    """The models that can be served."""
    return ModelCatalog(home())


def jobs() -> JobRunner:
    """The background jobs of this home."""
    return _jobs(str(home().root))


def dataset(name: str) -> Dataset:
    """An opened dataset; after a re-import under the same name, the new one.

    Raises:
        DatasetNotFoundError: If there is none of that name.
        DatasetError: If its files are damaged.
    """
    root = home().data
    return _dataset(str(root), name, _stamp(root / name / "meta.json"))


def faces(name: str, per_class: int) -> tuple[npt.NDArray[np.uint8], ...]:
    """A few faces of each class of a dataset; see `app.faces.sample_faces`."""
    root = home().data
    return _faces(str(root), name, _stamp(root / name / "meta.json"), per_class)


def recognizer(settings: RecognitionSettings, *, small_faces: bool = True) -> Recognizer:
    """The active model behind the chosen detector; threads may share it.

    What takes time is kept: the model until its folder is replaced, the
    detector for each of its thresholds.

    Args:
        settings: What the user chose.
        small_faces: See `YuNetDetector`; live video goes without.

    Raises:
        ModelLoadError: If there is no model yet, or it is damaged, or the
            detector's weights are missing.
    """
    entry = models().active()
    if entry is None:
        raise ModelLoadError("there is no model yet: train one first; the overview says how")
    return Recognizer(
        classifier(entry.folder),
        _detector(settings.detector, settings.detection_threshold, small_faces),
        unsure_below=settings.unsure_below,
    )


def classifier(folder: Path) -> EmotionClassifier:
    """The model in a folder; threads may share it, and it is kept until the folder is replaced.

    Raises:
        ModelLoadError: If it is damaged.
    """
    return _classifier(folder, _stamp(folder / CONTRACT))


def embedding(folder: Path) -> ModelEmbedding:
    """The features of the model in a folder; kept and shared like `classifier`.

    Raises:
        ModelLoadError: If it is damaged, or has no features to show.
    """
    return _embedding(folder, _stamp(folder / CONTRACT))


def forget_datasets() -> None:
    """Lets go of opened datasets, so that the space of a deleted one becomes free."""
    _dataset.clear()
    _faces.clear()


@st.cache_resource(max_entries=64, show_spinner=False)
def report(
    key: tuple[str | int | None, ...],
    _predictions: Predictions,
    _dataset: Dataset,
    _overlay: Overlay | None,
    _threshold: float,
) -> EvaluationReport:
    """The figures that a model's answers on a split come to.

    Args:
        key: Tells apart what the figures depend on.
        _predictions: By the labels of the dataset as it was imported.
        _dataset: That dataset.
        _overlay: The edits by which to judge instead, if any.
        _threshold: Confidence below which the model says "unsure".
    """
    if _overlay is not None:
        _predictions, _dataset = edited(_predictions, _overlay), _overlay.apply(_dataset)
    return summarise(_predictions, _dataset, threshold=_threshold)


@st.cache_resource(max_entries=32, show_spinner=False)
def comparison(
    key: tuple[str, ...], _answers: dict[str, Predictions], _dataset: Dataset, _baseline: str
) -> Comparison:
    """How models differ from a baseline on the same images.

    Args:
        key: Tells apart what the comparison depends on.
        _answers: The models' answers on one split, by name.
        _dataset: The dataset as it was imported.
        _baseline: One of the names.
    """
    clean_mask = ~twins_in_train(_dataset, _answers[_baseline].split)
    return compare(_answers, _baseline, clean_mask=clean_mask)


@st.cache_resource(max_entries=32, show_spinner=False)
def ensemble(
    key: tuple[str | int | None, ...],
    _validation: dict[str, Predictions],
    _chosen: dict[str, Predictions],
    _dataset: Dataset,
    _overlay: Overlay | None,
) -> tuple[Judgement, tuple[Step, ...]]:
    """What the mean of several models comes to, and in which order they best join.

    Args:
        key: Tells apart what the figures depend on.
        _validation: The members' answers on validation, by name.
        _chosen: Their answers on the split to judge on.
        _dataset: The dataset as it was imported.
        _overlay: The edits by which to judge instead, if any.
    """
    if _overlay is not None:
        _validation = {name: edited(found, _overlay) for name, found in _validation.items()}
        _chosen = {name: edited(found, _overlay) for name, found in _chosen.items()}
        _dataset = _overlay.apply(_dataset)
    judgement = judge(_validation, _chosen, _dataset)
    # The two splits may have been scored on different days: one time for each model on the page.
    timed = {
        name: replace(found, latency_ms=_chosen[name].latency_ms)
        for name, found in _validation.items()
    }
    return judgement, greedy(timed)


@st.cache_resource(ttl=20, max_entries=32, show_spinner=False)
def folder_bytes(path: Path) -> int:
    """The size of all files below a folder, up to 20 seconds old; 0 if there is none."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:
                continue  # a checkpoint that was just replaced
    return total


@st.cache_resource(max_entries=4, show_spinner=False)
def _sweeps(url: str, folder: Path, stamp: tuple[int, int]) -> SweepStore:
    return SweepStore(url, folder)


@st.cache_resource(max_entries=16, show_spinner=False)
def _importances(
    key: tuple[str, str, tuple[str | None, ...]], _store: SweepStore
) -> dict[str, float]:
    return _store.get(key[1]).importances()


@st.cache_resource(show_spinner=False)
def _jobs(root: str) -> JobRunner:
    return JobRunner()


@st.cache_resource(max_entries=8, show_spinner=False)
def _dataset(root: str, name: str, stamp: tuple[int, int]) -> Dataset:
    return DatasetStore(Path(root)).open(name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _faces(
    root: str, name: str, stamp: tuple[int, int], per_class: int
) -> tuple[npt.NDArray[np.uint8], ...]:
    return sample_faces(_dataset(root, name, stamp), per_class)


@st.cache_resource(max_entries=2, show_spinner=False)
def _classifier(folder: Path, stamp: tuple[int, int]) -> EmotionClassifier:
    return EmotionClassifier.load(folder)


@st.cache_resource(max_entries=1, show_spinner=False)
def _embedding(folder: Path, stamp: tuple[int, int]) -> ModelEmbedding:
    return ModelEmbedding.load(folder)


@st.cache_resource(max_entries=4, show_spinner=False)
def _detector(name: str, threshold: float | None, small_faces: bool) -> FaceDetector:
    return make_detector(name, threshold=threshold, small_faces=small_faces)


def _stamp(path: Path) -> tuple[int, int]:
    """Changes whenever the file is replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)
