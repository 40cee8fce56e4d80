"""Training runs on disk: what was trained, how, how it went, and what people say of it.

runs/<id>/
    config.json        the `TrainingConfig` and the dataset's name
    status.json        state, reason, process; replaced atomically
    started.json       the process that was started last; see `Run.is_starting`
    progress.json      where the running epoch is; replaced atomically
    history.jsonl      one line per finished epoch
    environment.json   versions, fingerprint of the data, git commit
    notes.json         title, tags, note, archived or not
    train.log          what the training process printed
    .*.lock, .lock     held while somebody trains, starts or annotates it; see `locks`
    checkpoints/       the newest epoch (everything needed to go on) and the best weights
    model.onnx, model.keras, contract.json, probes.npz, evaluation.json,
    MODEL_CARD.md      the finished model; see `recognition.contract`
runs/queue.json        who is next; see `training.queue`
runs/.trash/           what was deleted and can be had back
"""

from pipeline.runs.notes import RunNotes, edit_notes
from pipeline.runs.run import Run, write_history, write_state
from pipeline.runs.state import (
    ProcessMark,
    RunState,
    RunStatus,
    process_is_alive,
    process_started,
)
from pipeline.runs.store import RunStore
from pipeline.runs.trash import KEPT_FOR, Trash, TrashedRun

__all__ = [
    "KEPT_FOR",
    "ProcessMark",
    "Run",
    "RunNotes",
    "RunState",
    "RunStatus",
    "RunStore",
    "Trash",
    "TrashedRun",
    "edit_notes",
    "process_is_alive",
    "process_started",
    "write_history",
    "write_state",
]
