import os
import subprocess
import sys
from pathlib import Path

from pipeline.home import PROJECT_ROOT

PAGES = sorted(path.name for path in (PROJECT_ROOT / "pages").glob("[a-z]*.py"))

SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
import streamlit_app  # the module that the server imports

app = AppTest.from_file({router!r}, default_timeout=60).run()
for page in {pages!r}:
    app.switch_page(page).run()
    assert not app.exception, app.exception[0].message
    assert not app.error, app.error[0].value
heavy = ("tensorflow", "keras", "sklearn", "skimage", "optuna")
print([name for name in heavy if name in sys.modules])
"""


def test_no_page_loads_what_takes_seconds(tmp_path: Path) -> None:
    script = SCRIPT.format(
        router=str(PROJECT_ROOT / "streamlit_app.py"),
        pages=[str(PROJECT_ROOT / "pages" / name) for name in PAGES],
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT_ROOT,
        env={**os.environ, "FERLAB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
