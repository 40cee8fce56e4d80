"""The API as users meet it: on the port of a real dashboard, in a process of its own."""

import io
import os
import random
import socket
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
import skimage.data
from PIL import Image

from pipeline.home import PROJECT_ROOT, Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import make_model

pytestmark = pytest.mark.xdist_group("api_server")


@dataclass(frozen=True)
class Server:
    """A dashboard that runs for these tests."""

    url: str
    process: psutil.Process

    def post(self, data: bytes, name: str = "photo.jpg") -> requests.Response:
        files = {"image": (name, data)}
        return requests.post(f"{self.url}/detect_image", files=files, timeout=120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    home = Home(folder / "home")
    ModelCatalog(home).activate(str(make_model(folder / "bars")))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FERLAB_")},
        "FERLAB_HOME": str(home.root),
        "FERLAB_API_MAX_MB": "4",
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://localhost:{port}"
            _wait_until_ready(url, process, folder / "log")
            yield Server(url, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(15)
    assert "Traceback" not in (folder / "log").read_text()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


def encode(pixels: np.ndarray, form: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def astronaut() -> bytes:
    return encode(skimage.data.astronaut())


def test_portrait_beside_the_dashboard(server: Server, astronaut: bytes) -> None:
    (face,) = server.post(astronaut).json()
    assert abs(face["x"] + face["w"] / 2 - 223) < 20
    # The dashboard is still there, and what is only for posting does not fall through to it.
    assert "text/html" in requests.get(server.url, timeout=10).headers["content-type"]
    for method in ("GET", "PUT", "OPTIONS"):
        response = requests.request(method, f"{server.url}/detect_image", timeout=10)
        assert response.status_code == 405
        assert response.json().keys() == {"error"}


def test_open_connection_is_answered_at_once(server: Server) -> None:
    times = []
    with requests.Session() as client:
        for _ in range(20):
            began = time.perf_counter()
            client.get(f"{server.url}/healthz", timeout=10)
            times.append(time.perf_counter() - began)
    # The first opens the connection; a delayed acknowledgement takes 40 ms, every time after.
    assert min(times[1:]) < 0.03


def test_frames_of_a_session(server: Server, astronaut: bytes) -> None:
    tracks = []
    for _ in range(3):
        response = requests.post(
            f"{server.url}/detect_frame",
            files={"frame": astronaut},
            data={"session": "one"},
            timeout=30,
        )
        tracks += [face["track"] for face in response.json()]
    assert tracks == [1, 1, 1]


def test_concurrent_uploads(server: Server, astronaut: bytes) -> None:
    expected = server.post(astronaut).json()
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda _: server.post(astronaut), range(16)))
    assert [answer.status_code for answer in answers] == [200] * 16
    assert all(answer.json() == expected for answer in answers)


def test_chunked_upload_over_the_limit(server: Server) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        for _ in range(128):
            yield bytes(2**16)

    response = requests.post(
        f"{server.url}/detect_image",
        data=body(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        timeout=30,
    )
    assert response.status_code == 413
    assert "larger than 4 MB" in response.json()["error"]


def png_of_size(width: int, height: int) -> bytes:
    """A picture that says it is this large, with next to nothing in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def malformed(number: int, rng: random.Random) -> tuple[str, bytes]:
    """Name and content of a file that is no whole picture."""
    forms = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
    whole = encode(skimage.data.astronaut()[: rng.randrange(40, 200)], rng.choice(forms))
    match number % 8:
        case 0:
            return "truncated", whole[: rng.randrange(1, len(whole) // 2)]
        case 1:
            return "without its head.png", whole[rng.randrange(20, len(whole)) :]
        case 2:
            return "zeros.jpg", bytes(rng.randrange(1, 100_000))
        case 3:
            return "empty.png", b""
        case 4:
            return "noise.gif", rng.randbytes(rng.randrange(1, 50_000))
        case 5:
            text = b"%PDF-1.7" if number % 2 else b"<svg xmlns='http://www.w3.org/2000/svg'/>"
            return "wrong extension.jpg", text * rng.randrange(1, 500)
        case 6:
            sides = rng.choice([(2**31 - 1, 1), (100_000, 100_000), (0, 0), (9000, 9000)])
            return f"{sides} pixels.png", png_of_size(*sides)
    return "only a head.tiff", whole[: rng.randrange(2, 16)]


def test_200_malformed_images(server: Server, astronaut: bytes) -> None:
    rng = random.Random(0)
    files = [malformed(number, rng) for number in range(200)]
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda file: server.post(file[1], file[0]), files))
    for (name, _), answer in zip(files, answers, strict=True):
        assert answer.status_code == 415, f"{name}: {answer.status_code} {answer.text}"
        assert answer.json()["error"].startswith("image: "), name
    assert server.post(astronaut).status_code == 200


def test_overload_is_refused_and_passes(server: Server, astronaut: bytes) -> None:
    crowd = np.tile(skimage.data.astronaut(), (4, 5, 1))
    photo = encode(crowd)
    with ThreadPoolExecutor(64) as clients:
        answers = list(clients.map(lambda _: server.post(photo), range(64)))
    counts = Counter(answer.status_code for answer in answers)
    assert counts.keys() == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert "busy" in answer.json()["error"]
    assert server.post(astronaut).status_code == 200
    assert requests.get(f"{server.url}/healthz", timeout=5).json() == {"status": "ok"}


def test_tensorflow_is_never_loaded(server: Server, astronaut: bytes) -> None:
    assert server.post(astronaut).status_code == 200
    loaded = "\n".join(file.path for file in server.process.memory_maps())
    assert "onnxruntime" in loaded
    assert "tensorflow" not in loaded


def test_wrong_setting_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "FERLAB_HOME": str(tmp_path),
            "FERLAB_API_QUEUE": "many",
            "STREAMLIT_SERVER_HEADLESS": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "FER Lab cannot start: FERLAB_API_QUEUE must be a whole number from 0 to 1000, got 'many'"
    ]
