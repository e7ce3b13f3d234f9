"""Data quality of two tables: missing values, duplicates, outliers, changed correlations."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.data.typed_tables import shared_columns
from pipeline.drift import verdicts
from pipeline.drift.column import ColumnExamination, SchemaChange
from pipeline.drift.roles import CURRENT, REFERENCE, Sides
from pipeline.drift.two_sample import adjusted_p_values, contingency_test
from pipeline.drift.verdicts import ColumnResult
from pipeline.project.settings.drift import Drift

# of the share of duplicates or outliers, from which on data quality has changed
RISE = 0.05
# of each table, or a few more: enough rows to see any change of a correlation that matters
CORRELATED_ROWS = 20_000
# the first columns of numbers whose pairs are compared: the pairs grow with the square
MOST_CORRELATED = 300
# changes of correlations that are listed, the largest first
LISTED = 10
# correlations beyond it count as it, as Fisher's z of 1 is infinite
LARGEST = 0.999999


class RowHashes:
    """A number for each row of two tables, which alike rows share.

    Columns are added in any order and from several threads.
    """

    def __init__(self, rows: Sides[int]) -> None:
        self.sums: Sides[np.ndarray] = rows.map(lambda count: np.zeros(count, dtype=np.uint64))
        self._lock = threading.Lock()

    def add(self, column: Sides[pd.Series], place: int) -> None:
        """Add the column at a place among the columns, which keeps equal columns apart."""
        added = column.map(lambda values: _value_hashes(values) * np.uint64(2 * place + 1))
        with self._lock:
            np.add(self.sums.reference, added.reference, out=self.sums.reference)
            np.add(self.sums.current, added.current, out=self.sums.current)

    def duplicates(self) -> Sides[int]:
        """Return how many rows of each table repeat another one."""
        return self.sums.map(_repeated)

    def duplicate_shares(self) -> Sides[float]:
        """Return the share of repeated rows among as many first rows of each table.

        The more rows, the more are alike by chance.
        """
        rows = min(len(self.sums.reference), len(self.sums.current))
        return self.sums.map(lambda hashes: _repeated(hashes[:rows]) / rows)


def _value_hashes(values: pd.Series) -> np.ndarray:
    """Return a number for each value of a column, as uint64."""
    if kinds.kind_of(values) == NUMBER:
        # + 0.0, as -0 is 0
        return pd.util.hash_array(values.to_numpy() + 0.0)
    return pd.util.hash_array(pd.factorize(values)[0])


def _repeated(hashes: np.ndarray) -> int:
    return int((np.diff(np.sort(hashes)) == 0).sum())


@dataclass(frozen=True)
class TableQuality:
    """The quality of one table, with counts by column where there is something to count."""

    rows: int
    missing_share: float
    duplicates: int
    outliers: dict[str, int]
    unreadable: dict[str, int]
    constant: list[str]


@dataclass(frozen=True)
class DataQuality:
    """The quality of both tables, and a verdict with its reasons."""

    verdict: str
    reasons: list[str]
    tables: Sides[TableQuality]

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        tables = self.tables.map(asdict).as_json()
        return {"verdict": self.verdict, "reasons": self.reasons, **tables}


def compare_quality(
    examinations: Mapping[str, ColumnExamination],
    columns: Mapping[str, ColumnResult],
    hashes: RowHashes,
    changes: list[SchemaChange],
    limits: Drift,
) -> DataQuality:
    """Return the quality of two tables; `columns` are their columns' corrected results."""
    tables = _tables(examinations, columns, hashes)
    reasons = [f"{change.column}: {change.change}, {change.detail}" for change in changes]
    reasons += _column_reasons(columns, tables)
    reasons += _outlier_reasons(tables, limits)
    shares = hashes.duplicate_shares()
    if len(examinations) > 1 and shares.current - shares.reference >= RISE:
        reasons.append(f"duplicate rows {shares.reference:.1%} -> {shares.current:.1%}")
    return DataQuality(verdicts.CHECK if reasons else verdicts.GOOD, reasons, tables)


def _tables(
    examinations: Mapping[str, ColumnExamination],
    columns: Mapping[str, ColumnResult],
    hashes: RowHashes,
) -> Sides[TableQuality]:
    """Return the quality of each table by itself."""
    # without a column there is nothing that could repeat
    duplicates = hashes.duplicates() if examinations else Sides(0, 0)

    def of_side(side: str) -> TableQuality:
        missing = [column.missing_share.as_json()[side] for column in columns.values()]
        outliers: dict[str, int] = {}
        unreadable: dict[str, int] = {}
        constant: list[str] = []
        for name, found in examinations.items():
            if count := found.outliers.as_json()[side]:
                outliers[name] = count
            if count := found.unreadable.as_json()[side]:
                unreadable[name] = count
            if found.constant.as_json()[side]:
                constant.append(name)
        return TableQuality(
            rows=len(hashes.sums.as_json()[side]),
            missing_share=float(np.mean(missing)) if missing else 0.0,
            duplicates=duplicates.as_json()[side],
            outliers=outliers,
            unreadable=unreadable,
            constant=constant,
        )

    return Sides(REFERENCE, CURRENT).map(of_side)


