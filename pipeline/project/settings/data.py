"""The table of a dataset: where it comes from, how it is read, and which rows are tested."""

import re
from itertools import combinations
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.project import downloads
from pipeline.project.settings.base import Settings, fault
from pipeline.project.settings.own_code import OwnFile, OwnPlace

# the settings that say of what kind a column is
ROLES_OF_KINDS = ("numeric", "categorical", "dates", "text")


class Data(Settings):
    source: str = Field(min_length=1)
    """Where the table comes from: `synthetic`, `sklearn`, `openml:NAME@VERSION`, a path or a
    URL."""
    depends_on: str = Field(min_length=1)
    """A file; when it changes, `dvc repro` reads the source again."""
    file: str = Field(pattern=r"^data/[^/]+\.csv$")
    """The CSV under `data/` that the pipeline works on."""
    task: Literal["regression", "classification"]
    """Whether a number or a class is predicted."""
    target: str
    """The column to predict."""
    positive: str | None = None
    """The positive class, where there are two."""
    drop: list[str] = []
    """Columns that no model may see, such as identifiers."""
    numeric: list[str] = []
    """Columns to read as numbers, whatever their values look like."""
    categorical: list[str] = []
    """Columns to read as categories, such as codes made of digits."""
    features: OwnFile | None = None
    """A file in `features/` whose function `features` computes the models' columns from the
    table's."""
    transformers: list[OwnPlace] = []
    """Your own transformers, as `features/FILE.py:CLASS`; they are fitted inside each fit."""
    dates: dict[str, list[str]] = {}
    """Columns to read as dates: a list of names, or a mapping of names to a format of strptime such
    as `"%d.%m.%Y"`, to `unix` or `unix_ms` (seconds or milliseconds since 1970), or to a list of
    formats."""
    text: list[str] = []
    """Columns to read as free text; models see their words and parts of words."""
    weight: str | None = None
    """The column with the weight of each row in fits and scores; it is not a feature."""
    rows: int | None = Field(None, ge=1)
    """Number of rows of a synthetic table."""
    separator: str | None = Field(None, min_length=1, max_length=1)
    """The separator of the source's values; by default a tab in .tsv files, else a comma."""
    encoding: str = "utf-8"
    """The character encoding of the source; a byte order mark overrides it."""
    sheet: str | None = None
    """The sheet of an Excel workbook that has several."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of the source's numbers."""
    thousands: Literal[",", ".", " ", "'", "_"] | None = None
    """The mark between groups of three digits in the source's numbers."""
    missing: list[str] = []
    """Words of the source that mean a missing value, besides NA, NaN, null and the like."""
    true_words: list[str] = []
    """Words for true; a column with only these and `false_words` becomes True and False."""
    false_words: list[str] = []
    """Words for false."""
    missing_target: Literal["refuse", "drop"] = "refuse"
    """What happens to rows without a target: an error, or they are dropped and counted."""

    @field_validator("source")
    @classmethod
    def _no_password(cls, source: str) -> str:
        if downloads.has_password(source):
            raise fault(
                None,
                "names a user or a password, which git would keep; give that URL by --source, or "
                "fetch the file to data/raw/",
            )
        return source

    @field_validator("transformers", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("dates", mode="before")
    @classmethod
    def _names_or_formats(cls, value: object) -> object:
        if isinstance(value, list):
            return {str(name): [] for name in value}
        if not isinstance(value, dict):
            return value
        formats: dict[object, object] = {}
        for name, given in value.items():
            formats[name] = [given] if isinstance(given, str) else given or []
        return formats

    @field_validator("dates")
    @classmethod
    def _formats_of_dates(cls, formats: dict[str, list[str]]) -> dict[str, list[str]]:
        for column, names in formats.items():
            for name in names:
                _check_date_format(column, name)
        return formats

    @field_validator("positive", mode="before")
    @classmethod
    def _label_as_text(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if is_number else value

    @field_validator("missing", "true_words", "false_words", mode="before")
    @classmethod
    def _words_as_text(cls, words: object) -> object:
        if not isinstance(words, list):
            return words
        return [_word(word) for word in words]

    @model_validator(mode="after")
    def _spellings_apart(self) -> Self:
        if self.thousands == self.decimal:
            raise fault("thousands", f"{self.thousands!r} is the decimal mark, too; change either")
        twice = set(self.true_words) & set(self.false_words)
        if twice:
            raise fault("true_words", f"{sorted(twice)[0]!r} stands in false_words, too; keep one")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.task == "regression" and self.positive is not None:
            raise fault(
                "positive",
                f"{self.positive!r} is for classification; remove it or set task: classification",
            )
        for role in ("drop", *ROLES_OF_KINDS):
            if self.target in getattr(self, role):
                raise fault(role, f"names the target {self.target!r}; remove it there")
        if self.weight == self.target:
            raise fault("weight", f"names the target {self.target!r}; name another column")
        for role in ("drop", *ROLES_OF_KINDS):
            if role != "numeric" and self.weight in getattr(self, role):
                raise fault(role, f"names {self.weight!r}, which is data.weight; remove it there")
        for role, other in combinations(ROLES_OF_KINDS, 2):
            twice = set(getattr(self, role)) & set(getattr(self, other))
            if twice:
                raise fault(role, f"{sorted(twice)[0]!r} stands in {other}, too; keep one")
        return self


def _word(value: object) -> object:
    """Return a word of a list in params.yaml as text: -999 and 1 are words, too."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _check_date_format(column: str, name: str) -> None:
    """Raise a fault where dates cannot be read in a format: it must have a year."""
    if name in ("unix", "unix_ms"):
        return
    if not re.search(r"%[YyGcDxs]", name):
        raise fault(
            None,
            f'{column!r}: {name!r} has no year; give a format such as "%d.%m.%Y", unix or unix_ms',
        )


class Prepare(Settings):
    test_size: float = Field(0.2, gt=0, lt=1)
    """Share of the rows in the test split."""
    split: str = Field("random", pattern=r"^(random|(time|group):.+)$")
    """`random`, `time:COLUMN` (the latest rows are test rows; models see only the season of that
    date) or `group:COLUMN` (a group stays together)."""
    allow_leakage: list[str] = []
    """Columns that are allowed to predict the target almost perfectly."""

    @property
    def split_kind(self) -> str:
        return self.split.split(":", 1)[0]

    @property
    def split_column(self) -> str | None:
        """The column that orders or groups the rows; of dates that order them the season alone is
        a feature."""
        return self.split.split(":", 1)[1] if ":" in self.split else None
