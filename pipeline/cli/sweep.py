"""`sweep`: hyperparameter search, in this process or many, on this computer or many."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from pipeline.cli.common import (
    JsonFlag,
    console,
    loading_keras,
    notes,
    pick_dataset,
    print_json,
    runs,
)
from pipeline.cli.tables import print_rows
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.training.arithmetic import advice
from pipeline.training.config import TrainingConfig
from pipeline.training.presets import PRESETS
from pipeline.training.sweep import Sweep, SweepDefinition, SweepStore, TrialPhase, processes
from pipeline.training.sweep.database import shown_url
from pipeline.training.sweep.definition import base_of, parse_field
from pipeline.training.sweep.store import STORAGE_VARIABLE, best

app = typer.Typer(
    help="Hyperparameter search: create one, work at it, show what it found.", no_args_is_help=True
)

Storage = Annotated[
    str | None,
    typer.Option(
        help="Address of the database, such as postgresql://user:password@host/name, for workers "
        f"on many computers. Default: ${STORAGE_VARIABLE}, else an SQLite file in the home."
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command()
def create(
    name: Name,
    field: Annotated[
        list[str],
        typer.Option(
            help="A setting to search over: learning_rate:1e-4:1e-1:log, dropout:0:0.6, "
            "architecture=vgg,seed_cnn, or just its name. Give one or more."
        ),
    ],
    dataset: Annotated[
        str | None, typer.Option(help="Name of an imported dataset; default: the only one.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="What the other settings are: the name of a preset or of a run.")
    ] = "seed",
    epochs: Annotated[int | None, typer.Option(help="Epochs a trial; default: the base's.")] = None,
    subset: Annotated[
        float | None, typer.Option(help="Share of the training images; default: the base's.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="Arithmetic of the layers; default: the base's.")
    ] = None,
    metric: Annotated[str, typer.Option(help="The validation figure to make best.")] = (
        "val_accuracy"
    ),
    trials: Annotated[int, typer.Option(help="How many trainings, over all workers.")] = 20,
    pruning: Annotated[
        bool, typer.Option(help="Give trainings up that do worse than the median.")
    ] = True,
    storage: Storage = None,
) -> None:
    """Makes a search; `sweep worker` then works at it."""
    chosen = pick_dataset(dataset)
    changes: dict[str, Any] = {"epochs": epochs, "subset": subset, "precision": precision}
    definition = SweepDefinition(
        base=replace(_base(base), **{key: v for key, v in changes.items() if v is not None}),
        dataset=chosen.name,
        fingerprint=chosen.meta.fingerprint,
        has_votes=chosen.meta.votes_source is not None,
        fields=tuple(parse_field(text) for text in field),
        metric=metric,
        num_trials=trials,
        pruning=pruning,
    )
    store = _store(storage)
    hint = advice(definition.base)
    if hint and all(item.name != "precision" for item in definition.fields):
        notes().print(hint, style="yellow")
    store.create(name, definition, runs())
    console().print(f"Made {name} in {shown_url(store.url)}.", markup=False, soft_wrap=True)
    console().print(
        f"Work at it, as often and wherever you like: python -m pipeline sweep worker --study "
        f"{name}" + (" --storage …" if storage else ""),
        markup=False,
        soft_wrap=True,
    )


@app.command()
def worker(
    study: Annotated[str, typer.Option(help="Name of the search.")],
    storage: Storage = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="The most trials to train here; default: all.")
    ] = None,
) -> None:
    """Trains trials one after another; Ctrl-C stops, and the trial can be taken up again."""
    home, store = Home.from_environment(), _store(storage)
    sweep = store.get(study)
    with processes.registered(home, study):
        with loading_keras():
            from pipeline.training import session  # noqa: F401
        from pipeline.training.sweep.worker import work

        number = work(sweep, home, _Lines(sweep.definition.metric), num_trials=trials)
    console().print(f"{number} trials trained here; {_progress(sweep)}.", markup=False)


@app.command()
def show(name: Name, storage: Storage = None, as_json: JsonFlag = False) -> None:
    """Shows a search: what is searched, its trials and which settings mattered."""
    sweep = _store(storage).get(name)
    definition, trials = sweep.definition, sweep.trials
    importances = sweep.importances()
    if as_json:
        print_json(
            {
                **_summary(sweep),
                "definition": definition.to_dict(),
                "trials": [asdict(item) for item in trials],
                "importances": importances,
            }
        )
        return
    searched = [item.name for item in definition.fields]
    rows = [
        {
            "trial": item.number,
            "state": item.phase.value,
            "run": item.run,
            definition.metric: item.value,
            **{key: item.params.get(key) for key in searched},
            "note": item.note,
        }
        for item in trials
    ]
    title = f"{name}: {_progress(sweep)}"
    if rows:
        print_rows(title, rows, least=("note", "run", *searched[::-1]))
    else:
        console().print(f"{title}; it searches {', '.join(searched)}.", markup=False)
    for key, share in importances.items():
        console().print(f"{key}: explains {share:.0%}", markup=False)


@app.command("list")
def list_sweeps(storage: Storage = None, as_json: JsonFlag = False) -> None:
    """Lists all searches."""
    store = _store(storage)
    names, errors = store.usable()
    for error in errors:
        notes().print(f"warning: {error}", style="yellow", markup=False)
    found = [_summary(store.get(name)) for name in names]
    if as_json:
        print_json(found)
        return
    if not found:
        notes().print("No sweeps yet: make one with `sweep create`.", markup=False)
        return
    print_rows("Sweeps", found, least=("metric", *map(str, TrialPhase), "dataset", "best_run"))


@app.command()
def extend(
    name: Name,
    trials: Annotated[int, typer.Option(min=1, help="How many more.")],
    storage: Storage = None,
) -> None:
    """Allows more trials; start a worker for them."""
    definition = _store(storage).get(name).extend(trials)
    console().print(f"{name} is to have {definition.num_trials} trials now.", markup=False)


@app.command()
def delete(
    name: Name,
    storage: Storage = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forgets a search for good; its runs stay."""
    store = _store(storage)
    store.get(name)
    if not yes:
        typer.confirm(f"Forget sweep {name} for good? Its runs stay.", abort=True, err=True)
    processes.delete(store, name, Home.from_environment())
    console().print(f"Deleted {name}.", markup=False)