def _column_reasons(columns: Mapping[str, ColumnResult], tables: Sides[TableQuality]) -> list[str]:
    """Return what got worse in the columns: missing, unreadable and constant values."""
    reasons = []
    for name, column in columns.items():
        if column.missing.verdict == verdicts.DRIFT:
            share = column.missing_share
            reasons.append(f"{name}: missing {share.reference:.1%} -> {share.current:.1%}")
    for name, count in tables.current.unreadable.items():
        reasons.append(f"{name}: {count} values cannot be read")
    for name in tables.current.constant:
        if columns[name].verdict == verdicts.DRIFT:
            reasons.append(f"{name}: constant")
    return reasons


def _outlier_reasons(tables: Sides[TableQuality], limits: Drift) -> list[str]:
    """Return the columns that have clearly more outliers than before."""
    reasons = []
    rows = tables.map(lambda table: table.rows)
    for name, count in tables.current.outliers.items():
        counts = Sides(tables.reference.outliers.get(name, 0), count)
        # as many columns are tested (Bonferroni)
        if _is_more_often(counts, rows, limits, limits.alpha / len(tables.current.outliers)):
            before, now = counts.reference / rows.reference, counts.current / rows.current
            reasons.append(f"{name}: outliers {before:.1%} -> {now:.1%}")
    return reasons


def _is_more_often(counts: Sides[int], rows: Sides[int], limits: Drift, alpha: float) -> bool:
    """Tell whether a share rose by RISE or more and by more than chance."""
    if min(rows.reference, rows.current) < limits.min_rows:
        return False
    if counts.current / rows.current - counts.reference / rows.reference < RISE:
        return False
    table = np.array(
        [
            [counts.reference, rows.reference - counts.reference],
            [counts.current, rows.current - counts.current],
        ]
    )
    p_value = contingency_test(table).p_value
    return p_value is not None and p_value < alpha


# correlations


@dataclass(frozen=True)
class CorrelationChange:
    """Two columns, their rank correlation in each table, and the test that it is the same."""

    columns: tuple[str, str]
    correlation: Sides[float]
    p_adjusted: float

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        return {
            "columns": list(self.columns),
            REFERENCE: self.correlation.reference,
            CURRENT: self.correlation.current,
            "p_adjusted": self.p_adjusted,
        }


@dataclass(frozen=True)
class _Correlations:
    """The rank correlations of a table's pairs of columns: themselves, Fisher's z, its variance."""

    rho: np.ndarray
    z: np.ndarray
    variance: np.ndarray


def thinned(values: pd.Series) -> np.ndarray:
    """Return every nth value, some CORRELATED_ROWS of them.

    They are copied, as a view would keep the whole column in memory.
    """
    return values.to_numpy()[:: max(1, len(values) // CORRELATED_ROWS)].copy()


def correlation_changes(
    reference: pd.DataFrame, current: pd.DataFrame, limits: Drift
) -> list[CorrelationChange]:
    """Return the pairs of number columns whose rank correlation changed, the largest change first.

    Each is tested by Fisher's z with Bonett and Wright's (2000) variance, corrected over the pairs
    as the columns are. Of a wide table the first MOST_CORRELATED columns are looked at.
    """
    names = [
        name for name in shared_columns(reference, current) if _varies(reference, current, name)
    ][:MOST_CORRELATED]
    if len(names) < 2:
        return []
    pairs = np.triu_indices(len(names), k=1)
    one, other = (_correlations(frame[names], pairs) for frame in (reference, current))
    p_values = _p_values(one, other)
    change = np.abs(one.rho - other.rho)
    changed = (p_values < limits.alpha) & (change >= limits.correlation)
    places = sorted(np.flatnonzero(changed), key=lambda place: (-change[place], place))
    return [
        CorrelationChange(
            (names[pairs[0][place]], names[pairs[1][place]]),
            Sides(float(one.rho[place]), float(other.rho[place])),
            float(p_values[place]),
        )
        for place in places[:LISTED]
    ]


def _varies(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> bool:
    """Tell whether a column holds different numbers in either table."""
    columns = (reference[name], current[name])
    if any(kinds.kind_of(values) != NUMBER for values in columns):
        return False
    return all(values.nunique() > 1 for values in columns)


def _correlations(frame: pd.DataFrame, pairs: tuple[np.ndarray, np.ndarray]) -> _Correlations:
    """Return the rank correlation of each pair of columns over the rows that have both."""
    rho = frame.rank().corr().to_numpy()[pairs]
    there = frame.notna().to_numpy(dtype=float)
    rows = (there.T @ there)[pairs]
    z = np.arctanh(np.clip(rho, -LARGEST, LARGEST))
    return _Correlations(rho, z, (1 + rho**2 / 2) / np.maximum(rows - 3, 1))


def _p_values(one: _Correlations, other: _Correlations) -> np.ndarray:
    """Return the adjusted p-value of each pair; NaN where a correlation is undefined."""
    from scipy.stats import norm

    p_values = 2 * norm.sf(np.abs(one.z - other.z) / np.sqrt(one.variance + other.variance))
    defined = np.isfinite(p_values)
    p_values[defined] = adjusted_p_values(p_values[defined])
    return p_values
