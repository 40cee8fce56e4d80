import http.client
import logging
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
import skimage.data

from app import resources
from app.api import uploads
from app.api.settings import ApiSettings
from app.recognition import change_settings, load_settings
from pipeline.home import Home
from pipeline.labels import EMOTIONS, NAMES
from pipeline.recognition.recognizer import Recognizer
from tests.served_models import bar_faces

KEYS = {"x", "y", "w", "h", "emotion", "scores", "confidence", "unsure", "quality"}
ROUTES = {
    "/detect_image": "POST",
    "/detect_frame": "POST",
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
}
SMALL = ApiSettings(max_bytes=2**20)


def post_image(url: str, data: bytes, **options: object) -> requests.Response:
    return requests.post(f"{url}/detect_image", files={"image": data}, timeout=60, **options)


def post_frame(url: str, data: bytes, session: str | None = None) -> requests.Response:
    fields = {} if session is None else {"session": session}
    return requests.post(f"{url}/detect_frame", files={"frame": data}, data=fields, timeout=60)


def error(response: requests.Response) -> str:
    """The sentence of a refusal, which is all that it holds."""
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"error"}
    return response.json()["error"]


def face_png(label: int, encode: Callable[[np.ndarray], bytes], seed: int = 0) -> bytes:
    """A picture that is all face, to which the test model gives one emotion."""
    grey = bar_faces(np.array([label]), seed)[0]
    return encode(np.repeat(grey[..., None], 3, axis=2))


# What is recognized


@pytest.mark.parametrize(("path", "field"), [("detect_image", "image"), ("detect_frame", "frame")])
def test_portrait(url: str, astronaut: bytes, path: str, field: str) -> None:
    response = requests.post(f"{url}/{path}", files={field: astronaut}, timeout=30)
    assert response.status_code == 200
    (face,) = response.json()
    assert face.keys() == KEYS
    assert abs(face["x"] + face["w"] / 2 - 223) < 20
    assert abs(face["y"] + face["h"] / 2 - 120) < 20
    assert face["emotion"] in [emotion.title for emotion in EMOTIONS]
    assert list(face["scores"]) == list(NAMES)
    assert abs(sum(face["scores"].values()) - 1) < 0.001
    assert face["confidence"] == max(face["scores"].values())
    assert response.headers["cache-control"] == "no-store"


def test_photo_is_recognized_as_in_the_dashboard(url: str, home: Home, astronaut: bytes) -> None:
    recognizer = resources.recognizer(load_settings(home))
    expected = [found.to_dict() for found in recognizer.recognize(skimage.data.astronaut())]
    assert post_image(url, astronaut).json() == expected


def test_no_face_is_an_empty_list(url: str, encode: Callable[[np.ndarray], bytes]) -> None:
    response = post_image(url, encode(skimage.data.coffee()))
    assert (response.status_code, response.json()) == (200, [])


def test_dashboards_settings_hold(
    url: str, home: Home, encode: Callable[[np.ndarray], bytes]
) -> None:
    face = face_png(3, encode)
    assert post_image(url, face).json() == []
    change_settings(home, detector="none", unsure_below=0.95)
    (found,) = post_image(url, face).json()
    assert found["emotion"] == "Happy"
    assert found["unsure"] is True
    assert (found["x"], found["y"], found["w"], found["h"]) == (0, 0, 48, 48)


# Sessions


def test_session_keeps_ids(url: str, encode: Callable[[np.ndarray], bytes]) -> None:
    portrait = skimage.data.astronaut()[:256, :384]
    tracks = []
    for shift in (0, 12, 24):
        # Two people, walking apart.
        left, right = np.roll(portrait, -shift, axis=1), np.roll(portrait, shift, axis=1)
        frame = encode(np.hstack([left, right]))
        faces = post_frame(url, frame, "walk").json()
        assert all(face.keys() == KEYS | {"track"} for face in faces)
        tracks.append({face["track"]: face["x"] for face in faces})
    assert [track.keys() for track in tracks] == [{1, 2}] * 3
    first, _, last = tracks
    assert sorted(last[track] - first[track] for track in (1, 2)) == pytest.approx([-24, 24], abs=6)


def test_session_smooths_what_a_frame_alone_would_say(
    url: str, home: Home, encode: Callable[[np.ndarray], bytes]
) -> None:
    change_settings(home, detector="none", smoothing=3.0)
    happy, sad = face_png(3, encode), face_png(4, encode)
    (before,) = post_frame(url, happy, "s").json()
    (after,) = post_frame(url, sad, "s").json()
    assert post_frame(url, sad).json()[0]["emotion"] == "Sad"
    assert (before["emotion"], after["emotion"]) == ("Happy", "Happy")
    assert after["scores"]["sad"] > before["scores"]["sad"]
    assert "track" not in post_frame(url, sad).json()[0]


