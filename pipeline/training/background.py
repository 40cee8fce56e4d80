"""Commands of FER Lab as background processes that outlive whoever starts them.

What is said between them goes through files: a pipe would break when the
dashboard is closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.home import PROJECT_ROOT, Home


def launch(arguments: Sequence[str], home: Home, log: Path, **variables: str) -> int:
    """Starts `python -m pipeline` in a session of its own.

    Args:
        arguments: What follows `python -m pipeline`.
        home: The home that the process works in.
        log: The file that takes what it prints, at its end.
        variables: What the environment says besides.

    Returns:
        The process's id.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=PROJECT_ROOT,
            env={
                **os.environ,
                "FERLAB_HOME": str(home.root),
                "PYTHONUNBUFFERED": "1",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # A child nobody waits for stays a zombie that looks alive.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process.pid
