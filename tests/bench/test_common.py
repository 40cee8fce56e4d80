from pathlib import Path

import av

from bench.common import clip, in_turns


def test_ways_take_turns_and_the_warm_up_does_not_count() -> None:
    called: list[str] = []
    ways = {name: lambda name=name: called.append(name) for name in ("a", "b")}
    times = in_turns(ways, rounds=2, calls=2, warm_up=1)
    assert called == ["a", "b", *["a", "a", "b", "b"] * 2]
    assert {name: (len(found.wall), len(found.cpu)) for name, found in times.items()} == {
        "a": (4, 4),
        "b": (4, 4),
    }


def test_a_clip_that_was_given_is_taken_as_it_is() -> None:
    with clip(Path("some.mp4")) as path:
        assert path == Path("some.mp4")


def test_the_made_clip_can_be_read_and_leaves_nothing_behind() -> None:
    with clip(None) as path, av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 300
    assert not path.exists()
