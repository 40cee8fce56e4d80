"""Without a network everything works but the download from Kaggle, and nothing else tries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import skimage.data
from PIL import Image

from pipeline.dataset import SPLITS
from pipeline.home import PROJECT_ROOT, Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import make_model
from tests.videos import write_video

SECONDS = 180

# An audit hook sees each connection that Python makes, whatever library asks for it, from the
# first import on. It cannot be taken back, so all this runs in a process of its own.
GUARD = """
import errno, sys

tried = []
LOCAL = ("127.", "::1", "localhost", "0.0.0.0", "::")

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[-1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = (arguments[0],)
    else:
        return
    host = address[0] if isinstance(address, tuple) else None
    # Others than pairs are sockets of this computer's own files.
    if isinstance(host, bytes):
        host = host.decode()
    if host is not None and not host.startswith(LOCAL):
        tried.append(host)
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

sys.addaudithook(refuse)
"""

KAGGLE = """
from types import ModuleType
import requests

def download(handle, path):
    return requests.get("https://www.kaggle.com/" + handle, timeout=5)

class Problem(Exception):
    pass

hub, problems = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
hub.competition_download = download
problems.UnauthenticatedError = problems.DataCorruptionError = Problem
sys.modules.update({"kagglehub": hub, "kagglehub.exceptions": problems})
"""

SCRIPT = """
import json
from pathlib import Path
from streamlit.testing.v1 import AppTest
import streamlit_app  # the module that the server imports
from app import get_data, resources
from app.photo.desk import Photo, recognize_photo
from app.recognition import RecognitionSettings
from pipeline.recognition.video.process import process

photo, video, table = map(Path, sys.argv[1:4])
home, jobs, told = resources.home(), resources.jobs(), {}

def finish(name, work):
    job = jobs.start(name, name, work)
    assert job.wait(90), name
    told[name] = job.snapshot().message

finish("import", get_data.import_work(home, table, "faces"))
app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
for page in sys.argv[4:]:
    app.switch_page(page).run()
    assert not app.exception, app.exception[0].message
    assert not app.error, page + ": " + app.error[0].value
recognizer = resources.recognizer(RecognitionSettings())
told["faces"] = len(recognize_photo(Photo("1", "a.png", photo.read_bytes()), recognizer).faces)
told["samples"] = len(process(video, recognizer).samples)
told["before"] = list(tried)
finish("kaggle", get_data.kaggle_work(home, "fer2013"))
told["tried"] = sorted(set(tried))
jobs.close()
print(json.dumps(told))
"""


def write_table(path: Path) -> Path:
    pixels = " ".join(["7"] * 48 * 48)
    rows = (f"{index % 7},{pixels},{SPLITS[index % 3].usage}" for index in range(21))
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return path


def test_nothing_calls_out_but_the_download_from_kaggle(home: Home, tmp_path: Path) -> None:
    make_model(home.ensembles / "bars")
    ModelCatalog(home).activate("bars")
    photo = tmp_path / "astronaut.png"
    Image.fromarray(skimage.data.astronaut()).save(photo)
    video = write_video(tmp_path / "clip.mp4", 10)
    pages = sorted((PROJECT_ROOT / "pages").glob("[a-z]*.py"))
    arguments = [photo, video, write_table(tmp_path / "faces.csv"), *pages]
    done = subprocess.run(
        [sys.executable, "-c", GUARD + KAGGLE + SCRIPT, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "FERLAB_HOME": str(home.root), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert "21 images are ready" in told["import"]
    assert told["faces"] == 1
    assert told["samples"] >= 1
    assert told["before"] == []
    # The guard sees what it should.
    assert told["tried"] == ["www.kaggle.com"]
    assert told["kaggle"].startswith("Cannot reach Kaggle: check the network connection")
