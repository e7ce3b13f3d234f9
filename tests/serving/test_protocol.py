"""The protocol's limits: endless heads, clients that send or read slowly, and who goes on."""

import asyncio
import socket
import time
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.serving import protocol
from pipeline.serving.protocol import MOST_HEAD, OneWrite
from support.served import asking

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
LARGE_ANSWER = b"x" * 30_000_000
LIMIT = 0.8  # seconds


async def echoed(request: Request) -> Response:
    return Response(await request.body())


async def large(request: Request) -> Response:
    return Response(LARGE_ANSWER)


async def slow(request: Request) -> Response:
    await asyncio.sleep(1.5 * LIMIT)
    return Response(await request.body())


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS_FOR_CLIENT", LIMIT)
    monkeypatch.setattr(protocol, "SECONDS_BETWEEN_LOOKS", 0.05)
    routes = [
        Route("/", echoed, methods=["POST"]),
        Route("/slow", slow, methods=["POST"]),
        Route("/large", large),
    ]
    with asking(Starlette(routes=routes)) as client:
        yield client


@contextmanager
def connected(client: httpx.Client):
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize(
    "start",
    [
        HEAD + b"X-Endless: ",
        b"POST /",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: ",
    ],
    ids=["header", "path", "chunk", "trailer"],
)
def test_what_has_no_end_is_cut_off(client, start):
    sent = 0
    with connected(client) as connection:
        connection.sendall(start)
        try:
            while sent < 10_000_000:
                sent += connection.send(b"a" * 8192)
        except ConnectionError:
            pass
    # what lies in the buffers of the two sockets, and no more
    assert sent < 10_000_000


def test_head_that_is_too_large_is_refused_and_the_largest_is_not(client):
    for size, status in ((MOST_HEAD - 1000, 200), (MOST_HEAD + 1, 431)):
        assert client.post("/", headers={"X-Large": "a" * size}).status_code == status
    many = {f"X-{number}": "a" * 100 for number in range(400)}
    answer = client.post("/", headers=many)
    assert (answer.status_code, answer.headers["connection"]) == (431, "close")
    with connected(client) as connection:
        connection.sendall(HEAD + b"X-Endless: " + b"a" * MOST_HEAD)
        assert received(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "start", [b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n{"], ids=["nothing", "head", "body"]
)
def test_client_that_sends_slowly_is_cut_off(client, start):
    with connected(client) as connection:
        connection.sendall(start)
        ends = time.monotonic() + 20
        with pytest.raises(ConnectionError):
            while time.monotonic() < ends:
                connection.sendall(b"a" if start else b"")
                connection.settimeout(0.05)
                try:
                    if not connection.recv(10):
                        raise ConnectionResetError
                except TimeoutError:
                    continue
    assert time.monotonic() < ends


def test_client_that_does_not_read_is_cut_off(client):
    with connected(client) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(2 * LIMIT)
        assert len(received(connection)) < len(LARGE_ANSWER)


def test_client_that_takes_a_large_answer_part_by_part_gets_it_whole(client):
    with connected(client) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        started, taken = time.monotonic(), 0
        while part := connection.recv(2**20, socket.MSG_WAITALL):
            taken += len(part)
            time.sleep(3 * LIMIT / 30)  # 30 parts take three times as long as one of them may
    assert time.monotonic() - started > 2 * LIMIT
    assert taken > len(LARGE_ANSWER)  # with its head


def test_time_of_the_server_is_not_counted_also_where_a_request_came_before_the_last_answer(client):
    first = HEAD + b"Content-Length: 3\r\n\r\none"
    second = HEAD.replace(b"POST /", b"POST /slow") + b"Content-Length: 3\r\n\r\ntwo"
    with connected(client) as connection:
        connection.sendall(first + second)
        assert received(connection).endswith(b"two")


def test_client_that_begins_its_next_request_before_the_last_answer_is_cut_off(client):
    first = HEAD.replace(b"POST /", b"POST /slow") + b"Content-Length: 3\r\n\r\none"
    second = HEAD + b"Content-Length: 1000\r\n\r\n{"
    started = time.monotonic()
    with connected(client) as connection:
        connection.sendall(first + second)
        assert received(connection).endswith(b"one")
    assert time.monotonic() - started < 10


def test_client_that_sends_on_and_large_bodies_are_served(client):
    """Many requests over one connection take longer in all than one of them may."""
    ends = time.monotonic() + 2 * LIMIT
    while time.monotonic() < ends:
        assert client.post("/", content=b"a" * 300_000).content == b"a" * 300_000
        time.sleep(0.1)
    assert client.get("/large").content == LARGE_ANSWER


class Written:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_head_of_an_answer_is_sent_with_its_body():
    written = Written()
    transport = OneWrite(written)
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert written.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    for body in (b"one", b"two"):
        transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
        transport.write(body)
    transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert written.writes[1:] == [b"HTTP/1.1 200 OK\r\n\r\none", b"HTTP/1.1 200 OK\r\n\r\ntwo"]
    transport.close()
    assert written.writes[3:] == [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert transport.is_closing()
