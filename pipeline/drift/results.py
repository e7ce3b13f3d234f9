"""What comparing two tables came to: as data, as JSON and in words."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from pipeline.drift import verdicts
from pipeline.drift.column import SchemaChange
from pipeline.drift.data_quality import CorrelationChange, DataQuality
from pipeline.drift.roles import Roles, Sides
from pipeline.drift.separation import CLASSIFIER, Separation
from pipeline.drift.two_sample import TestResult
from pipeline.drift.verdicts import ColumnResult, JudgedTest, TableVerdict
from pipeline.project import errors, rounding
from pipeline.project.settings.drift import Drift

# notes that are listed
LISTED_NOTES = 10
# and printed
PRINTED_NOTES = 3


@dataclass(frozen=True)
class AnswerResult:
    """What the tests said of the target or the prediction.

    `mean` is that of a numeric target, or the share of its positive class; None for a prediction.
    """

    column: str
    result: ColumnResult
    mean: Sides[float | None] | None = None

    @property
    def has_drifted(self) -> bool:
        """Whether the verdict is drift."""
        return self.result.verdict == verdicts.DRIFT

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        content = {"column": self.column, **self.result.as_json()}
        if self.mean is not None:
            content["mean"] = self.mean.as_json()
        return content


@dataclass(frozen=True)
class TableComparison:
    """Every result of comparing two tables, and a seeded sample of either.

    `features` is the verdict on the features one by one, `together` that on all of them taken
    together, None where one drifted by itself, and `verdict` that on everything. `performance`
    holds the model's scores on both sides as whoever compares the tables knows them.
    """

    verdict: str
    recommendation: str
    rows: Sides[int]
    features: TableVerdict
    target: AnswerResult | None
    prediction: AnswerResult | None
    schema_changes: list[SchemaChange]
    performance: dict[str, Any] | None
    columns: dict[str, ColumnResult]
    correlations: list[CorrelationChange]
    quality: DataQuality
    limits: Drift
    roles: Roles
    samples: Sides[pd.DataFrame]
    together: Separation | None = None

    @property
    def answers(self) -> list[AnswerResult]:
        """The results on target and prediction, where there are such columns."""
        return [answer for answer in (self.target, self.prediction) if answer is not None]

    @property
    def results(self) -> dict[str, ColumnResult]:
        """The results on all columns by name, the answers last."""
        return self.columns | {answer.column: answer.result for answer in self.answers}

    @property
    def drifted_answers(self) -> list[AnswerResult]:
        """The answers that drifted."""
        return [answer for answer in self.answers if answer.has_drifted]

    @property
    def broken(self) -> list[str]:
        """The columns that can no longer be used."""
        return [change.column for change in self.schema_changes if change.is_broken]

    @property
    def moved(self) -> list[str]:
        """The columns for which the verdict is drift.

        Broken and drifted ones and drifted answers; if none, those by which rows stand out.
        """
        answers = [answer.column for answer in self.drifted_answers]
        names = [*self.broken, *self.features.drifted, *answers]
        if not names and self.together and self.together.has_drifted:
            return self.together.columns
        return names

    @property
    def notes(self) -> list[str]:
        """What is worth knowing and is no drift: current values that the reference does not have.

        Those of the most rows come first.
        """
        unseen = {name: column.values.result for name, column in self.columns.items()}
        names = [name for name in unseen if unseen[name].unseen_rows]
        names.sort(key=lambda name: (-unseen[name].unseen_rows, name))
        return [_note(name, unseen[name]) for name in names[:LISTED_NOTES]]

    @property
    def does_worse(self) -> bool:
        """Whether the model does worse on the current rows, by more than chance."""
        return bool((self.performance or {}).get("worse"))

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it, every number with six significant digits."""
        content = {
            "verdict": self.verdict,
            "recommendation": self.recommendation,
            "rows": self.rows.as_json(),
            **asdict(self.features),
            "target": self.target.as_json() if self.target else None,
            "prediction": self.prediction.as_json() if self.prediction else None,
            "together": self.together.as_json() if self.together else None,
            "notes": self.notes,
            "schema_drift": [change.as_json() for change in self.schema_changes],
            "performance": self.performance,
            "columns": {name: column.as_json() for name, column in self.columns.items()},
            "correlations": [change.as_json() for change in self.correlations],
            "quality": self.quality.as_json(),
            "thresholds": self.limits.model_dump(),
        }
        # the verdict on the features gives way to that on everything
        content["verdict"] = self.verdict
        return rounding.rounded(content)


# in words


def _note(name: str, found: TestResult) -> str:
    """Return what a column holds that the reference does not, in words."""
    rows = f"{found.unseen_rows:,} row{'s' if found.unseen_rows > 1 else ''}"
    if found.new_categories is None:
        return f"{name}: {rows} {' or '.join(found.unseen)}, where the reference has no value"
    more = ", ..." if found.new_categories > len(found.unseen) else ""
    values = ", ".join(found.unseen)
    return f"{name}: {rows} with {values}{more}, which the reference does not have"


