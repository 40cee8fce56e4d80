"""Saving an ensemble as a model like any other, and deleting it.

ensembles/<name>/ holds what `recognition.contract` lists, but for `model.keras`:
the network is put together from the members' ONNX files. Members may be deleted
afterwards; their weights are in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import onnx
from filelock import FileLock, Timeout

from pipeline.dataset import Dataset
from pipeline.errors import ConfigError, ModelLoadError
from pipeline.evaluation import card
from pipeline.evaluation.augmented import augmented_scores
from pipeline.evaluation.ensemble import LEAST_MEMBERS, SAVED_VIEWS
from pipeline.evaluation.ensemble_network import merge
from pipeline.evaluation.predictions import fingerprint
from pipeline.evaluation.release import dataset_reference, probe_faces, release
from pipeline.evaluation.report import EvaluationReport
from pipeline.files import replaced_folder
from pipeline.progress import Progress, no_progress
from pipeline.provenance import made_with
from pipeline.recognition.catalog import ModelCatalog, ModelEntry
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import ENSEMBLE, MODEL_ONNX, ModelContract
from pipeline.recognition.probes import Probes
from pipeline.runs.store import is_id

_TITLES = {"none": "the face as it is", "flip": "the face and its mirror image"}


def save_ensemble(
    catalog: ModelCatalog,
    name: str,
    members: Sequence[ModelEntry],
    dataset: Dataset,
    *,
    views: str = "none",
    progress: Progress = no_progress,
) -> ModelEntry:
    """Makes a model of several others, which photo, video, live view and API can serve.

    Temperature and threshold are fitted on the validation split; the test split
    is scored once, at the end. All figures are those of the joint network.

    Args:
        catalog: The models here; the new one is found in it.
        name: Of the new model: lower-case letters, digits, `.`, `_` and `-`.
        members: Two or more, with the same preprocessing.
        dataset: With a validation split, and with the edits to choose by, if any.
        views: `none`, or `flip` to average over the mirror image too.
        progress: Told the share that is done.

    Raises:
        ConfigError: If the name is unusable or taken, a member is there twice or
            alone, the members differ in how they take a face, or the views
            cannot be saved: mirrored faces can unless members use CLAHE.
        DatasetError: If the validation split is empty.
        ModelLoadError: If a member is damaged, or they cannot be joined.
    """
    _check_name(catalog, name)
    _check_members(members, views)
    classifiers = {entry.name: EmotionClassifier.load(entry.folder) for entry in members}
    _check_alike({name: item.contract for name, item in classifiers.items()}, views)
    folder = catalog.ensembles / name
    with _claimed(catalog, name), replaced_folder(folder) as stage:
        contracts = [item.contract for item in classifiers.values()]
        network = merge(
            [onnx.load(entry.folder / MODEL_ONNX) for entry in members],
            [contract.temperature for contract in contracts],
            size=contracts[0].preprocessing.size,
            views=views,
        )
        onnx.save(network, stage / MODEL_ONNX)
        _probes(list(classifiers.values()), views).save(stage)
        release(
            stage,
            _contract(name, members, contracts, dataset, views),
            dataset,
            lambda contract, reports: _card(contract, contracts, dataset, reports),
            progress=progress,
        )
    return ModelEntry(name, folder, "ensemble")


def delete_ensemble(catalog: ModelCatalog, name: str) -> None:
    """Removes an ensemble for good; its members stay.

    Raises:
        ModelLoadError: If there is none of that name.
    """
    known = {entry.name: entry for entry in catalog.list() if entry.origin == "ensemble"}
    if name not in known:
        raise ModelLoadError(
            f"no ensemble {name!r} in {catalog.ensembles} (there: {', '.join(known) or 'none'})"
        )
    # Out of sight first: what is half removed must not look like a model.
    aside = known[name].folder.with_name(f".{name}.deleted")
    shutil.rmtree(aside, ignore_errors=True)
    known[name].folder.replace(aside)
    shutil.rmtree(aside)


def _check_name(catalog: ModelCatalog, name: str) -> None:
    if not is_id(name):
        raise ConfigError(
            f"{name!r} cannot name a model: use lower-case letters, digits, '.', '_' and '-'"
        )
    if catalog.is_taken(name):
        raise ConfigError(f"there is a run or model named {name!r} already: choose another name")


@contextmanager
def _claimed(catalog: ModelCatalog, name: str) -> Iterator[None]:
    """Keeps others from making an ensemble of that name; a dead process lets go of it."""
    try:
        with FileLock(catalog.ensembles / f".{name}.lock", timeout=0):
            _check_name(catalog, name)  # again: another may have been quicker
            yield
    except Timeout as error:
        raise ConfigError(
            f"an ensemble named {name!r} is being made already: choose another name"
        ) from error


def _check_members(members: Sequence[ModelEntry], views: str) -> None:
    if views not in SAVED_VIEWS:
        raise ConfigError(
            f"a saved ensemble can average over one of the views {SAVED_VIEWS}, got {views!r}: ten "
            "crops are cut from the face before it is resized, which a network comes too late for"
        )
    names = [entry.name for entry in members]
    if len(members) < LEAST_MEMBERS:
        raise ConfigError(f"an ensemble needs {LEAST_MEMBERS} members or more, got {len(members)}")
    if len(set(names)) < len(names) or len({entry.folder for entry in members}) < len(members):
        raise ConfigError(f"a member is there twice: {', '.join(names)}")


def _check_alike(contracts: dict[str, ModelContract], views: str) -> None:
    """Whether one preprocessed crop can be given to all members, and mirrored for the views."""
    wants = {name: _way(item) for name, item in contracts.items()}
    if len(set(wants.values())) > 1:
        told = "; ".join(f"{name}: {want}" for name, want in wants.items())
        raise ConfigError(
            f"the members of a saved ensemble must take a face alike, got {told}. Models that "
            "differ can be averaged for evaluation only"
        )
    # OpenCV's tiles are not symmetric: a mirrored face differs by 6 grey levels on average.
    if views == "flip" and any(item.preprocessing.clahe for item in contracts.values()):
        raise ConfigError(
            "the members equalise contrast (CLAHE), which a mirrored face changes: save them "
            "without the mirror image"
        )


def _way(contract: ModelContract) -> str:
    """How a model takes a face, in words."""
    words = [f"{contract.preprocessing.size} pixels", f"margin {contract.face_margin:g}"]
    words += ["with CLAHE"] * contract.preprocessing.clahe + ["aligned"] * contract.align
    return ", ".join(words)


def _probes(members: list[EmotionClassifier], views: str) -> Probes:
    """Faces and what the members give for them one by one, which the joint network must give."""
    faces = probe_faces()
    scores = [augmented_scores(item.scores, faces, views).probabilities for item in members]
    inputs = members[0].contract.preprocessing.apply(faces)
    return Probes(faces, inputs, np.mean(scores, axis=0, dtype=np.float32))


def _contract(
    name: str,
    members: Sequence[ModelEntry],
    contracts: Sequence[ModelContract],
    dataset: Dataset,
    views: str,
) -> ModelContract:
    """The contract before calibration."""
    first = contracts[0]
    times = 2 if views == "flip" else 1
    return ModelContract(
        name=name,
        architecture=ENSEMBLE,
        preprocessing=first.preprocessing,
        temperature=1.0,
        unsure_below=0.0,
        dataset={
            **dataset_reference(dataset),
            "synthetic": all(contract.synthetic for contract in contracts),
        },
        training={
            "views": views,
            "members": [
                {
                    "name": entry.name,
                    "fingerprint": fingerprint(entry.folder),
                    "architecture": contract.architecture,
                    "temperature": contract.temperature,
                    "dataset": contract.dataset,
                    "learned_from": sorted(contract.learned_from),
                }
                for entry, contract in zip(members, contracts, strict=True)
            ],
        },
        num_parameters=sum(contract.num_parameters for contract in contracts),
        num_macs=times * sum(contract.num_macs for contract in contracts),
        versions={**made_with(), "onnx": onnx.__version__},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        face_margin=first.face_margin,
        align=first.align,
    )


def _card(
    contract: ModelContract,
    members: Sequence[ModelContract],
    dataset: Dataset,
    reports: Mapping[str, EvaluationReport],
) -> str:
    """The model card, as Markdown."""
    sections = (
        f"# Model card: {contract.name}",
        card.SYNTHETIC if contract.synthetic else "",
        _details(contract, members),
        card.INTENDED_USE,
        card.results(reports),
        card.abstention(contract),
        card.data(dataset.official.meta),
        card.edits(contract),
        card.limits(synthetic=contract.synthetic),
        card.ethics(synthetic=contract.synthetic),
    )
    return "\n\n".join(section.strip() for section in sections if section) + "\n"


def _details(contract: ModelContract, members: Sequence[ModelContract]) -> str:
    rows = "\n".join(
        f"| {item['name']} | `{item['architecture']}` | {member.num_parameters:,} "
        f"| {item['temperature']:.3f} | {item['dataset'].get('title', 'unknown')} "
        f"| `{item['fingerprint'][:16]}` |"
        for item, member in zip(contract.training["members"], members, strict=True)
    )
    size = contract.preprocessing.size
    versions = ", ".join(f"{name} {version}" for name, version in contract.versions.items())
    return f"""
## Model

An ensemble: the mean of its members' calibrated probabilities (Lakshminarayanan et al. 2017, \
arXiv:1612.01474), over {_TITLES[contract.training["views"]]}.

| member | network | parameters | temperature | trained on | fingerprint |
|---|---|---|---|---|---|
{rows}

- Together: {contract.num_parameters:,} parameters, {contract.num_macs / 1e6:,.1f} million \
multiply-accumulates a face
- Input: one grey face crop, {size}×{size} pixels in [0, 255]\
{", contrast equalised locally (CLAHE)" if contract.preprocessing.clahe else ""}
- Calibration: temperature {contract.temperature:.3f} of the mean, fitted on the validation split
- Made: {contract.created}, with {versions}
- It exists as ONNX only; to train further, take a member
"""
