"""The door: what every request passes, which checks its token, names it and counts it."""

import hmac
import ipaddress
import re
import time
import uuid
from functools import cache
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serving.counters import Counters

TOKEN = "SERVE_TOKEN"
# for those who watch the server; they say nothing of the model
OPEN_PATHS = ("/health", "/ready")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Door:
    """An ASGI app before another one; `paths` are those that are counted by name."""

    def __init__(
        self, app: ASGIApp, token: str | None, counters: Counters, paths: set[str]
    ) -> None:
        self.app = app
        self.counters = counters
        self.paths = paths
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

        refused = None if path in OPEN_PATHS else self._reason_to_refuse(headers, scope)
        if refused is None:
            await self.app(scope, receive, answer)
        else:
            response = refusal(401, refused, headers={"www-authenticate": "Bearer"})
            await response(scope, receive, answer)

    def _count(self, path: str, status: int, started: float) -> None:
        name = path if path in self.paths else "other"
        self.counters.requests.labels(name, status).inc()
        if path == "/predict":
            self.counters.seconds.observe(time.perf_counter() - started)

    def _reason_to_refuse(self, headers: dict[bytes, bytes], scope: Scope) -> str | None:
        if self.expected is None:
            server = scope.get("server")
            if not server or is_loopback(server[0]):
                return None
            return f"{TOKEN} is not set, so that only loopback is served"
        if hmac.compare_digest(headers.get(b"authorization", b""), self.expected):
            return None
        return "missing or wrong token; send the header `Authorization: Bearer <token>`"


def _request_id(headers: dict[bytes, bytes]) -> str:
    """Return the id that a client gives its request, or a new one."""
    sent = headers.get(b"x-request-id", b"")
    return sent.decode() if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


@cache
def is_loopback(host: str) -> bool:
    """Return whether an address is one of this machine alone; so is a name (a socket's path)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def refusal(status: int, detail: Any, headers: dict[str, str] | None = None) -> Response:
    """Return a refusal and its reason as JSON."""
    content = orjson.dumps({"detail": detail})
    return Response(content, status, headers=headers, media_type="application/json")
