import pytest

from pipeline.home import Home
from pipeline.training.sweep import processes


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b'{"process": 3}'])
def test_a_damaged_trace_is_no_worker(home: Home, content: bytes) -> None:
    with processes.registered(home, "search"):
        (path,) = home.sweeps.glob("*/search/*.json")
        path.write_bytes(content)
        assert processes.workers(home, "search") == []