def test_sessions_are_apart_and_the_address_may_name_them(
    url: str, home: Home, encode: Callable[[np.ndarray], bytes]
) -> None:
    change_settings(home, detector="none", smoothing=3.0)
    happy, sad = {"frame": face_png(3, encode)}, {"frame": face_png(4, encode)}
    address = f"{url}/detect_frame?session="
    assert requests.post(address + "a", files=happy, timeout=30).json()[0]["emotion"] == "Happy"
    (other,) = requests.post(address + "b", files=sad, timeout=30).json()
    assert (other["emotion"], other["track"]) == ("Sad", 1)


def test_frames_of_one_session_may_overtake_each_other_on_the_way(
    url: str, astronaut: bytes
) -> None:
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: post_frame(url, astronaut, "s"), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert {answer.json()[0]["track"] for answer in answers} == {1}


@pytest.mark.parametrize("session", ["", "no spaces, please"])
def test_malformed_session(url: str, astronaut: bytes, session: str) -> None:
    response = post_frame(url, astronaut, session)
    assert response.status_code == 400
    assert "1 to 64 letters" in error(response)


# Refusals


@pytest.mark.parametrize("path", ROUTES)
def test_every_method_is_answered(url: str, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        response = requests.request(method, url + path, timeout=10)
        if method in ROUTES[path].split(", "):
            assert response.status_code == (400 if method == "POST" else 200)
            continue
        assert response.status_code == 405
        assert response.headers["allow"] == ROUTES[path]
        if method != "HEAD":
            assert error(response) == f"{path} answers {ROUTES[path]}, got {method}"
    # What is no method of HTTP does not get as far as the routes.
    assert requests.request("BREW", url + path, timeout=10).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": b"\x89PNG"},
        {"data": {"image": "text"}},
        {"json": {"image": "text"}},
        {"files": {"picture": b"\x89PNG"}},
        {"files": {"image": (None, b"\x89PNG")}},
        {"data": b"--b\r\n", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"data": b"--b\r\n\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"files": [("image", b"one"), ("image", b"two")]},
        {"data": {f"field{n}": "x" for n in range(30)}, "files": {"image": b"x"}},
    ],
)
def test_no_file(url: str, body: dict) -> None:
    response = requests.post(f"{url}/detect_image", timeout=10, **body)
    assert response.status_code == 400
    assert "field 'image'" in error(response) or error(response).startswith("the form cannot")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"\xff\xd8\xff\xe0 torn"])
def test_not_an_image(url: str, data: bytes) -> None:
    response = post_image(url, data)
    assert response.status_code == 415
    assert error(response).startswith("image: ")


def test_too_large(serve: Callable[..., str]) -> None:
    response = post_image(serve(SMALL), bytes(2**20))
    assert response.status_code == 413
    assert "larger than 1 MB" in error(response)


def test_largest(serve: Callable[..., str]) -> None:
    assert post_image(serve(SMALL), bytes(2**20 - 500)).status_code == 415


