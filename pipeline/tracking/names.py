"""Names for the MLflow store of what a user's table names: a class label or a column.

MLflow takes letters, digits and a few signs, and its databases a limited length. A name that does
not fit is spelt otherwise and ends in a hash of the true one, so that two names never become one.
"""

import hashlib
import re
from collections.abc import Iterable

LONGEST = 250  # characters of a key, of MLflow and of its databases
TRUE_NAMES = "true_names.json"  # artifact of a run: {name in the store: true name}
WORDS = {"<": "lt", ">": "gt", "=": "eq", "+": "plus", "%": "percent", "&": "and"}
HASH_DIGITS = 8
MARKED = re.compile(rf"-[0-9a-f]{{{HASH_DIGITS}}}\Z")


def stored_name(name: str) -> str:
    """Return the name under which the store holds a metric, a parameter or a tag.

    `f1__virginica` stays as it is, `f1__<=50K` becomes `f1___lt_eq_50K-` and eight digits.
    """
    spelt = re.sub(r"[^\w\-. ]+", _spelt_out, name).strip(" ")
    # a name is also a path below a folder of the store
    spelt = re.sub(r"\A\.+", "_", spelt)
    # a name that already looks like another's is marked as well
    if spelt and spelt == name and len(name) <= LONGEST and not MARKED.search(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    mark = f"-{digest[:HASH_DIGITS]}"
    return spelt[: LONGEST - len(mark)] + mark


def _spelt_out(signs: re.Match[str]) -> str:
    """Return what stands for signs that the store does not take: a word where one is at hand."""
    words = [WORDS[sign] for sign in signs.group() if sign in WORDS]
    return f"_{'_'.join(words)}_" if words else "_"


def changed_names(names: Iterable[str]) -> dict[str, str]:
    """Return {name in the store: true name} of those that differ."""
    return {stored_name(name): name for name in names if stored_name(name) != name}
