"""Markup: text of any origin in pages and in Markdown, where it stays text and never runs."""

import base64
import hashlib
import json
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

# in JSON they stand within strings only, where their escapes mean the same
NOT_IN_SCRIPTS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
# what a page may do beside running its own scripts: no request, no form, no other base address
NOTHING_ELSE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
# what Markdown reads as more than text; GitHub also links names, numbers and addresses
MARKDOWN = re.compile(r"[\\`*\[\]<>&|~$!#@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.", re.I)
NO_WIDTH = "\u200b"  # between a sign and the word that GitHub would make a link of
LINKING = "@#"
# what HTML may read as the beginning of a tag or a comment
TAG = re.compile(r"<(?=[a-z/!?])", re.I)


def templates(package: str, folder: str = "templates") -> Environment:
    """Return Jinja with the templates of a package, in which text of any origin is escaped."""
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=select_autoescape(("j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def script_data(content: Any) -> Markup:
    """Return JSON for a script element: no text in it can end the element or open another.

    Beyond ASCII all is escaped, so that U+2028 and U+2029, which end a line in JavaScript, are too.
    Raises ValueError for a number that is not finite, which JSON does not have.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for character, escape in NOT_IN_SCRIPTS.items():
        text = text.replace(character, escape)
    return Markup(text)


def security_policy(*scripts: str, beside: bool = False) -> str:
    """Return the Content-Security-Policy of a page that runs these inline scripts and no other.

    `beside` also allows the files that lie beside the page. A browser takes a script's sha256 of
    exactly what stands between its tags (https://www.w3.org/TR/CSP3/#match-element-to-source-list).
    """
    sources = ["'self'"] if beside else []
    sources += [f"'sha256-{_sha256(script)}'" for script in scripts]
    allowed = " ".join(sources) or "'none'"
    return f"{NOTHING_ELSE}; script-src {allowed}"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def without_tags(value: Any) -> Any:
    """Return text in which nothing begins a tag, `<b>` as `‹b>`; what is no text as it is.

    It is for other programs' pages, which put text into a script unescaped.
    """
    return TAG.sub("‹", storable(value)) if isinstance(value, str) else value


def storable(text: str) -> str:
    """Return text that can be written as UTF-8: JSON may bring half a character, shown as `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def markdown(text: Any) -> str:
    """Return text as Markdown shows it unchanged, on one line and within a cell of a table.

    No tag, link, picture, code or mention comes of it (https://spec.commonmark.org/0.31.2/,
    https://github.github.com/gfm/).
    """
    line = " ".join(storable(str(text)).split())
    return MARKDOWN.sub(_without_meaning, line)


def _without_meaning(found: re.Match[str]) -> str:
    sign = found[0]
    return f"\\{sign}{NO_WIDTH}" if sign in LINKING else f"\\{sign}"
