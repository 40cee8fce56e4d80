"""How the JSON API bears up: latency, throughput and refusals with 1, 8 and 64 clients.

    python -m bench.api [--requests 200] [--url http://localhost:8501]

Without an address it starts a dashboard of its own, with the active model of
this home. Clients share the processors with the server and send as fast as
they are answered; a refused one waits as long as it is told.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import requests
import skimage.data
from PIL import Image

from pipeline.home import PROJECT_ROOT

CLIENTS = (1, 8, 64)
_STARTING_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """Of one request, with its milliseconds from sending to the last byte."""

    status: int
    latency: float


@contextmanager
def dashboard() -> Iterator[str]:
    """A server on a free port, for as long as it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    options = {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"],
            cwd=PROJECT_ROOT,
            env={**os.environ, **options},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_ready(url)
            yield url
        finally:
            process.terminate()
            process.wait(15)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + _STARTING_SECONDS
    reason = "no answer"
    while time.monotonic() < deadline:
        try:
            response = requests.get(f"{url}/readyz", timeout=30)
        except requests.ConnectionError:
            time.sleep(0.2)
            continue
        if response.ok:
            return
        reason = response.json()["error"]
        break
    raise SystemExit(f"the server at {url} is not ready: {reason}")


def photo() -> bytes:
    """A JPEG of 512×512 pixels with one face."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(skimage.data.astronaut())).save(file, "JPEG", quality=92)
    return file.getvalue()


def client(url: str, data: bytes, tickets: Iterator[int]) -> list[Answer]:
    """Sends one request after another until all are given out."""
    answers = []
    headers = {}
    if token := os.environ.get("FERLAB_API_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    with requests.Session() as session:
        for _ in tickets:
            began = time.perf_counter()
            response = session.post(
                f"{url}/detect_image", files={"image": data}, headers=headers, timeout=120
            )
            answers.append(Answer(response.status_code, 1000 * (time.perf_counter() - began)))
            if response.status_code == 503:
                time.sleep(float(response.headers["Retry-After"]))
            else:
                response.raise_for_status()
    return answers


def measure(url: str, data: bytes, num_clients: int, num_requests: int) -> str:
    # Its `next` is one step under the interpreter's lock, so threads may share it.
    tickets = iter(range(num_requests))
    began = time.perf_counter()
    with ThreadPoolExecutor(num_clients) as threads:
        parts = [threads.submit(client, url, data, tickets) for _ in range(num_clients)]
        answers = list(itertools.chain.from_iterable(part.result() for part in parts))
    elapsed = time.perf_counter() - began
    good = [answer.latency for answer in answers if answer.status == 200]
    refused = [answer.latency for answer in answers if answer.status == 503]
    text = (
        f"{num_clients:3d} clients: median {statistics.median(good):7.1f} ms, p95 "
        f"{np.percentile(good, 95):7.1f} ms, {len(good) / elapsed:5.1f} photos/s, "
        f"{len(refused) / len(answers):4.0%} refused"
    )
    if refused:
        text += f" (in {statistics.median(refused):.1f} ms)"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="of a running dashboard")
    parser.add_argument("--requests", type=int, default=200, help="for each number of clients")
    options = parser.parse_args()
    data = photo()
    with nullcontext(options.url) if options.url else dashboard() as url:
        measure(url, data, num_clients=1, num_requests=3)  # warms up
        for num_clients in CLIENTS:
            print(measure(url, data, num_clients, options.requests))


if __name__ == "__main__":
    main()