@pytest.mark.parametrize("ends_connection", [False, True])
def test_too_large_in_chunks_of_no_declared_length(
    serve: Callable[..., str], ends_connection: bool
) -> None:
    address = urlsplit(serve(SMALL))
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        for _ in range(128):
            sent += 2**16
            yield bytes(2**16)

    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Transfer-Encoding": "chunked"}
    # A server that closes at once makes such a client fail before it reads why.
    headers |= {"Connection": "close"} if ends_connection else {}
    connection.request("POST", "/detect_image", body(), headers, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 413
    assert b"larger than 1 MB" in response.read()
    assert sent == 128 * 2**16
    connection.close()


def test_asked_first_nothing_is_sent(serve: Callable[..., str]) -> None:
    address = urlsplit(serve(SMALL))
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(
            b"POST /detect_image HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_no_model(url: str, tmp_path: Path, astronaut: bytes) -> None:
    (tmp_path / "shipped" / "bars" / "contract.json").unlink()
    for response in (
        post_image(url, astronaut),
        post_frame(url, astronaut, "s"),
        requests.get(f"{url}/readyz", timeout=10),
    ):
        assert response.status_code == 503
        assert error(response).startswith("there is no model yet")
    assert requests.get(f"{url}/healthz", timeout=10).json() == {"status": "ok"}


def test_model_that_comes_later_is_used(url: str, tmp_path: Path, astronaut: bytes) -> None:
    contract = tmp_path / "shipped" / "bars" / "contract.json"
    contract.rename(contract.with_suffix(".away"))
    assert post_frame(url, astronaut, "s").status_code == 503
    contract.with_suffix(".away").rename(contract)
    assert post_frame(url, astronaut, "s").json()[0]["track"] == 1
    ready = requests.get(f"{url}/readyz", timeout=10)
    assert ready.json() == {"status": "ready", "model": "bars"}


def test_token(serve: Callable[..., str], astronaut: bytes) -> None:
    url = serve(ApiSettings(token="s3cret"))
    for wrong in (None, "s3cret", "Basic s3cret", "Bearer", "Bearer s3cre", "Bearer s3crét"):
        headers = {} if wrong is None else {"Authorization": wrong.encode()}
        response = post_image(url, astronaut, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert "Authorization: Bearer" in error(response)
    assert post_frame(url, astronaut).status_code == 401
    for right in ("Bearer s3cret", "bearer s3cret"):
        assert post_image(url, astronaut, headers={"Authorization": right}).status_code == 200
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert requests.get(url + path, timeout=10).status_code == 200


def test_unforeseen_error_tells_nothing_of_the_inside(
    url: str, astronaut: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(Recognizer, "recognize", fail)
    response = post_image(url, astronaut)
    assert response.status_code == 500
    assert "secret" not in error(response)
    assert "secret inside" in caplog.text


# Other web pages


def test_other_origins_may_not_read_by_default(url: str, astronaut: bytes) -> None:
    headers = {"Origin": "https://example.org"}
    response = post_image(url, astronaut, headers=headers)
    preflight = requests.options(
        f"{url}/detect_image",
        headers={**headers, "Access-Control-Request-Method": "POST"},
        timeout=10,
    )
    for answer in (response, preflight):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert preflight.status_code == 405


def test_named_origins_may(serve: Callable[..., str], astronaut: bytes) -> None:
    url = serve(ApiSettings(token="t", cors_origins=("https://example.org",)))
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for origin, status in (("https://example.org", 200), ("https://example.com", 400)):
        headers = {"Origin": origin}
        allowed = origin if status == 200 else None
        preflight = requests.options(
            f"{url}/detect_image", headers={**headers, **asking}, timeout=10
        )
        assert preflight.status_code == status
        assert preflight.headers.get("access-control-allow-origin") == allowed
        # An error too must be readable for the page that made it.
        refusal = post_image(url, astronaut, headers=headers)
        assert refusal.status_code == 401
        assert refusal.headers.get("access-control-allow-origin") == allowed


# Load


class Gate:
    """Holds every recognition until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inside = 0
        self._open = threading.Event()
        recognize = Recognizer.recognize

        def wait(*args: object) -> object:
            self.inside += 1
            assert self._open.wait(10)
            return recognize(*args)

        monkeypatch.setattr(Recognizer, "recognize", wait)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.open()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_overload_is_refused_and_passes(
    serve: Callable[..., str], gate: Gate, astronaut: bytes
) -> None:
    url = serve(ApiSettings(queue=1))
    with ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(post_image, url, astronaut) for _ in range(8)]
        # Two are worked on and one waits: the others need not wait to be told.
        wait_for(lambda: sum(answer.done() for answer in answers) == 5)
        refused = [answer.result() for answer in answers if answer.done()]
        wait_for(lambda: gate.inside == 2)
        gate.open()
        statuses = sorted(answer.result().status_code for answer in answers)
    for response in refused:
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert "busy" in error(response)
    assert statuses == [200] * 3 + [503] * 5
    assert post_image(url, astronaut).status_code == 200


def test_busy_server_still_answers(serve: Callable[..., str], gate: Gate, astronaut: bytes) -> None:
    url = serve(ApiSettings(queue=0))
    with ThreadPoolExecutor(2) as clients:
        answers = [clients.submit(post_image, url, astronaut) for _ in range(2)]
        wait_for(lambda: gate.inside == 2)
        assert requests.get(f"{url}/healthz", timeout=5).status_code == 200
        assert requests.get(f"{url}/readyz", timeout=5).status_code == 200
        gate.open()
        assert [answer.result().status_code for answer in answers] == [200, 200]


def test_one_session_leaves_a_thread_to_others(
    serve: Callable[..., str], gate: Gate, astronaut: bytes
) -> None:
    url = serve()
    with ThreadPoolExecutor(5) as clients:
        frames = [clients.submit(post_frame, url, astronaut, "s") for _ in range(4)]
        wait_for(lambda: gate.inside == 1)
        photo = clients.submit(post_image, url, astronaut)
        wait_for(lambda: gate.inside == 2)
        gate.open()
        assert {answer.result().status_code for answer in [*frames, photo]} == {200}


def test_slow_upload_gives_its_place_back(
    serve: Callable[..., str], astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "READING_SECONDS", 0.2)
    monkeypatch.setattr(uploads, "_DRAINING_SECONDS", 0.1)
    url = serve(ApiSettings(queue=0))
    address = urlsplit(url)
    slow = [socket.create_connection((address.hostname, address.port)) for _ in range(2)]
    for client in slow:
        client.sendall(
            b"POST /detect_image HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
    for client in slow:
        client.settimeout(10)
        assert client.recv(4096).startswith(b"HTTP/1.1 408 ")
        client.close()
    assert post_image(url, astronaut).status_code == 200


def test_client_that_goes_away_gives_its_place_back(
    serve: Callable[..., str], astronaut: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    url = serve(ApiSettings(queue=0))
    address = urlsplit(url)
    for _ in range(3):
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(
                b"POST /detect_image HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
            )
    wait_for(lambda: post_image(url, astronaut).status_code == 200)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_photo_never_touches_the_disk(
    url: str, encode: Callable[[np.ndarray], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("an upload was written to a file")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    photo = encode(noise)
    assert len(photo) > 2 * 2**20
    assert post_image(url, photo).status_code == 200
