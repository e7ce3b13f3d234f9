"""Rows of the pages' tables: what the tests said of a column, and what the sample holds of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import DATE, NUMBER, TEXT
from pipeline.drift import verdicts
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import Sides
from pipeline.drift.verdicts import ColumnResult
from pipeline.project.rounding import number_text

# a verdict's colour
COLOURS = {
    verdicts.DRIFT: "stop",
    verdicts.NO_DRIFT: "info",
    verdicts.GOOD: "info",
    verdicts.CHECK: "watch",
    verdicts.NOT_ENOUGH_DATA: "watch",
    "worse": "stop",
    "not clearly worse": "info",
}


@dataclass(frozen=True)
class Row:
    """A column's verdict and the figures that it rests on; `role` is feature, target or the like.

    `is_alarm` is False where the column drifted and the model ignores it.
    """

    name: str
    role: str
    column: ColumnResult
    is_alarm: bool = True

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return self.column.verdict if self.is_alarm else verdicts.IGNORED_DRIFT

    @property
    def colour(self) -> str:
        """The class of the verdict's colour."""
        return COLOURS.get(self.column.verdict, "soft") if self.is_alarm else "watch"


@dataclass(frozen=True)
class Summary:
    """What the samples hold of a column: texts by the name of a figure."""

    name: str
    figures: dict[str, Sides[str]]


def feature_rows(found: TableComparison) -> list[Row]:
    """Return a row for each feature, those first whose effect is largest for its threshold."""
    ignored = set(found.features.drifted_ignored)
    rows = [
        Row(name, "feature", column, is_alarm=name not in ignored)
        for name, column in found.columns.items()
    ]
    return sorted(rows, key=lambda row: (-row.column.drift_score, row.name))


def answer_rows(found: TableComparison) -> list[Row]:
    """Return a row for the target and one for the prediction, those that there are."""
    rows = []
    for role, answer in (("target", found.target), ("prediction", found.prediction)):
        if answer is not None:
            rows.append(Row(answer.column, role, answer.result))
    return rows


def summary(name: str, sides: Sides[pd.Series]) -> Summary:
    """Return the figures of a sampled column: quartiles and mean, or its commonest category.

    Of texts they are those of the numbers of words, of dates the first, the middle and the last.
    """
    values = sides.map(pd.Series.dropna)
    if kinds.kind_of(sides.reference) == NUMBER:
        return Summary(name, _number_figures(values))
    if kinds.kind_of(sides.reference) == DATE and kinds.kind_of(sides.current) == DATE:
        return Summary(name, _date_figures(values))
    if kinds.kind_of(sides.reference) == TEXT:
        texts = values.map(kinds.as_text)
        return Summary(name, _number_figures(texts.map(kinds.word_counts), "words"))
    return Summary(name, _category_figures(values.map(kinds.as_text)))


def _date_figures(values: Sides[pd.Series]) -> dict[str, Sides[str]]:
    shares = {"earliest": 0.0, "median": 0.5, "latest": 1.0}
    return {
        name: values.map(lambda days: _moment(days.quantile(share, interpolation="lower")))
        for name, share in shares.items()
    }


def _moment(date: pd.Timestamp) -> str:
    return "–" if pd.isna(date) else f"{date:%Y-%m-%d}"


def _number_figures(values: Sides[pd.Series], of: str = "") -> dict[str, Sides[str]]:
    """Return mean, deviation and quartiles, said to be `of` something where it is not the value."""
    # the deviation of huge numbers is infinite
    with np.errstate(over="ignore"):
        described = values.map(lambda column: column.astype(float).describe())
    figures = {}
    for figure in ("mean", "std", "min", "25%", "50%", "75%", "max"):
        figures[f"{of} {figure}".strip()] = described.map(
            lambda one: number_text(_or_none(one[figure]))
        )
    return figures


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _category_figures(values: Sides[pd.Series]) -> dict[str, Sides[str]]:
    return {
        "categories": values.map(lambda column: f"{column.nunique():,}"),
        "commonest": values.map(_commonest),
    }


def _commonest(values: pd.Series) -> str:
    """Return the commonest category and its share; of equally common ones the first by name."""
    if values.empty:
        return "–"
    category = min(values.mode())
    return f"{category} ({(values == category).mean():.1%})"