def recommendation(found: TableComparison) -> str:
    """Return in words what to do about a comparison; what it recommends itself is not read."""
    if found.broken:
        return _about_broken_columns(found)
    if found.verdict == verdicts.NOT_ENOUGH_DATA:
        return _about_too_few_rows(found)
    drifted = errors.listed(found.features.drifted)
    if found.does_worse:
        look = f"; look at {drifted}" if found.features.drifted else ""
        return f"retrain: the model does worse on the current rows{look}"
    if found.verdict == verdicts.DRIFT and found.drifted_answers:
        moved = errors.listed([answer.column for answer in found.drifted_answers])
        others = f", and so did {drifted}" if found.features.drifted else ""
        return f"retrain: {moved} moved{others}"
    if found.verdict == verdicts.DRIFT and found.features.drifted:
        return f"look at {drifted}; retrain if the change is to stay"
    if found.verdict == verdicts.DRIFT and found.together:
        stand_out = f"{found.together.found:,} rows that stand out"
        columns = errors.listed(found.together.columns)
        return f"look at {stand_out} by {columns}; retrain if the change is to stay"
    if found.features.drifted_ignored:
        ignored = errors.listed(found.features.drifted_ignored)
        return f"nothing to do: the model ignores {ignored}, which moved"
    if found.quality.verdict == verdicts.GOOD:
        return "nothing to do"
    return f"look at the data: {found.quality.reasons[0]}"


def _about_broken_columns(found: TableComparison) -> str:
    broken = errors.listed(found.broken)
    if found.features.compared == 0:
        return f"no column can be compared: these are tables of different things, or fix {broken}"
    return f"fix the columns first: {broken}"


def _about_too_few_rows(found: TableComparison) -> str:
    rows, needed = min(found.rows.reference, found.rows.current), found.limits.min_rows
    if rows < needed:
        return f"collect more rows before judging: {rows} of the {needed} that a verdict needs"
    return "no column has values enough to be judged"


def change_lines(found: TableComparison) -> list[str]:
    """Return a line for every change of the tables and every column that drifted."""
    lines = [
        f"  {change.column}: {change.change}, {change.detail}" for change in found.schema_changes
    ]
    for name in found.features.drifted:
        lines += _drift_lines(name, found.columns[name])
    for name in found.features.drifted_ignored:
        for line in _drift_lines(name, found.columns[name]):
            lines.append(f"{line}; no alarm: the model ignores it")
    for answer in found.drifted_answers:
        lines += _drift_lines(answer.column, answer.result)
    if found.together and found.together.has_drifted:
        lines.append(_together_line(found.together))
    return lines + [f"  note: {note}" for note in found.notes[:PRINTED_NOTES]]


def _together_line(together: Separation) -> str:
    """Return how the rows can be told apart by all columns, and which rows stand out."""
    rows = ", ".join(map(str, together.rows))
    return (
        f"  all columns together: {CLASSIFIER}, {_p_value(together.test)}, AUC "
        f"{together.test.result.statistic:.3f}; {together.found:,} of "
        f"{together.compared_rows.current:,} rows stand out by "
        f"{errors.listed(together.columns)}: rows {rows}, ..."
    )


def _drift_lines(name: str, column: ColumnResult) -> list[str]:
    """Return a line for each test that found drift in a column."""
    lines = []
    if verdicts.MISSING in column.drift_in:
        share = column.missing_share
        lines.append(
            f"  {name}: missing {share.reference:.1%} -> {share.current:.1%}, "
            f"{_p_value(column.missing)}"
        )
    if verdicts.VALUES in column.drift_in:
        test = column.values.result
        lines.append(
            f"  {name}: {test.test}, {_p_value(column.values)}, "
            f"{test.effect} distance {test.effect_size:.3g}"
        )
    return lines


def _p_value(test: JudgedTest) -> str:
    return f"adjusted p {test.p_adjusted:.2g}"


def closing_line(name: str, found: TableComparison, synthetic: bool) -> str:
    """Return what a comparison came to in one line."""
    data = " on synthetic data" if synthetic else ""
    columns = f", {columns_line(found)}" if found.features.compared else ""
    return f"drift {name}: {found.verdict}{data}{columns}; {found.recommendation}"


def columns_line(found: TableComparison) -> str:
    """Return how many columns drifted, or why none was compared."""
    if found.features.compared:
        return f"{len(found.features.drifted)} of {found.features.compared} columns drifted"
    rows, needed = min(found.rows.reference, found.rows.current), found.limits.min_rows
    if rows < needed:
        return f"not enough rows: {rows} found, {needed} needed"
    return "no column could be compared"
