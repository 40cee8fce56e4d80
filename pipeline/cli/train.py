"""`train`: a new run, or one that was interrupted, trained in this process."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Annotated, Any

import typer
from rich.table import Table

from pipeline.cli.common import (
    EDITS_METAVAR,
    JsonFlag,
    console,
    datasets,
    loading_keras,
    notes,
    pick_dataset,
    print_json,
    runs,
    with_edits,
)
from pipeline.cli.training_bar import training_bar
from pipeline.errors import ConfigError, PipelineError
from pipeline.home import Home
from pipeline.runs import Run, RunStatus
from pipeline.training import architectures, backends, worker
from pipeline.training.arithmetic import advice
from pipeline.training.config import Setting, TrainingConfig, settings
from pipeline.training.preflight import check_training, check_unfinished
from pipeline.training.queue import RunQueue


def train(
    dataset: str | None,
    edits: str | None,
    name: str | None,
    resume: str | None,
    queue: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Trains a network on an imported dataset; Ctrl-C stops it and keeps the best weights.

    Without options this is the seed recipe. `--resume ID` continues an
    interrupted run from its last finished epoch, with the edits it was begun with.
    """
    backends.chosen()
    changed = {key: value for key, value in values.items() if value is not None}
    if resume is not None:
        if changed or dataset or edits or name:
            raise ConfigError("--resume continues a run as it was begun: give no other setting")
        run = runs().get(resume)
        check_unfinished(run)
    else:
        chosen, config = with_edits(pick_dataset(dataset), edits), TrainingConfig(**changed)
        # Before the run is made: a failed one that was never begun is of no use.
        check_training(config, chosen, Home.from_environment())
        hint = advice(config)
        if hint:
            notes().print(hint, style="yellow")
        run = worker.create(runs(), config, chosen, name)
    if queue:
        place = RunQueue(Home.from_environment()).submit(run)
        _tell_place(run, place, as_json)
        return
    try:
        status = _train(run)
    finally:
        # Whatever became of it: those in the queue must not have to wait for a dashboard.
        _advance_queue()
    if as_json:
        print_json({"run": run.id, "status": status, "evaluation": run.evaluation})
    else:
        _summarise(run, status)


def _advance_queue() -> None:
    try:
        RunQueue(Home.from_environment()).advance()
    except (PipelineError, OSError) as error:
        # Not in place of what became of the training itself.
        notes().print(f"The queue could not go on: {error}", style="yellow", markup=False)


def _tell_place(run: Run, place: int, as_json: bool) -> None:
    if as_json:
        print_json({"run": run.id, "place": place})
    elif place:
        console().print(f"Run {run.id} is queued, at place {place}.", markup=False)
    else:
        console().print(f"Run {run.id} is being trained in the background.", markup=False)


def _signature() -> inspect.Signature:
    """One option for each field of `TrainingConfig`, with its help and range."""
    leading = {
        "dataset": Annotated[
            str | None, typer.Option(help="Name of an imported dataset; default: the only one.")
        ],
        "edits": Annotated[
            str | None,
            typer.Option(
                metavar=EDITS_METAVAR,
                help="Exclusions and relabels to train with, as made on the dataset page. "
                "The scores of the run are those without them. Default: none.",
            ),
        ],
        "name": Annotated[str | None, typer.Option(help="Id of the new run.")],
        "resume": Annotated[str | None, typer.Option(help="Id of the run to continue.")],
        "queue": Annotated[
            bool,
            typer.Option(
                "--queue", help="Train it in the background, once there is room; see `runs queue`."
            ),
        ],
        "as_json": JsonFlag,
    }
    known = settings()
    parameters = [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if key in ("queue", "as_json") else None,
            annotation=annotation,
        )
        for key, annotation in leading.items()
    ]
    parameters += [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                type(item.default) | None,
                typer.Option(
                    help=_help(known[item.name], item.name, item.default),
                    rich_help_panel=known[item.name].group.capitalize(),
                ),
            ],
        )
        for item in fields(TrainingConfig)
    ]
    return inspect.Signature(parameters)


def _help(setting: Setting, name: str, default: Any) -> str:
    choices = architectures.names() if name == "architecture" else setting.choices
    if choices:
        allowed = f" One of {', '.join(map(str, choices))}."
    elif setting.low is not None:
        allowed = f" In {setting.low:g} to {setting.high:g}."
    else:
        allowed = ""
    default_is = "" if default == "" else f" Default: {default}."
    return f"{setting.help}{allowed}{default_is}"


train.__signature__ = _signature()  # type: ignore[attr-defined]


def _train(run: Run) -> RunStatus:
    config = run.config
    notes().print(
        f"Run {run.id}: {config['architecture']} on {config['dataset']}"
        f"{_edits(config.get('overlay_version'))}, up to {config['epochs']} epochs; "
        f"files in {run.folder}",
        soft_wrap=True,
        markup=False,
    )
    with loading_keras():
        from pipeline.training.session import train_run

    with training_bar() as bar:
        return train_run(run, datasets(), bar, bar.on_other_work)


def _edits(version: int | None) -> str:
    return "" if version is None else f" with version {version} of its edits"


def _summarise(run: Run, status: RunStatus) -> None:
    best = run.best
    if best is None:
        notes().print(f"{status}; no epoch was finished, so there is no model yet.")
        return
    table = Table(title=f"{run.id}: {status}, best epoch {best['epoch']}")
    for heading in ("split", "accuracy", "95 % interval", "clean", "macro-F1"):
        table.add_column(heading)
    for split, report in run.evaluation.items():
        low, high = report["accuracy_ci95"]
        clean = report["clean"]["accuracy"]
        table.add_row(
            split,
            f"{report['accuracy']:.2%}",
            f"{low:.2%} to {high:.2%}",
            "–" if clean is None else f"{clean:.2%}",
            f"{report['macro_f1']:.3f}",
        )
    console().print(table)
    console().print(f"Model, contract and model card: {run.folder}", markup=False)
