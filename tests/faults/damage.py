"""Ways to spoil a file, each drawn from a seeded generator."""

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def cut(data: bytes, rng: random.Random) -> bytes:
    """The file ends early, as after a broken download."""
    return data[: rng.randrange(1, len(data))]


def without_head(data: bytes, rng: random.Random) -> bytes:
    """The file's beginning is lost."""
    return data[rng.randrange(1, len(data)) :]


def flip(data: bytes, rng: random.Random) -> bytes:
    """A few bits are wrong, anywhere."""
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 4, 40))):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def forge_head(data: bytes, rng: random.Random) -> bytes:
    """Numbers near the beginning, where sizes and offsets are told, are extreme."""
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 3, 8))):
        place = rng.randrange(4, min(len(data), 200))
        number = rng.choice((b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80"))
        spoilt[place : place + len(number)] = number
    return bytes(spoilt[: len(data)])


def blank(data: bytes, rng: random.Random) -> bytes:
    """A block was never written: it reads as zeros."""
    start = rng.randrange(len(data))
    size = min(len(data) - start, rng.choice((16, 512, 4096)))
    return data[:start] + bytes(size) + data[start + size :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """A block comes twice, which moves all behind it."""
    start = rng.randrange(len(data))
    return data[: start + rng.randrange(1, 2000)] + data[start:]


DAMAGES: tuple[Damage, ...] = (cut, without_head, flip, forge_head, blank, repeat)


def check_message(message: str, name: str) -> None:
    """One line for people, which begins with the file's name."""
    assert message.startswith(name), message
    assert message.isprintable(), f"not one line: {message!r}"
    assert len(message) < 300, message
    assert " object at 0x" not in message, message