class _Lines:
    """A `Listener` that prints a line for each epoch and each note."""

    def __init__(self, metric: str) -> None:
        self._metric = metric

    def on_batch(self, progress: dict[str, Any]) -> None:
        """Says nothing: a bar for each of many trials is noise."""

    def on_epoch(self, entry: dict[str, Any]) -> None:
        notes().print(
            f"  epoch {entry['epoch']:3d}  loss {entry['loss']:.4f}  "
            f"{self._metric} {entry[self._metric]:.4f}  {entry['seconds']:.1f} s",
            soft_wrap=True,
        )

    def on_note(self, text: str) -> None:
        notes().print(text, markup=False, soft_wrap=True)


def _store(url: str | None) -> SweepStore:
    return SweepStore.of(Home.from_environment(), url)


def _base(name: str) -> TrainingConfig:
    presets = {preset.name: preset.config for preset in PRESETS}
    if name in presets:
        return presets[name]
    known = {run.id: run for run in runs().list()}
    if name not in known:
        raise ConfigError(
            f"no preset or run {name!r} to begin with; the presets are {', '.join(presets)}"
        )
    return base_of(known[name].config)


def _summary(sweep: Sweep) -> dict[str, Any]:
    definition, trials = sweep.definition, sweep.trials
    winner = best(definition, trials)
    phases = [item.phase for item in trials]
    return {
        "sweep": sweep.name,
        "dataset": definition.dataset,
        "metric": definition.metric,
        "trials": definition.num_trials,
        **{str(phase): phases.count(phase) for phase in TrialPhase},
        "best": winner.value if winner else None,
        "best_run": winner.run if winner else None,
    }


def _progress(sweep: Sweep) -> str:
    known = _summary(sweep)
    ended = sum(known[phase] for phase in ("finished", "pruned", "failed"))
    text = f"{ended} of {known['trials']} trials ended"
    if known["best"] is None:
        return text
    return f"{text}, best {known['metric']} {known['best']:.4f} in {known['best_run']}"
