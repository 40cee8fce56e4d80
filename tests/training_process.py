"""A training process for tests that kill it, forked from one that has loaded Keras already.

Loading TensorFlow takes far longer than all that such a test is about.
"""

import os
import sys
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import Run

_context = get_context("forkserver")
_context.set_forkserver_preload(["pipeline.training.session"])


def start(run: Run, home: Home) -> BaseProcess:
    """Starts a process that trains, or resumes, a run as `worker.start` has it done."""
    process = _context.Process(target=_train, args=(run, home))
    process.start()
    return process


def _train(run: Run, home: Home) -> None:
    from pipeline.__main__ import main

    os.environ["FERLAB_HOME"] = str(home.root)
    os.chdir(PROJECT_ROOT)
    log = os.open(run.folder / "train.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    sys.argv = ["pipeline", "train", "--resume", run.id]
    main()
