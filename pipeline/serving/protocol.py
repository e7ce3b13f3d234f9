"""The protocol of a connection: uvicorn's over httptools, which sets no limits, with limits.

uvicorn has them for its slower protocol over h11 alone, and times only connections that rest
between two requests. `uvicorn --http pipeline.serving.protocol:LimitedProtocol` takes this one.
"""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipeline.serving.door import refusal

# bytes of a request line and its headers; of a chunk's head or a trailer in its body, too
MOST_HEAD = 32_768
# in which a client has to send its next request whole, or to take a further part of an answer
SECONDS_FOR_CLIENT = 30
SECONDS_BETWEEN_LOOKS = 5
# of an answer; a client that asks whether to go on gets CONTINUE at once
HEAD, CONTINUE = b"HTTP/1.1 ", b"HTTP/1.1 100"
TOO_LARGE = f"the headers are larger than {MOST_HEAD:,} bytes"


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    await refusal(431, TOO_LARGE, headers={"connection": "close"})(scope, receive, send)


class OneWrite:
    """A transport that sends the head of an answer with what follows it.

    uvicorn writes the two one after the other: two calls of the system, that wake the client twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep what begins like a head; send all else, and what was kept before it."""
        if data.startswith(HEAD) and not data.startswith(CONTINUE):
            self.flush()
            self._head = data
        elif self._head:
            data, self._head = self._head + data, b""
            self._transport.write(data)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Send what was kept: the answer has no body."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        self.flush()
        self._transport.close()


class LimitedProtocol(HttpToolsProtocol):
    """A connection that reads no endless header, and that a slow client cannot keep open.

    httptools keeps what it has not understood yet, such as half a header; `_not_parsed` counts
    these bytes. `_client_since` is the moment since which the client has its turn, None while the
    server has it. `_not_taken` is how many bytes of an answer it had not taken when last looked at.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._not_parsed = 0
        self._head = 0
        self._client_since: float | None = None
        self._not_taken = 0
        self._looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport: Any = OneWrite(transport)
        self._client_since = self.loop.time()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._not_parsed += len(data)
        super().data_received(data)
        if self._not_parsed > MOST_HEAD and not self.transport.is_closing():
            self._refuse_at_once()

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._head += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._not_parsed = 0
        if self._head > MOST_HEAD:
            self.app = _too_large
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._not_parsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._not_parsed = 0
        self._client_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.transport.flush()
        next_is_whole = bool(self.pipeline) and not self.cycle.more_body
        self._client_since = None if next_is_whole else self.loop.time()
        super().on_response_complete()

    def _refuse_at_once(self) -> None:
        """Answer a request whose head has no end, and close."""
        head = (
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
            f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(TOO_LARGE)}\r\n\r\n"
        )
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write((head + TOO_LARGE).encode())
        self.transport.close()

    def _look_later(self) -> None:
        self._looking = self.loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def _look(self) -> None:
        """Close the connection where the client has taken too long, at once: it may not read."""
        before, self._not_taken = self._not_taken, self.transport.get_write_buffer_size()
        if self._client_since is not None:
            if self._not_taken < before:
                self._client_since = self.loop.time()
            if self.loop.time() - self._client_since > SECONDS_FOR_CLIENT:
                self.transport.abort()
                return
        self._look_later()
