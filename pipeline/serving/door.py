"""The door: what every request passes, which lets it in or not, names it and counts it.

With a token, requests have to send it. Without one, only this machine is served, and no web page
that is open in a browser on it: a page of another site shows by its `Origin`, and one whose name
was made to point to this machine (DNS rebinding) by its `Host`.
"""

import hmac
import ipaddress
import re
import time
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serving.counters import Counters

TOKEN = "SERVE_TOKEN"
# for those who watch the server; they say nothing of the model
OPEN_PATHS = ("/health", "/ready")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# a name or an address, and perhaps a port
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?")


class Door:
    """An ASGI app before another one.

    `allowed_hosts` are further names by which the server may be called without a token; `paths` are
    those that are counted by name.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str | None,
        allowed_hosts: Iterable[str],
        counters: Counters,
        paths: set[str],
    ) -> None:
        self.app = app
        self.counters = counters
        self.paths = paths
        self.allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self.expected = f"Bearer {token}".encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        path = scope["path"]
        request_id = _request_id(headers)
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", request_id.encode()))
                self._count(path, message["status"], started)
            await send(message)

        refused = None if path in OPEN_PATHS else self._refused(headers, scope)
        await (refused or self.app)(scope, receive, answer)

    def _count(self, path: str, status: int, started: float) -> None:
        name = path if path in self.paths else "other"
        self.counters.requests_of(name, status).inc()
        if path == "/predict":
            self.counters.seconds.observe(time.perf_counter() - started)

    def _refused(self, headers: dict[bytes, bytes], scope: Scope) -> Response | None:
        """Return the refusal of a request, or None for one that is let in."""
        if self.expected is not None:
            if hmac.compare_digest(headers.get(b"authorization", b""), self.expected):
                return None
            reason = "missing or wrong token; send the header `Authorization: Bearer <token>`"
            return refusal(401, reason, headers={"www-authenticate": "Bearer"})
        if not _came_in_by_loopback(scope):
            reason = f"{TOKEN} is not set, so that only loopback is served"
            return refusal(401, reason, headers={"www-authenticate": "Bearer"})
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._is_own_name(host):
            reason = f"the host {host!r} is not this machine's own name"
            return refusal(403, f"{reason}; ask for localhost, or add it to serve.allowed_hosts")
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and not self._is_own_origin(origin, host):
            return refusal(403, f"a web page of {origin!r} may not use this server")
        return None

    def _is_own_name(self, host: str) -> bool:
        name = _without_port(host)
        return name is not None and (is_loopback(name) or name in self.allowed_hosts)

    def _is_own_origin(self, origin: str, host: str) -> bool:
        """Say whether a page came from this server, under the name that it is called by now."""
        site = origin.partition("://")[2]
        return site == host or _without_port(site) in self.allowed_hosts


def _came_in_by_loopback(scope: Scope) -> bool:
    """Say whether a connection was made to an address of this machine alone, or to a file."""
    address = scope.get("server")
    if not address:
        return True
    name, port = address
    return port is None or is_loopback(name)


@lru_cache(maxsize=256)
def _without_port(host: str) -> str | None:
    """Return the name or address of `host:port`; None where it is not of this form."""
    found = HOST.fullmatch(host)
    return found[1] if found else None


def _request_id(headers: dict[bytes, bytes]) -> str:
    """Return the id that a client gives its request, or a new one."""
    sent = headers.get(b"x-request-id", b"")
    return sent.decode() if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Say whether a name or an address stands for this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def send_json(send: Send, content: bytes) -> None:
    """Send an answer with status 200; making a Response for it would take longer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def refusal(status: int, detail: Any, headers: dict[str, str] | None = None) -> Response:
    """Return a refusal and its reason as JSON."""
    content = orjson.dumps({"detail": detail})
    return Response(content, status, headers=headers, media_type="application/json")
