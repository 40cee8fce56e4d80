"""How the JSON API bears up: latency, throughput and refusals with 1, 8 and 64 clients.

    python -m bench.api [--requests 200] [--minutes 10] [--url http://localhost:8501]

Without an address it starts a dashboard of its own, with the active model of
this home. Clients share the processors with the server and send as fast as
they are answered; a refused one waits as long as it is told. With `--minutes` eight
clients then go on for that long, and the server's memory is noted.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import statistics
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import psutil
import requests
import skimage.data
from PIL import Image

from bench.common import Dashboard, conclude, dashboard

CLIENTS = (1, 8, 64)
BUSY = 8
PARTS = 5


@dataclass(frozen=True)
class Answer:
    """Of one request, with its milliseconds from sending to the last byte."""

    status: int
    latency: float


def photo() -> bytes:
    """A JPEG of 512×512 pixels with one face."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(skimage.data.astronaut())).save(file, "JPEG", quality=92)
    return file.getvalue()


@dataclass(frozen=True)
class Answers:
    """Of all clients: milliseconds of each answer, of the good and of the refusals."""

    good: list[float]
    refused: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Photos recognised a second."""
        return len(self.good) / self.seconds

    def __str__(self) -> str:
        text = (
            f"median {statistics.median(self.good):7.1f} ms, p95 "
            f"{np.percentile(self.good, 95):7.1f} ms, {self.rate:5.1f} photos/s, "
            f"{len(self.refused) / len(self.good + self.refused):4.0%} refused"
        )
        if self.refused:
            text += f" (in {statistics.median(self.refused):.1f} ms)"
        return text


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


def load(url: str, data: bytes, num_clients: int, tickets: Iterable[int]) -> Answers:
    """Sends a request for each ticket, as fast as the clients are answered."""
    # Its `next` is one step under the interpreter's lock, so threads may share it.
    shared = iter(tickets)
    began = time.perf_counter()
    with ThreadPoolExecutor(num_clients) as threads:
        parts = [threads.submit(client, url, data, shared) for _ in range(num_clients)]
        answers = list(itertools.chain.from_iterable(part.result() for part in parts))
    return Answers(
        good=[answer.latency for answer in answers if answer.status == 200],
        refused=[answer.latency for answer in answers if answer.status == 503],
        seconds=time.perf_counter() - began,
    )


def until(end: float) -> Iterator[int]:
    """Tickets until that moment of the monotonic clock."""
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def over_time(server: Dashboard, data: bytes, minutes: float) -> str:
    """Keeps some clients busy; tells how the server's memory went."""
    process = psutil.Process(server.pid)
    memory, answered = [process.memory_info().rss / 1e6], 0
    for _ in range(PARTS):
        part = load(server.url, data, BUSY, until(time.monotonic() + 60 * minutes / PARTS))
        answered += len(part.good)
        memory.append(process.memory_info().rss / 1e6)
    print(
        f"memory of the server, {BUSY} clients for {minutes:g} min, {answered} photos: "
        f"{memory[0]:.0f} MB before, after each {60 * minutes / PARTS:.0f} s "
        f"{', '.join(f'{each:.0f}' for each in memory[1:])} MB"
    )
    return f"memory {memory[-1] - memory[1]:+.0f} MB in the last {minutes * (1 - 1 / PARTS):g} min"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="of a running dashboard")
    parser.add_argument("--requests", type=int, default=200, help="for each number of clients")
    parser.add_argument("--minutes", type=float, default=0, help="of load, to watch the memory")
    options = parser.parse_args()
    if options.url and options.minutes:
        parser.error("--minutes watches the memory of a server of its own: leave out --url")
    data = photo()
    with nullcontext() if options.url else dashboard() as server:
        url = options.url or server.url
        load(url, data, num_clients=1, tickets=range(3))  # warms up
        findings = []
        for num_clients in CLIENTS:
            answers = load(url, data, num_clients, range(options.requests))
            print(f"{num_clients:3d} clients: {answers}")
            findings.append(f"{num_clients}: {answers.rate:.1f} photos/s")
        if options.minutes:
            findings.append(over_time(server, data, options.minutes))
    conclude(f"clients {', '.join(findings)}")


if __name__ == "__main__":
    main()
