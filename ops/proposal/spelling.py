"""The spelling of a file, from its values: separator, marks in numbers, words for missing."""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pandas as pd

from pipeline.data.formats import spellings, text
from pipeline.project import errors

# rows that a separator is judged by, and values of a column that its spelling is judged by
ROWS_SNIFFED, VALUES_READ = 100, 20_000
# of a column's values, from which on it is one of numbers, in whatever spelling
NUMBERS_SHARE = 0.5
# different words that may stand beside the numbers of a column and mean that none is known
MOST_WORDS = 5
MISSING_WORDS = {
    *("?", "-", "--", "---", ".", "..", "...", "*", "x", "na", "n/a", "n.a.", "n.a", "nan", "nil"),
    *("nd", "n.d.", "nr", "none", "null", "unknown", "unk", "missing", "not available", "tbd"),
    *("not known", "no data", "no value", "undefined", "unbekannt", "k.a.", "k. a.", "inconnu"),
}
_SIGNS = re.compile(rf"{spellings.CURRENCY}|[%‰()]|\s+$|^\s+|^[-+−]\s*")
_GROUPS = r"[1-9]\d{0,2}"
SHAPES = {
    "plain": re.compile(r"\d+([eE][-+]?\d+)?"),
    # 1,234: a decimal comma with three digits, or a mark for thousands
    "comma, either": re.compile(rf"{_GROUPS},\d{{3}}"),
    "decimal comma": re.compile(r"\d*,\d+"),
    "thousands comma": re.compile(rf"{_GROUPS}(,\d{{3}}){{2,}}|{_GROUPS}(,\d{{3}})+\.\d*"),
    "dot, either": re.compile(rf"{_GROUPS}\.\d{{3}}"),
    "decimal dot": re.compile(r"\d*\.\d*([eE][-+]?\d+)?"),
    "thousands dot": re.compile(rf"{_GROUPS}(\.\d{{3}}){{2,}}|{_GROUPS}(\.\d{{3}})+,\d*"),
    "thousands blank": re.compile(rf"{_GROUPS}([{spellings.BLANKS}]\d{{3}})+([.,]\d*)?"),
    "thousands quote": re.compile(rf"{_GROUPS}('\d{{3}})+([.,]\d*)?"),
}


@dataclass(frozen=True)
class Spelling:
    """How the numbers of a file are written, its words for missing, and why."""

    decimal: str = "."
    thousands: str | None = None
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def separator(path: Path, encoding: str) -> str:
    """Return the delimiter that gives the most rows as many fields as the header, and the most."""
    best, best_score = ",", (0.0, 1)
    for delimiter in text.DELIMITERS:
        with open(path, encoding=encoding, errors="replace", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
            try:
                widths = [len(row) for row in islice(reader, ROWS_SNIFFED) if row]
            except csv.Error:
                continue
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def spelling(texts: pd.DataFrame, delimiter: str) -> Spelling:
    """Return how a table, of which every field is text, spells numbers and missing values."""
    shapes: Counter[str] = Counter()
    words: dict[str, list[str]] = {}
    for name in texts:
        column = _values(texts[name])
        of_column = _shapes(column)
        if not len(column) or of_column.total() < NUMBERS_SHARE * len(column):
            continue
        # a column is one voice: a long one must not outvote what the others cannot be
        shapes.update(_voice(of_column))
        if found := _missing_words(column):
            words[str(name)] = found
    decimal, thousands, remarks = _marks(shapes, delimiter)
    missing = sorted({word for found in words.values() for word in found})
    if missing:
        remarks.append(
            f"missing {errors.listed(missing)}: stands among the numbers of "
            f"{errors.listed(words, most=30)}"
        )
    return Spelling(decimal, thousands, missing, remarks)


def _values(column: pd.Series) -> list[str]:
    values = column.dropna()
    if len(values) > VALUES_READ:
        values = values.sample(VALUES_READ, random_state=0)
    stripped = values.astype(str).str.strip()
    return stripped[stripped != ""].tolist()


def _shapes(values: list[str]) -> Counter[str]:
    """Return how many of some values are numbers of each shape."""
    found: Counter[str] = Counter()
    for value in values:
        shape = _shape(value)
        if shape is not None:
            found[shape] += 1
    return found


def _shape(value: str) -> str | None:
    bare = _SIGNS.sub("", value).strip()
    return next((shape for shape, pattern in SHAPES.items() if pattern.fullmatch(bare)), None)


def _voice(shapes: Counter[str]) -> set[str]:
    """Return what the shapes of a column's numbers say: 1,234 beside 1,5 is a decimal comma."""
    said = set(shapes) - {"plain"}
    if "decimal comma" in said:
        said -= {"comma, either"}
    if "decimal dot" in said:
        said -= {"dot, either"}
    return said


def _marks(shapes: Counter[str], delimiter: str) -> tuple[str, str | None, list[str]]:
    """Return the decimal mark and the one for thousands that the columns agree on, and why."""
    comma, dot = shapes["decimal comma"] > 0, shapes["decimal dot"] > 0
    if comma and dot:
        return ".", None, ["numbers with decimal commas and with decimal dots: make them alike"]
    thousands = next(
        (mark for mark, name in ((" ", "blank"), ("'", "quote")) if shapes[f"thousands {name}"]),
        None,
    )
    if comma or shapes["thousands dot"]:
        if shapes["thousands dot"] or shapes["dot, either"]:
            thousands = "."
        return ",", thousands, ["decimal ',': 1,5 stands in the file"]
    if shapes["thousands comma"] or (dot and shapes["comma, either"]):
        return ".", ",", ["thousands ',': 1,234 stands in the file"]
    if shapes["comma, either"]:
        if delimiter == ";":
            return ",", thousands, ["decimal ',': 1,234 stands in the file; or is it thousands?"]
        return ".", ",", ["thousands ',': 1,234 stands in the file; or is it a decimal comma?"]
    if thousands is not None:
        return ".", thousands, [f"thousands {thousands!r}: 1{thousands}234 stands in the file"]
    return ".", None, []


def _missing_words(values: list[str]) -> list[str]:
    """Return the words beside a column's numbers, where all of them mean that none is known."""
    words = {value for value in set(values) if _shape(value) is None}
    known = all(word.casefold() in MISSING_WORDS for word in words)
    return sorted(words) if known and 0 < len(words) <= MOST_WORDS else []
