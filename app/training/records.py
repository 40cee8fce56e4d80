"""Training runs as plain rows: for the table, its filter and the CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from app.training import launch
from app.training.fields import network as title_of
from app.training.launch import Phase
from pipeline.errors import PipelineError
from pipeline.recognition.contract import ModelContract
from pipeline.runs import Run
from pipeline.spreadsheets import harmless


@dataclass(frozen=True)
class Record:
    """What is known of one run; `None` where nothing is known (yet).

    Attributes:
        run: Its id.
        title: What people call it; empty: its id.
        tags: As people gave them, sorted.
        phase: Where it is; `None` if its files are damaged.
        network: The network's title.
        dataset: What it was trained on.
        epochs_done: Finished epochs.
        epochs: Epochs that it was to have at most.
        val_accuracy, val_macro_f1: Of the epoch whose weights were kept, in `[0, 1]`.
        test_accuracy, test_macro_f1: Of its model, in `[0, 1]`.
        parameters: Weights of the network.
        macs: Multiply-accumulates for one face.
        seconds: Time that its epochs took.
        created: ISO 8601 in UTC.
        note: What people say of it.
        reason: Why it stopped or failed.
        archived: Whether the table leaves it out unless asked.
        config: Its settings.
    """

    run: str
    phase: Phase | None
    network: str = ""
    dataset: str = ""
    epochs_done: int = 0
    epochs: int = 0
    val_accuracy: float | None = None
    val_macro_f1: float | None = None
    test_accuracy: float | None = None
    test_macro_f1: float | None = None
    parameters: int | None = None
    macs: int | None = None
    seconds: float | None = None
    created: str = ""
    note: str = ""
    reason: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False
    config: dict[str, Any] = field(default_factory=dict)


def record(run: Run) -> Record:
    """Reads one run; a damaged one says so and does not hide the others."""
    try:
        return _read(run)
    except (PipelineError, KeyError, ValueError, TypeError, AttributeError) as error:
        notes = run.notes
        return Record(
            run.id,
            None,
            reason=f"damaged: {error}",
            title=notes.title,
            tags=notes.tags,
            archived=notes.archived,
        )


def matching(
    records: Iterable[Record],
    *,
    text: str = "",
    phases: Sequence[Phase] = (),
    tags: Sequence[str] = (),
    archived: bool = False,
) -> list[Record]:
    """The records that a user looks for.

    Args:
        records: All of them.
        text: Words that must all occur in name, title, tags, network, dataset,
            note or reason, in any case.
        phases: The phases looked for; empty: any.
        tags: Tags of which it must have each.
        archived: Whether to take in archived runs.
    """
    words = text.lower().split()
    return [
        item
        for item in records
        if (archived or not item.archived)
        and (not phases or item.phase in phases)
        and set(tags) <= set(item.tags)
        and all(word in _words(item) for word in words)
    ]


def to_csv(records: Sequence[Record]) -> str:
    """The records and every setting of theirs, one line each, with a heading."""
    facts = [item.name for item in fields(Record) if item.name != "config"]
    settings = sorted({name for item in records for name in item.config} - set(facts))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*facts, *settings])
    for item in records:
        known = [getattr(item, name) for name in facts if name != "tags"]
        known.insert(facts.index("tags"), ", ".join(item.tags))
        known += [item.config.get(name) for name in settings]
        writer.writerow(map(harmless, known))
    return file.getvalue()


def _words(item: Record) -> str:
    words = (item.run, item.title, *item.tags, item.network, item.dataset, item.note, item.reason)
    return " ".join(words).lower()


def _read(run: Run) -> Record:
    notes = run.notes
    state, config, history = run.state, run.config, run.history
    best, test = run.best or {}, run.evaluation.get("test", {})
    contract = ModelContract.load(run.folder) if run.has_model else None
    return Record(
        run=run.id,
        phase=launch.phase(run),
        network=title_of(config["architecture"]),
        dataset=str(config["dataset"]),
        epochs_done=len(history),
        epochs=int(config["epochs"]),
        val_accuracy=best.get("val_accuracy"),
        val_macro_f1=best.get("val_macro_f1"),
        test_accuracy=test.get("accuracy"),
        test_macro_f1=test.get("macro_f1"),
        parameters=contract.num_parameters if contract else None,
        macs=contract.num_macs if contract else None,
        seconds=sum(entry["seconds"] for entry in history) if history else None,
        created=state.created,
        note=notes.note,
        reason=state.reason,
        title=notes.title,
        tags=notes.tags,
        archived=notes.archived,
        config=config,
    )
