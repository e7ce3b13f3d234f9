"""The comparison of two tables: one pass over their columns, then verdicts on the whole.

Tables are whatever gives typed columns by name: a typed_tables.Table or a DataFrame.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.data.typed_tables import AnyTable, read_as, shared_columns
from pipeline.drift import data_quality, verdicts
from pipeline.drift.column import (
    EMPTY,
    GONE,
    NEW,
    ColumnExamination,
    SchemaChange,
    are_strings,
    examine_column,
    is_of_another_type_by_chance,
)
from pipeline.drift.data_quality import RowHashes
from pipeline.drift.results import AnswerResult, TableComparison, recommendation
from pipeline.drift.roles import Roles, Sides
from pipeline.drift.separation import Separation, separate
from pipeline.drift.verdicts import ColumnResult
from pipeline.project import workers
from pipeline.project.settings.drift import Drift


@dataclass(frozen=True)
class Plan:
    """How two tables are compared.

    Drift in an `ignored` column is reported and raises no alarm; in a `sparse` column missing
    values say nothing. The seed draws the sample of at most `limits.report_rows` rows.
    """

    roles: Roles
    limits: Drift
    seed: int = 0
    ignored: frozenset[str] = frozenset()
    sparse: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Seen:
    """What is kept of a column once it is no longer in memory."""

    examination: ColumnExamination
    sample: Sides[pd.Series]
    thinned: Sides[np.ndarray] | None


class _ColumnPass:
    """One pass over the columns of two tables, several at a time."""

    def __init__(self, tables: Sides[AnyTable], plan: Plan) -> None:
        self.tables, self.plan = tables, plan
        self.rows: Sides[int] = tables.map(len)
        self.hashes = RowHashes(self.rows)
        self.drawn: Sides[np.ndarray] = self.rows.map(self._drawn)
        self.seen: dict[str, _Seen] = {}

    def _drawn(self, rows: int) -> np.ndarray:
        """Return the positions of the rows in the sample, in ascending order."""
        order = np.random.default_rng(self.plan.seed).permutation(rows)
        return np.sort(order[: self.plan.limits.report_rows])

    def run(self, n_workers: int, progress: workers.Progress) -> None:
        """Look at every column that both tables have."""
        names = shared_columns(self.tables.reference, self.tables.current)
        jobs = list(enumerate(names))
        with progress(len(names), "drift", "column") as step, workers.pool(n_workers) as run:
            seen = run(self._look_at, None, jobs, lambda place, _: step())
        self.seen = dict(zip(names, seen))

    def _sides(self, name: str) -> Sides[pd.Series]:
        """Return a column of both tables, typed alike unless its type changed."""
        sides: Sides[pd.Series] = self.tables.map(lambda table: table[name])
        if is_of_another_type_by_chance(sides) or are_strings(sides):
            kind = kinds.kind_of(sides.reference)
            return replace(sides, current=read_as(self.tables.current, name, kind))
        return sides

    def _look_at(self, _shared: None, place: int, name: str) -> _Seen:
        sides = self._sides(name)
        examination = examine_column(
            sides.reference, sides.current, self.plan.limits, name in self.plan.sparse
        )
        thinned = None
        if name not in self.plan.roles.answers:
            self.hashes.add(sides, place)
            if examination.result.kind == NUMBER:
                thinned = sides.map(data_quality.thinned)
        sample = Sides(
            sides.reference.iloc[self.drawn.reference], sides.current.iloc[self.drawn.current]
        )
        return _Seen(examination, sample, thinned)

    @property
    def features(self) -> dict[str, ColumnExamination]:
        """The examinations of the columns that are features."""
        answers = self.plan.roles.answers
        return {name: seen.examination for name, seen in self.seen.items() if name not in answers}

    def corrected(self) -> dict[str, ColumnResult]:
        """Return the columns' results, corrected over the features and over the answers.

        The predicted class is left out where there is its probability, which says the same.
        """
        roles = self.plan.roles
        hidden = {roles.label} - {roles.prediction}
        features, answers = {}, {}
        for name, seen in self.seen.items():
            if name not in roles.answers:
                features[name] = seen.examination.result
            elif name not in hidden:
                answers[name] = seen.examination.result
        limits = self.plan.limits
        return verdicts.corrected(features, limits, verdicts.FEATURES_SHARE) | verdicts.corrected(
            answers, limits, verdicts.ANSWERS_SHARE
        )

    def samples(self) -> Sides[pd.DataFrame]:
        """Return the drawn rows of either table."""
        columns = {name: seen.sample for name, seen in self.seen.items()}
        return _frames(columns)

    def thinned(self) -> Sides[pd.DataFrame]:
        """Return some rows of the features that are numbers."""
        columns = {
            name: seen.thinned.map(pd.Series)
            for name, seen in self.seen.items()
            if seen.thinned is not None
        }
        return _frames(columns)


def _frames(columns: dict[str, Sides[pd.Series]]) -> Sides[pd.DataFrame]:
    """Return columns of either table as two frames with indices from 0 on."""
    return Sides(
        pd.DataFrame({name: one.reference.reset_index(drop=True) for name, one in columns.items()}),
        pd.DataFrame({name: one.current.reset_index(drop=True) for name, one in columns.items()}),
    )


def compare_tables(
    reference: AnyTable,
    current: AnyTable,
    plan: Plan,
    performance: dict[str, Any] | None = None,
    n_workers: int = 1,
    progress: workers.Progress = workers.no_progress,
) -> TableComparison:
    """Return every result of comparing two tables; `performance` is handed on.

    No more than `n_workers` columns at a time are in memory where tables are read by columns.
    """
    columns_seen = _ColumnPass(Sides(reference, current), plan)
    columns_seen.run(n_workers, progress)
    found = _judged(columns_seen, performance)
    if found.drifted_answers or (found.together and found.together.has_drifted):
        found = replace(found, verdict=verdicts.DRIFT)
    return replace(found, recommendation=recommendation(found))


def _judged(seen: _ColumnPass, performance: dict[str, Any] | None) -> TableComparison:
    """Return the results with the verdict on the features, and without a recommendation."""
    plan, rows, tables = seen.plan, seen.rows, seen.tables
    results, features = seen.corrected(), seen.features
    columns = {name: results[name] for name in features}
    changes = _named_differently(tables.reference, tables.current, plan.roles.answers)
    correlations = []
    if min(rows.reference, rows.current) >= plan.limits.min_rows:
        changes += _changed_contents(features, columns)
        correlations = _correlations(seen.thinned(), plan.limits)
    broken = [change.column for change in changes if change.is_broken]
    verdict = verdicts.table_verdict(columns, broken, rows, plan.limits, plan.ignored)
    quality = data_quality.compare_quality(features, columns, seen.hashes, changes, plan.limits)
    return TableComparison(
        verdict=verdict.verdict,
        recommendation="",
        rows=rows,
        features=verdict,
        target=_target(tables, results, plan.roles),
        prediction=_answer(results, plan.roles.prediction),
        schema_changes=changes,
        performance=performance,
        columns=columns,
        correlations=correlations,
        quality=quality,
        limits=plan.limits,
        roles=plan.roles,
        samples=seen.samples(),
        together=_together(seen) if verdict.verdict == verdicts.NO_DRIFT else None,
    )


def _together(seen: _ColumnPass) -> Separation | None:
    """Return whether the rows can be told apart by the features that count, taken together."""
    plan = seen.plan
    names = [name for name in seen.features if name not in plan.ignored]
    samples = seen.samples().map(lambda frame: frame[names])
    return separate(samples, seen.drawn, plan.limits, plan.seed)


def _answer(results: dict[str, ColumnResult], name: str | None) -> AnswerResult | None:
    """Return the result on a column that may not be there."""
    if name is None or name not in results:
        return None
    return AnswerResult(name, results[name])


def _target(
    tables: Sides[AnyTable], results: dict[str, ColumnResult], roles: Roles
) -> AnswerResult | None:
    """Return the result on the target, with its mean in either table."""
    answer = _answer(results, roles.target)
    if answer is None:
        return None
    means = tables.map(lambda table: mean(table[answer.column], roles.positive))
    return replace(answer, mean=means)


def _correlations(
    thinned: Sides[pd.DataFrame], limits: Drift
) -> list[data_quality.CorrelationChange]:
    return data_quality.correlation_changes(thinned.reference, thinned.current, limits)


def _changed_contents(
    features: Mapping[str, ColumnExamination], columns: Mapping[str, ColumnResult]
) -> list[SchemaChange]:
    """Return the columns of another type, and those that are empty by more than chance.

    A random half of a table holds no value of a column that is nearly always missing.
    """
    changes = []
    for name, examination in features.items():
        has_fewer_values = columns[name].missing.verdict == verdicts.DRIFT
        for change in examination.changes:
            if change.change != EMPTY or has_fewer_values:
                changes.append(change)
    return changes


def _named_differently(
    reference: AnyTable, current: AnyTable, answers: Collection[str]
) -> list[SchemaChange]:
    """Return the columns that one table has and the other does not, but for the answers."""
    missing = [name for name in reference if name not in current and name not in answers]
    new = [name for name in current if name not in reference and name not in answers]
    changes = [SchemaChange(name, GONE, "not in the current data") for name in missing]
    return changes + [SchemaChange(name, NEW, "not in the reference") for name in new]


def mean(target: pd.Series, positive: str | None) -> float | None:
    """Return the mean of a numeric target, or the share of its positive class, else None."""
    present = target.dropna()
    if not len(present):
        return None
    if kinds.kind_of(present) == NUMBER:
        return float(present.mean())
    return float((present == positive).mean()) if positive else None
