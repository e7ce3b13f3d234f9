"""Verdicts on columns and tables, and the words for them.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and
Hochberg's correction over the columns of its part, and an effect size says that the difference
matters: with enough rows the first alone calls every trifle drift, with few the second alone calls
noise drift.

Each part of a comparison has its own share of `alpha`, so that at most this share of comparisons of
tables drawn alike alarms, and a tiny p-value in one part does not loosen the bar of another.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.drift.roles import Sides
from pipeline.drift.two_sample import TestResult, adjusted_p_values
from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.project.settings.drift import Drift

# the verdict on a column, a window or a table
DRIFT, NO_DRIFT = "drift", "no drift"
NOT_ENOUGH_DATA, NOT_COMPARED = "not enough data", "not compared"
# of a column that drifted, where drift is weighted by importance
IGNORED_DRIFT = "drift, no alarm: the model ignores it"
# the verdict on the quality of the data
GOOD, CHECK = "good", "check"
# with which detect_drift.py ends, unless --fail-on says otherwise
EXIT_STATUS = {DRIFT: 3, NOT_ENOUGH_DATA: 4}
# the verdicts that each --fail-on counts
FAIL_ON: dict[str, tuple[str, ...]] = {
    "never": (),
    "drift": (DRIFT,),
    "not-enough-data": (DRIFT, NOT_ENOUGH_DATA),
}
# of alpha that the features, the answers, and the features taken together may spend
FEATURES_SHARE, ANSWERS_SHARE, TOGETHER_SHARE = 0.6, 0.2, 0.2
# what of a column may have drifted
VALUES, MISSING = "values", "missing"
# of the greatest importance: a column below it does not matter to the model
IGNORED = 0.01
# a model's figures list so many columns at most
LISTED_IMPORTANCES = 20


@dataclass(frozen=True)
class JudgedTest:
    """A test, the effect size from which on a difference matters, and the verdict.

    Before the correction over all columns `p_adjusted` is None, and the verdict is final only
    where there is nothing to correct.
    """

    result: TestResult
    threshold: float
    verdict: str
    p_adjusted: float | None = None

    @property
    def is_uncorrected(self) -> bool:
        """Whether the verdict waits for the correction."""
        return self.result.p_value is not None and self.verdict != NOT_ENOUGH_DATA

    @property
    def drift_score(self) -> float:
        """The effect size in units of its threshold."""
        return self.result.effect_size / (self.threshold or 1)

    def corrected(self, p_adjusted: float, alpha: float) -> "JudgedTest":
        """Return the test with its adjusted p-value and the verdict that follows from it."""
        drifted = p_adjusted < alpha and self.result.effect_size >= self.threshold
        return replace(self, p_adjusted=p_adjusted, verdict=DRIFT if drifted else NO_DRIFT)


@dataclass(frozen=True)
class ColumnResult:
    """What the tests said of a column: of its values, and of the shares of missing ones."""

    kind: str
    values: JudgedTest
    missing: JudgedTest
    missing_share: Sides[float]

    @property
    def is_tested(self) -> bool:
        """Whether the values were compared by a test."""
        return self.values.result.test is not None

    @property
    def tests(self) -> dict[str, JudgedTest]:
        """The tests by what of the column they look at."""
        return {VALUES: self.values, MISSING: self.missing}

    @property
    def drift_in(self) -> list[str]:
        """What of the column drifted."""
        return [part for part, test in self.tests.items() if test.verdict == DRIFT]

    @property
    def verdict(self) -> str:
        """Drift where either test found it, else the verdict on the values."""
        return DRIFT if self.drift_in else self.values.verdict

    @property
    def drift_score(self) -> float:
        """The larger effect size, in units of its threshold."""
        return max(test.drift_score for test in self.tests.values())

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        values, missing = self.values.result, self.missing.result
        content: dict[str, Any] = {
            "kind": self.kind,
            "test": values.test,
            "statistic": values.statistic,
            "p_value": values.p_value,
            "p_adjusted": self.values.p_adjusted,
            "effect": values.effect,
            "effect_size": values.effect_size,
            "threshold": self.values.threshold,
            "missing": {
                **self.missing_share.as_json(),
                "test": missing.test,
                "statistic": missing.statistic,
                "p_value": missing.p_value,
                "effect_size": missing.effect_size,
                "p_adjusted": self.missing.p_adjusted,
                "threshold": self.missing.threshold,
                "verdict": self.missing.verdict,
            },
        }
        if values.new_categories is not None:
            content["new_categories"] = values.new_categories
        if values.unseen_rows:
            content["unseen"] = {"rows": values.unseen_rows, "values": list(values.unseen)}
        return content | {
            "verdict": self.verdict,
            "drift_in": self.drift_in,
            "drift_score": self.drift_score,
        }


def corrected(
    results: Mapping[str, ColumnResult], limits: Drift, share: float
) -> dict[str, ColumnResult]:
    """Return the columns' results with p-values adjusted over all of them, and the verdicts.

    The columns may spend a `share` of alpha: an adjusted p-value is divided by it, and compared
    with alpha itself.
    """
    waiting = {}
    for name, result in results.items():
        for part, test in result.tests.items():
            if test.is_uncorrected:
                waiting[name, part] = test
    p_values = np.array([test.result.p_value for test in waiting.values()], dtype=np.float64)
    adjusted = np.minimum(adjusted_p_values(p_values) / share, 1.0)
    judged = {
        place: test.corrected(float(p_value), limits.alpha)
        for (place, test), p_value in zip(waiting.items(), adjusted)
    }
    return {
        name: replace(
            result,
            values=judged.get((name, VALUES), result.values),
            missing=judged.get((name, MISSING), result.missing),
        )
        for name, result in results.items()
    }


@dataclass(frozen=True)
class TableVerdict:
    """The verdict on a table and what it rests on.

    `drift_share` is the share of drifted columns among the `compared` ones, `drift_score` the mean
    of their scores, where 1 is a column on its threshold. The names of drifted columns stand with
    the highest score first, apart from them those whose drift is no alarm.
    """

    verdict: str
    drift_share: float | None
    drift_score: float | None
    compared: int
    drifted: list[str]
    drifted_ignored: list[str]


def table_verdict(
    columns: Mapping[str, ColumnResult],
    broken: Collection[str],
    rows: Sides[int],
    limits: Drift,
    ignored: Collection[str] = frozenset(),
) -> TableVerdict:
    """Return the verdict that follows from a table's columns.

    A `broken` column, one that is missing, empty or of another type, is drift whatever the rest
    says. One that drifted and is `ignored` is not.
    """
    compared = {
        name: column for name, column in columns.items() if column.verdict in (DRIFT, NO_DRIFT)
    }
    moved = [name for name, column in compared.items() if column.verdict == DRIFT]
    drifted = [name for name in moved if name not in ignored]
    drifted_ignored = [name for name in moved if name in ignored]
    enough_rows = min(rows.reference, rows.current) >= limits.min_rows
    return TableVerdict(
        _verdict(
            has_drifted=bool(broken) or len(drifted) >= limits.min_columns,
            can_tell=bool(compared) and enough_rows,
        ),
        drift_share=len(drifted) / len(compared) if compared else None,
        drift_score=_mean_score(compared.values()),
        compared=len(compared),
        drifted=_highest_score_first(drifted, columns),
        drifted_ignored=_highest_score_first(drifted_ignored, columns),
    )


def _verdict(has_drifted: bool, can_tell: bool) -> str:
    if has_drifted:
        return DRIFT
    return NO_DRIFT if can_tell else NOT_ENOUGH_DATA


def _mean_score(columns: Collection[ColumnResult]) -> float | None:
    if not columns:
        return None
    return float(np.mean([column.drift_score for column in columns]))


def _highest_score_first(names: list[str], columns: Mapping[str, ColumnResult]) -> list[str]:
    return sorted(names, key=lambda name: (-columns[name].drift_score, name))


def ignored_columns(
    importance: Mapping[str, float | None] | None,
    columns: Iterable[str],
    limits: Drift,
    dataset: str,
) -> set[str]:
    """Return the columns that the model ignores, where drift is weighted by importance.

    Shuffling one of them costs the model less than a hundredth of what the most important one
    costs, or the model does not see it. `importance` lists the most important columns; one that it
    does not list is ignored only where that is sure. Raises DataError where it is None.
    """
    if limits.weighting == "none":
        return set()
    if importance is None:
        raise DataError(
            f"{paths.metrics(dataset, 'train')}: no importances, which drift.weighting needs; run "
            f"`python train.py --dataset {dataset}`"
        )
    # None: not defined on so few rows
    known = {column: loss or 0.0 for column, loss in importance.items()}
    least = IGNORED * max(known.values(), default=0)
    all_are_listed = len(known) < LISTED_IMPORTANCES or min(known.values()) < least
    unlisted = 0 if all_are_listed else least
    return {column for column in columns if known.get(column, unlisted) < least}


def exit_status(found: Iterable[str], fail_on: str) -> int:
    """Return the exit status of some verdicts; drift goes before too few rows."""
    counted = [EXIT_STATUS[verdict] for verdict in found if verdict in FAIL_ON[fail_on]]
    return min(counted, default=0)
