"""The form of a file: how params.yaml says that it is written, and what a table is by its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.project.settings.data import Data

# of files whose values tabs separate
TAB_ENDINGS = (".tsv", ".tab")


@dataclass(frozen=True)
class Format:
    """How a file is written, and how the values in it are spelled.

    Without a separator the file's name says it: a tab in .tsv, else a comma. Columns of `codes`
    hold codes rather than numbers. `signs` names the columns whose every value carries a currency
    or per cent sign, which is left out, and `truths` those of true and false words alone.
    """

    separator: str | None = None
    encoding: str = "utf-8"
    codes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    missing: tuple[str, ...] = ()
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    sheet: str | None = None
    signs: Mapping[str, str] = field(default_factory=dict)
    truths: tuple[str, ...] = ()

    @property
    def respells(self) -> bool:
        """Whether values are to be spelled otherwise than the file spells them."""
        numbers = self.decimal != "." or self.thousands is not None
        return bool(numbers or self.missing or self.signs or self.truths)

    @property
    def is_plain(self) -> bool:
        """Whether the file has commas and is in UTF-8, as the pipeline's own tables."""
        is_utf_8 = self.encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig")
        return self.separator in (",", None) and is_utf_8 and not self.respells

    def separator_in(self, name: str | Path) -> str:
        """Return what separates the values of a file of that name."""
        if self.separator is not None:
            return self.separator
        return "\t" if Path(name).suffix.lower() in TAB_ENDINGS else ","


PLAIN = Format()


def form_of(data: Data) -> Format:
    """Return how params.yaml says that a dataset's source is written."""
    return Format(
        separator=data.separator,
        encoding=data.encoding,
        codes=tuple(data.categorical),
        decimal=data.decimal,
        thousands=data.thousands,
        missing=tuple(data.missing),
        true_words=tuple(data.true_words),
        false_words=tuple(data.false_words),
        sheet=data.sheet,
    )
