"""What one column of two tables says: its tests, changes of what it holds, and signs of quality.

Both columns are typed, see data.typed_tables.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from pipeline.data import kinds, quality
from pipeline.data.kinds import CATEGORY, NUMBER, TEXT
from pipeline.drift.roles import Sides
from pipeline.drift.two_sample import TESTS, TestResult, compare_missing, contingency_test
from pipeline.drift.verdicts import (
    NO_DRIFT,
    NOT_COMPARED,
    NOT_ENOUGH_DATA,
    ColumnResult,
    JudgedTest,
)
from pipeline.project.settings.drift import Drift

# changes of what a table holds; a new column, which no model reads, breaks nothing
GONE, NEW, EMPTY, OTHER_TYPE = "missing", "new", "empty", "type"
# a type that changes changes for nearly all values; below this p-value it is not chance
SURE = 1e-4
# values in which a column that is not constant nearly always shows a second one
A_LOOK = 100


@dataclass(frozen=True)
class SchemaChange:
    """A column that is missing, new, empty on one side or of another type, and what was found."""

    column: str
    change: str
    detail: str

    @property
    def is_broken(self) -> bool:
        """Whether the column can no longer be used."""
        return self.change != NEW

    def as_json(self) -> dict[str, str]:
        """Return it as drift.json holds it."""
        return asdict(self)


@dataclass(frozen=True)
class ColumnExamination:
    """What a column says by itself; the verdicts of `result` are not yet corrected.

    `unreadable` counts values that are not of the column's type, `outliers` the numbers outside
    Tukey's fences of the reference.
    """

    result: ColumnResult
    changes: list[SchemaChange]
    constant: Sides[bool]
    unreadable: Sides[int]
    outliers: Sides[int]


def examine_column(
    reference: pd.Series, current: pd.Series, limits: Drift, sparse: bool = False
) -> ColumnExamination:
    """Return what two typed columns say; of a `sparse` one, missing values say nothing.

    Numbers are sorted once, which serves the test, the distance and the quartiles.
    """
    sides = Sides(reference, current)
    kind = kinds.kind_of(reference)
    values, outliers = TestResult(), Sides(0, 0)
    verdict = NOT_COMPARED
    present = sides.map(pd.Series.dropna)
    rows = min(len(present.reference), len(present.current))
    test = TESTS[kind]
    threshold = test.threshold(limits)
    # dates move by themselves: they have a threshold only where params.yaml gives one
    if threshold is not None and kind == kinds.kind_of(current):
        arranged = present.map(test.arrange)
        if kind == NUMBER:
            outliers = count_outliers(arranged)
        if rows > 0:
            values = test.compare(arranged.reference, arranged.current)
            verdict = NOT_ENOUGH_DATA if rows < limits.min_rows else NO_DRIFT
    result = ColumnResult(
        kind,
        JudgedTest(values, threshold or 0.0, verdict),
        _missing(sides, limits, sparse),
        sides.map(missing_share),
    )
    return ColumnExamination(
        result,
        content_changes(reference, current),
        sides.map(is_constant),
        sides.map(unreadable_values),
        outliers,
    )


def _missing(sides: Sides[pd.Series], limits: Drift, sparse: bool) -> JudgedTest:
    """Return the test that both columns have equal shares of missing values."""
    rows = sides.map(len)
    missing = sides.map(lambda values: int(values.isna().sum()))
    few = min(rows.reference, rows.current) < limits.min_rows
    if sparse:
        result = TestResult()
    else:
        result = compare_missing(
            (missing.reference, missing.current), (rows.reference, rows.current)
        )
    return JudgedTest(result, limits.missing, NOT_ENOUGH_DATA if few else NO_DRIFT)


def content_changes(reference: pd.Series, current: pd.Series) -> list[SchemaChange]:
    """Return the change of what a column holds, in a list, or an empty list."""
    name = str(reference.name)
    empty = Sides(reference, current).map(lambda values: bool(values.isna().all()))
    if empty.reference and empty.current:
        return []
    if empty.reference:
        return [SchemaChange(name, EMPTY, "no value in the reference")]
    if empty.current:
        return [SchemaChange(name, EMPTY, "no value in the current data")]
    before, now = kinds.kind_of(reference), kinds.kind_of(current)
    if before == now:
        return []
    detail = f"{before} in the reference, {now} in the current data"
    return [SchemaChange(name, OTHER_TYPE, detail)]


def is_of_another_type_by_chance(sides: Sides[pd.Series]) -> bool:
    """Tell whether two columns are of different types that chance alone may have given them.

    A column is of a type where 95 % of its values read as that: of one that lies near that line a
    random half may be numbers, and the other half categories.
    """
    before, now = kinds.kind_of(sides.reference), kinds.kind_of(sides.current)
    if before == now or CATEGORY not in (before, now):
        return False
    if sides.reference.isna().all() or sides.current.isna().all():
        return False
    strict = kinds.KINDS[now if before == CATEGORY else before]

    def counts(values: pd.Series) -> tuple[int, int]:
        present = values.dropna()
        readable = int(strict.read(present).notna().sum())
        return readable, len(present) - readable + unreadable_values(values)

    table = np.array([counts(sides.reference), counts(sides.current)])
    p_value = contingency_test(table).p_value
    return p_value is not None and p_value >= SURE


def are_strings(sides: Sides[pd.Series]) -> bool:
    """Tell whether one column holds texts and the other categories: few rows may decide which."""
    return {kinds.kind_of(sides.reference), kinds.kind_of(sides.current)} == {TEXT, CATEGORY}


def missing_share(values: pd.Series) -> float:
    """Return the share of missing values; 0 where there are no rows."""
    return float(values.isna().mean()) if len(values) else 0.0


def unreadable_values(values: pd.Series) -> int:
    """Return how many values were lost when the column was typed."""
    return values.attrs.get("unreadable", 0)


def is_constant(values: pd.Series) -> bool:
    """Tell whether a column has one value in every row, be it a missing one."""
    if values.head(A_LOOK).nunique(dropna=False) > 1:
        return False
    return values.nunique(dropna=False) <= 1


def count_outliers(ordered: Sides[np.ndarray]) -> Sides[int]:
    """Return how many of two sorted arrays lie outside Tukey's fences of the reference.

    The fences are the same for both, so that the shares can be compared.
    """
    if not len(ordered.reference):
        return Sides(0, 0)
    low, high = (_quantile(ordered.reference, share) for share in (0.25, 0.75))
    fence = quality.IQR_FENCE * (high - low)

    def outside(values: np.ndarray) -> int:
        below = np.searchsorted(values, low - fence, "left")
        not_above = np.searchsorted(values, high + fence, "right")
        return int(below + len(values) - not_above)

    return ordered.map(outside)


def _quantile(ordered: np.ndarray, share: float) -> float:
    """Return a quantile of a sorted array, on the straight line between two values."""
    place = share * (len(ordered) - 1)
    below, above = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return float(below + (above - below) * (place - int(place)))
