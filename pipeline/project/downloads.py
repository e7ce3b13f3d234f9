"""Downloads: a file behind a URL, fetched whole or not at all, whose secrets no message shows."""

import base64
import re
import shutil
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote
from urllib.request import Request, urlopen

from pipeline.project import files
from pipeline.project.errors import DataError

NETWORK_ERRORS = (URLError, HTTPException, TimeoutError, ConnectionError, ValueError)
TIMEOUT = 60  # seconds without an answer
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
    """Write what a URL gives to a file; raises DataError where it is cut short or a web page."""
    name = without_secrets(url)
    try:
        with (
            urlopen(_request(url), timeout=TIMEOUT) as answer,
            files.replacing(path) as partial,
            open(partial, "wb") as stream,
        ):
            if answer.headers.get_content_type() == "text/html":
                raise DataError(
                    f"{name}: gives a web page, not a file; find the address of the file itself"
                )
            shutil.copyfileobj(answer, stream)
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
