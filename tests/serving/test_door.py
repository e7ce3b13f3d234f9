"""The door: who is let in."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from pipeline.serving.counters import Counters
from pipeline.serving.door import Door
from support.served import ROW, app_of, asking

OWN = ("127.0.0.1", 8000)


def status(
    headers: dict[str, str], server: tuple | None = OWN, path: str = "/model-info", allowed=()
) -> int:
    """Return the status of a request at a door without a token; what is let in gets 200."""
    door = Door(PlainTextResponse("in"), None, allowed, Counters(), {"/model-info"})
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": pairs, "server": server}
    asyncio.run(door(scope, receive, send))
    return told[0]["status"]


def test_token_is_asked_for_where_one_is_set(served_copy, monkeypatch):
    monkeypatch.setenv("SERVE_TOKEN", "a-secret")
    with asking(app_of("tiny")) as client:
        for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "a-secret"}):
            for path in ("/", "/model-info", "/metrics", "/openapi.json", "/nowhere"):
                assert client.get(path, headers=headers).status_code == 401, path
            assert client.post("/predict", json=ROW, headers=headers).status_code == 401
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        named = {"Authorization": "Bearer a-secret", "Host": "models.example.org"}
        assert client.post("/predict", json=ROW, headers=named).status_code == 200


def test_without_a_token_only_loopback_is_served():
    headers = {"Host": "localhost"}
    assert status(headers, server=("192.0.2.1", 8000)) == 401
    assert status(headers, server=("192.0.2.1", 8000), path="/health") == 200
    for server in (OWN, ("::1", 8000), ("/run/serve.sock", None), None):
        assert status(headers, server=server) == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000"]
)
def test_own_names_are_served(host):
    assert status({"Host": host}) == 200
    assert status({"Host": host, "Origin": f"http://{host}"}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "evil@127.0.0.1",
        "127.0.0.1:8000@evil.example",
        "192.0.2.1:8000",
        "[::1",
        "localhost:port",
        "",
    ],
)
def test_name_that_was_made_to_point_here_is_refused(host):
    """What DNS rebinding needs: the browser sends the page's own name as the host."""
    assert status({"Host": host}) == 403
    assert status({"Host": host}, path="/health") == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:3000",
        "http://localhost",
        "localhost:8000",
        "http://localhost:8000.evil.example",
    ],
)
def test_page_of_another_site_is_refused(origin):
    assert status({"Host": "localhost:8000", "Origin": origin}) == 403


def test_proxys_name_is_served_where_it_is_allowed():
    allowed = ["Models.example.org"]
    page = {"Host": "models.example.org", "Origin": "https://models.example.org"}
    assert status(page) == 403
    assert status(page, allowed=allowed) == 200
    assert status({**page, "Host": "127.0.0.1:8000"}, allowed=allowed) == 200
    assert status({**page, "Host": "other.example.org"}, allowed=allowed) == 403
    assert status({**page, "Origin": "https://other.example.org"}, allowed=allowed) == 403
