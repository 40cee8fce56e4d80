"""The sections of a report about the data and the model themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.dataset import SPLITS, Dataset, Split
from pipeline.dataset.agreement import agreement
from pipeline.dataset.duplicates import twins_in_train
from pipeline.errors import PipelineError
from pipeline.labels import NAMES
from pipeline.provenance import made_with
from pipeline.recognition.contract import data_title
from pipeline.reporting.blocks import Block, Code, Items, Section, Table, Text
from pipeline.reporting.material import Material
from pipeline.reporting.words import percent
from pipeline.training.config import TrainingConfig
from pipeline.training.model_card import training_command


def dataset(material: Material) -> Section:
    """What was scored."""
    data = material.dataset
    if data is None:
        reference = material.report.dataset
        return Section(
            "Dataset",
            "dataset",
            (
                Items(
                    (
                        ("Name:", reference.name),
                        ("Fingerprint:", reference.fingerprint),
                        ("Faces:", "drawn" if reference.synthetic else "photographed"),
                    )
                ),
                Table(
                    ("class", "images"),
                    tuple(
                        (name, f"{item.support:,}")
                        for name, item in material.report.per_class.items()
                    ),
                    f"Images of the {material.report.split} split.",
                ),
            ),
        )
    blocks: list[Block] = [_origin(data), _counts(data), Text(_imbalance(data))]
    twins = [_twins(data, split) for split in (Split.VALIDATION, Split.TEST)]
    blocks.append(Items(tuple(item for item in twins if item is not None)))
    if data.votes is not None:
        blocks += _agreement(data)
    return Section("Dataset", "dataset", tuple(blocks))


def model(material: Material) -> Section:
    """What the model is and what it was made from."""
    contract = material.contract
    preparation = contract.preprocessing
    facts = [
        ("Network:", contract.architecture),
        (
            "Size:",
            f"{contract.num_parameters:,} parameters, {contract.num_macs / 1e6:,.1f} million "
            "multiply-accumulates a face",
        ),
        (
            "Input:",
            f"one grey face crop, {preparation.size}×{preparation.size} pixels"
            + (", contrast equalised locally (CLAHE)" if preparation.clahe else ""),
        ),
        ("Temperature:", f"{contract.temperature:.3f}, fitted on the validation split"),
        ("Threshold of “unsure”:", f"{contract.unsure_below:.2f}, chosen there too"),
    ]
    members = contract.training.get("members")
    data = _with_edits(contract.dataset)
    facts.append(("Calibrated on:" if members else "Trained on:", data))
    if members or contract.handed_down:
        facts.append(("Learned from:", contract.learned_from_words))
    blocks: list[Block] = [Items(tuple(facts))]
    if members:
        blocks.append(_members(members))
    else:
        settings = tuple((name, str(value)) for name, value in contract.training.items())
        if settings:
            blocks.append(Table(("setting", "value"), settings, "How it was trained."))
    others = list(material.stored.values())
    if others:
        blocks.append(
            Table(
                ("split", "images", "accuracy", "clean accuracy", "macro-F1", "calibration error"),
                tuple(
                    (
                        report.split,
                        f"{report.num_samples:,}",
                        percent(report.accuracy),
                        percent(report.clean.accuracy),
                        percent(report.macro_f1),
                        percent(report.ece),
                    )
                    for report in others
                ),
                "The figures that were stored with the model when it was made.",
            )
        )
    return Section("Model", "model", tuple(blocks))


def making(material: Material) -> Section:
    """Versions and commands, to make it again."""
    contract, report = material.contract, material.report
    then = ", ".join(f"{name} {version}" for name, version in contract.versions.items())
    now = ", ".join(f"{name} {version}" for name, version in made_with().items())
    blocks: list[Block] = [
        Items((("The model:", f"{contract.created}, with {then}"), ("This report:", f"with {now}")))
    ]
    command = _training(material)
    if command:
        blocks += [Text("The model was made by:"), Code(command)]
    name = report.dataset.name
    evaluation = (
        f"python -m pipeline evaluate {material.name} --dataset {name} --split {report.split}"
    )
    if report.tta != "none":
        evaluation += f" --tta {report.tta}"
    blocks += [Text("The figures come from:"), Code(evaluation)]
    return Section("How it was made", "making", tuple(blocks))


def _origin(data: Dataset) -> Items:
    meta = data.meta
    items = [
        ("Name:", f"{meta.title} ({data.name} here)"),
        # The name alone: the path is that of somebody's computer.
        ("Source:", f"{Path(meta.source).name}, read as {meta.kind}"),
        (
            "Images:",
            f"{meta.num_samples:,}, grey, {meta.image_size[0]}×{meta.image_size[1]} pixels, "
            + ("drawn" if meta.synthetic else "photographed"),
        ),
        ("Fingerprint:", meta.fingerprint),
    ]
    items += [("Note:", note) for note in meta.notes]
    return Items(tuple(items))


def _counts(data: Dataset) -> Table:
    counts = data.meta.counts
    rows = tuple(
        (split.value, *(f"{count:,}" for count in counts[split]), f"{sum(counts[split]):,}")
        for split in SPLITS
    )
    return Table(("split", *NAMES, "all"), rows, "Images by split and class.")


def _imbalance(data: Dataset) -> str:
    counts = dict(zip(NAMES, data.meta.counts[Split.TRAIN], strict=True))
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if not counts[least]:
        return f"No training image shows {least}."
    ratio = counts[most] / counts[least]
    return f"In training, {most} is {ratio:.1f} times as common as {least}."


def _twins(data: Dataset, split: Split) -> tuple[str, str] | None:
    number = len(data.indices(split))
    if not number:
        return None
    found = int(twins_in_train(data, split).sum())
    share = percent(found / number)
    return (
        f"Twins in {split.value}:",
        f"{found:,} of {number:,} images ({share}) are pixel-identical to a training image.",
    )


def _agreement(data: Dataset) -> list[Block]:
    if data.votes is None:
        return []
    found = agreement(data.labels, data.votes)
    table = Table(
        ("label", "share of the votes for it", "entropy of the votes, bits"),
        tuple(
            (name, percent(float(share)), f"{bits:.2f}")
            for name, share, bits in zip(NAMES, found.own_share, found.entropy, strict=True)
        ),
        "What ten people said of these images (FER+, Barsoum et al. 2016).",
    )
    text = Text(
        f"In {len(found.differing):,} of {len(data):,} images more than half of the FER+ taggers "
        f"chose another emotion than the label; in {len(found.undecided):,} no emotion of the "
        "seven has more than half of the votes."
    )
    return [text, table]


def _with_edits(data: dict[str, Any]) -> str:
    edits = data.get("edits")
    words = f"{data_title(data)}, fingerprint {str(data.get('fingerprint', 'unknown'))[:16]}"
    if edits:
        words += (
            f", with version {edits['version']} of its edits ({edits['excluded']:,} images left "
            f"out, {edits['relabelled']:,} relabelled)"
        )
    return words


def _members(members: list[dict[str, Any]]) -> Table:
    return Table(
        ("member", "network", "temperature", "fingerprint"),
        tuple(
            (
                str(item["name"]),
                str(item["architecture"]),
                f"{item['temperature']:.3f}",
                str(item["fingerprint"])[:16],
            )
            for item in members
        ),
        "The mean of these models' calibrated probabilities.",
    )


def _training(material: Material) -> str | None:
    """The command that made the model, if its contract tells."""
    contract = material.contract
    name = str(contract.dataset.get("name", ""))
    members = contract.training.get("members")
    edits = contract.dataset.get("edits") or {}
    if members:
        names = " ".join(str(item["name"]) for item in members)
        return (
            f"python -m pipeline ensemble {contract.name} {names} "
            f"--tta {contract.training.get('views', 'none')} --dataset {name}"
            + (f" --edits {edits['version']}" if edits else "")
        )
    if not contract.training:
        return None
    try:
        config = TrainingConfig.from_dict(contract.training)
    except (PipelineError, TypeError):
        return None  # of another version of the program, whose settings were others
    return training_command(config, name, edits.get("version"))
