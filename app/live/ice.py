"""STUN and TURN servers, for a camera in another network than the dashboard; none by default."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ConfigError

VARIABLE = "FERLAB_ICE_SERVERS"

_SCHEMES = ("stun", "turn", "turns")
_KINDS = {"stun": "srflx", "turn": "relay", "turns": "relay"}
_EXAMPLE = (
    "expected addresses such as stun:stun.example.org:3478, separated by commas, or, for servers "
    'with a password, JSON: [{"urls": "turn:turn.example.org:3478", "username": "…", '
    '"credential": "…"}]'
)


@dataclass(frozen=True)
class IceServer:
    """A server that helps browser and dashboard find a way to each other.

    Attributes:
        urls: Its addresses, such as `stun:stun.example.org:3478`.
        username: For TURN.
        credential: The password, for TURN.
    """

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """In the form of the browser's `RTCIceServer`."""
        login = {"username": self.username, "credential": self.credential}
        return {
            "urls": list(self.urls),
            **{key: value for key, value in login.items() if value is not None},
        }


@dataclass(frozen=True)
class Answer:
    """What came of asking a server.

    Attributes:
        url: The server's address.
        address: The way in that it offers, as `host:port`; `None` if it did not
            answer or refused.
        seconds: How long that took.
    """

    url: str
    address: str | None
    seconds: float


def ice_servers(environ: Mapping[str, str] | None = None) -> tuple[IceServer, ...]:
    """The servers that `FERLAB_ICE_SERVERS` names; none if it is not set.

    Raises:
        ConfigError: If it cannot be read, or names what is no such server.
    """
    text = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
    if not text:
        return ()
    if text[0] not in "[{":
        return tuple(_server(part.strip()) for part in text.split(",") if part.strip())
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{VARIABLE} is not valid JSON ({error}): {_EXAMPLE}") from error
    return tuple(_server(entry) for entry in (parsed if isinstance(parsed, list) else [parsed]))


def rtc_configuration(servers: tuple[IceServer, ...]) -> dict[str, Any]:
    """For both ends; the empty list keeps streamlit-webrtc from asking a public server."""
    return {"iceServers": [server.to_dict() for server in servers]}


def ask(server: IceServer) -> list[Answer]:
    """Asks a server, from this computer, for a way in; takes up to 5 seconds for each address."""
    return [asyncio.run(_ask(server, url)) for url in server.urls]


def local_addresses() -> list[str]:
    """This computer's addresses that video can come to; the loopback is none of them."""
    from aioice.ice import get_host_addresses

    return [str(address) for address in get_host_addresses(use_ipv4=True, use_ipv6=True)]


def _server(entry: Any) -> IceServer:
    if isinstance(entry, str):
        entry = {"urls": entry}
    if not isinstance(entry, dict):
        raise ConfigError(f"{VARIABLE} holds {entry!r}: {_EXAMPLE}")
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not urls:
        raise ConfigError(f"{VARIABLE} has an entry without urls: {_EXAMPLE}")
    for url in urls:
        _check(url)
    login = entry.get("username"), entry.get("credential")
    needs_login = any(not url.startswith("stun:") for url in urls)
    if needs_login and not all(isinstance(part, str) and part for part in login):
        raise ConfigError(
            f"{VARIABLE} names {urls[0]} without username and credential, which TURN needs: "
            f"{_EXAMPLE}"
        )
    return IceServer(tuple(urls), *login)


def _check(url: Any) -> None:
    scheme, colon, host = str(url).partition(":")
    if not isinstance(url, str) or scheme not in _SCHEMES or not colon or not host.strip("/"):
        raise ConfigError(f"{VARIABLE} holds {url!r}: {_EXAMPLE}")
    from aiortc.rtcicetransport import parse_stun_turn_uri

    try:
        parse_stun_turn_uri(url)
    except ValueError as error:
        raise ConfigError(f"{VARIABLE} holds {url!r} ({error}): {_EXAMPLE}") from error


async def _ask(server: IceServer, url: str) -> Answer:
    import aioice
    from aiortc import RTCIceServer
    from aiortc.rtcicetransport import connection_kwargs

    asked = RTCIceServer(urls=url, username=server.username, credential=server.credential)
    connection = aioice.Connection(ice_controlling=False, **connection_kwargs([asked]))
    began = time.monotonic()
    try:
        # What cannot be reached or refuses is left out, after 5 seconds at the latest.
        await connection.gather_candidates()
        found = [
            candidate
            for candidate in connection.local_candidates
            if candidate.type == _KINDS[url.partition(":")[0]]
        ]
    finally:
        await connection.close()
    address = f"{found[0].host}:{found[0].port}" if found else None
    return Answer(url, address, time.monotonic() - began)
