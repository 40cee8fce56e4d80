"""The model card: what a model is, what it can and cannot do, for people.

After Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv:1810.03993.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields

from pipeline.dataset import DatasetMeta
from pipeline.evaluation import EvaluationReport, card
from pipeline.evaluation.references import load_references
from pipeline.labels import EMOTIONS
from pipeline.recognition.contract import ModelContract
from pipeline.training.config import TrainingConfig


def render_model_card(
    contract: ModelContract,
    config: TrainingConfig,
    meta: DatasetMeta,
    reports: Mapping[str, EvaluationReport],
    earlier: Sequence[ModelContract] = (),
) -> str:
    """Writes a model's card, as Markdown.

    Args:
        contract: The model's contract, calibrated.
        config: How it was trained.
        meta: The dataset that it was trained on, as imported.
        reports: What it achieves, by split; `validation` at the least.
        earlier: The models whose weights it went on from, the first of them first.
    """
    # Its teacher may have seen photographs that the dataset does not hold.
    synthetic = contract.synthetic
    sections = (
        f"# Model card: {contract.name}",
        card.SYNTHETIC if synthetic else "",
        _details(contract, config),
        card.INTENDED_USE,
        card.results(reports),
        "" if meta.synthetic else card.others(load_references()),
        card.abstention(contract),
        card.data(meta),
        card.edits(contract),
        _recipe(contract, config, earlier),
        card.limits(synthetic=synthetic),
        card.ethics(synthetic=synthetic),
    )
    return "\n\n".join(section.strip() for section in sections if section) + "\n"


def training_command(
    config: TrainingConfig,
    dataset_name: str,
    overlay_version: int | None = None,
    *,
    name: str = "",
) -> str:
    """The command line that trains by this configuration.

    Settings at their default are left out, but for the seed: it belongs to any recipe.

    Args:
        config: The configuration.
        dataset_name: The dataset's name in the store.
        overlay_version: Of the edits that it was trained with, if any.
        name: What the run is to be called, if another training refers to it.
    """
    words = ["python", "-m", "pipeline", "train"]
    words += ["--name", name] if name else []
    words += ["--dataset", dataset_name]
    if overlay_version is not None:
        words += ["--edits", str(overlay_version)]
    for item in fields(config):
        value = getattr(config, item.name)
        if value == item.default and item.name != "seed":
            continue
        option = item.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _details(contract: ModelContract, config: TrainingConfig) -> str:
    size = contract.preprocessing.size
    versions = ", ".join(f"{name} {version}" for name, version in contract.versions.items())
    return f"""
## Model

- Network: `{contract.architecture}`, {contract.num_parameters:,} parameters, \
{contract.num_macs / 1e6:,.1f} million multiply-accumulates a face
- Input: one grey face crop, {size}×{size} pixels in [0, 255]\
{", contrast equalised locally (CLAHE)" if config.clahe else ""}
- Output: probabilities of {", ".join(emotion.name for emotion in EMOTIONS)}
- Calibration: temperature {contract.temperature:.3f}, fitted on the validation split
- Made: {contract.created}, with {versions}
- Licence: Apache-2.0 for the code; to the weights the terms of the training data apply besides
"""


def _recipe(
    contract: ModelContract, config: TrainingConfig, earlier: Sequence[ModelContract]
) -> str:
    configs = [TrainingConfig.from_dict(one.training) for one in earlier]
    commands = [
        _command(one, its, name=one.name) for one, its in zip(earlier, configs, strict=True)
    ]
    commands.append(_command(contract, config))
    command = "\n".join(commands)
    stages = (
        f"\nIt was trained {len(commands)} times, each time from the weights of the time before.\n"
        if earlier
        else ""
    )
    taught = (
        f"\nBeside the labels it learned the answers of a teacher, the model `{config.teacher}`.\n"
        if config.teacher
        else ""
    )
    votes = (
        "\nPart of what it learned are the votes of ten people an image: FER+, Barsoum et al. 2016,"
        " arXiv:1608.01041.\n"
        if any(stage.soft_labels for stage in (*configs, config))
        else ""
    )
    return f"""
## Recipe
{stages}
```
{command}
```
{taught}{votes}
All settings, defaults included, are in `contract.json` under `training`.
"""


def _command(contract: ModelContract, config: TrainingConfig, *, name: str = "") -> str:
    edits = contract.dataset.get("edits") or {}
    return training_command(config, contract.dataset["name"], edits.get("version"), name=name)
