"""Downloads: a file behind a URL, fetched whole or not at all, whose secrets no message shows."""

import base64
import re
import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from pipeline.project import files
from pipeline.project.errors import DataError

NETWORK_ERRORS = (URLError, HTTPException, TimeoutError, ConnectionError, ValueError)
TIMEOUT = 60  # seconds without an answer
LONGEST = 3600  # seconds of a whole download
MOST_BYTES = 5 * 1024**3  # of a file; a larger one is for its owner to fetch
PART = 2**20  # bytes that are read at a time
# scheme, user and password, host and path, query and fragment
URL = re.compile(r"(https?://)(?:([^/?#]*)@)?([^?#]*)(.*)", re.DOTALL)


def is_url(text: str) -> bool:
    """Return whether a text is an address to fetch over HTTP."""
    return URL.fullmatch(text) is not None


def has_password(text: str) -> bool:
    """Return whether a text is a URL that names a user or a password."""
    parts = URL.fullmatch(text)
    return parts is not None and parts[2] is not None


def without_secrets(url: str) -> str:
    """Return a URL without user, password, query and fragment, any of which may let one in."""
    return URL.sub(r"\1\3", url)


def _parts(url: str) -> tuple[str, str | None, str, str]:
    """Return scheme, user and password, host and path, query and fragment of a URL."""
    parts = URL.fullmatch(url)
    if parts is None:
        raise ValueError(f"not a URL: {without_secrets(url)}")
    return parts[1], parts[2], parts[3], parts[4]


def fetch(url: str, path: Path) -> None:
    """Write what a URL gives to a file, byte for byte: nothing is decompressed.

    Raises DataError where it is cut short, a web page, larger than MOST_BYTES or slower than
    LONGEST, or where a public address redirects to a private one.
    """
    name = without_secrets(url)
    try:
        with (
            _opener(url).open(_request(url), timeout=TIMEOUT) as answer,
            files.replacing(path) as partial,
            open(partial, "wb") as stream,
        ):
            if answer.headers.get_content_type() == "text/html":
                raise DataError(
                    f"{name}: gives a web page, not a file; find the address of the file itself"
                )
            _check_size(answer.length or 0, name)
            _copy(answer, stream, name)
            # what is still to come: the connection was cut
            if answer.length:
                raise DataError(
                    f"{name}: the answer broke off, {answer.length} bytes are missing; run again"
                )
    except NETWORK_ERRORS as error:
        raise DataError(
            f"{name}: cannot be fetched ({_reason(error, url)}); check the address, or save the "
            f"file and give its path"
        ) from None


def _copy(answer: IO[bytes], stream: IO[bytes], name: str) -> None:
    """Copy an answer to a file, as long as it is neither too large nor too slow."""
    end, written = time.monotonic() + LONGEST, 0
    while part := answer.read(PART):
        written += len(part)
        _check_size(written, name)
        if time.monotonic() > end:
            raise DataError(
                f"{name}: not fetched within {LONGEST:,} seconds; save the file and give its path"
            )
        stream.write(part)


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise DataError(
            f"{name}: larger than {MOST_BYTES:,} bytes; save the file and give its path"
        )


def _opener(url: str) -> Any:
    """Return what opens a URL; only one at a private address may lead to another one."""
    if is_private(url):
        return build_opener()
    return build_opener(_PublicRedirects, _PublicHTTP, _PublicHTTPS)


class _PublicRedirects(HTTPRedirectHandler):
    """Follows redirects to public addresses: a stranger's page must not read this network."""

    def redirect_request(self, *args: Any) -> Request | None:
        new_url = args[-1]
        if not is_url(new_url) or is_private(new_url):
            raise DataError(
                f"{without_secrets(args[0].full_url)}: redirects to {without_secrets(new_url)}, a "
                f"private address; where it is the right one, give it as the source"
            )
        return super().redirect_request(*args)


# A name may lead to a public address when it is asked for and to a private one when it is connected
# to (DNS rebinding), so that the address of the connection itself is looked at.


class _PublicConnection(HTTPConnection):
    """A connection that sends nothing to a private address."""

    def connect(self) -> None:
        super().connect()
        check_peer(self)


class _PublicTLSConnection(HTTPSConnection):
    """The same over TLS."""

    def connect(self) -> None:
        super().connect()
        check_peer(self)


class _PublicHTTP(HTTPHandler):
    def http_open(self, request: Request) -> HTTPResponse:
        if _is_through_proxy(request):
            return super().http_open(request)
        return self.do_open(_PublicConnection, request)


class _PublicHTTPS(HTTPSHandler):
    def https_open(self, request: Request) -> HTTPResponse:
        if _is_through_proxy(request):
            return super().https_open(request)
        return self.do_open(_PublicTLSConnection, request)


def _is_through_proxy(request: Request) -> bool:
    """Return whether a proxy is connected to: it looks names up itself, and may well be private."""
    return request.host != urlsplit(request.full_url).netloc


def check_peer(connection: HTTPConnection) -> None:
    """Close a connection to a private address and raise DataError."""
    address = str(connection.sock.getpeername()[0])
    if not _is_global(address):
        connection.close()
        raise DataError(
            f"{connection.host}: leads to {address}, a private address, though it was looked up as "
            f"a public one; save the file and give its path"
        )


def is_private(url: str) -> bool:
    """Return whether the host of a URL has an address in a private network or on this machine.

    False where the name is not known here: then there is nothing to open either, but for a proxy.
    """
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None)
    except (OSError, ValueError):
        return False
    return any(not _is_global(str(address[4][0])) for address in found)


def _is_global(text: str) -> bool:
    address = ip_address(text.split("%")[0])
    # ::ffff:127.0.0.1 is 127.0.0.1
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global


def _request(url: str) -> Request:
    """Return the request for a URL, whose user and password go to its own host alone."""
    scheme, login, address, query = _parts(url)
    request = Request(f"{scheme}{address}{query}", headers={"User-Agent": "python"})
    if login is not None:
        token = base64.b64encode(unquote(login).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _reason(error: Exception, url: str) -> str:
    """Return what an error says, less what `without_secrets` leaves out."""
    secret = _parts(url)[-1]
    return str(error).replace(secret, "...") if secret else str(error)
