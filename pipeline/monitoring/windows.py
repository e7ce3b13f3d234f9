"""Windows of the inference log: each is compared with the training rows by itself.

An alarm needs several windows: one bad hour is none.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.data import typed_tables
from pipeline.drift import comparison
from pipeline.drift.comparison import Plan
from pipeline.drift.results import TableComparison
from pipeline.drift.verdicts import DRIFT, NO_DRIFT, NOT_ENOUGH_DATA
from pipeline.project import errors
from pipeline.project.settings.drift import Drift


@dataclass(frozen=True)
class Window:
    """So many served rows in a row: the times of the first and the last, and what drifted."""

    first: str
    last: str
    rows: int
    verdict: str
    drifted: list[str]


def compare_windows(
    reference: pd.DataFrame,
    served: pd.DataFrame,
    times: pd.Series,
    texts: tuple[str, ...],
    plan: Plan,
    n_workers: int = 1,
) -> list[Window]:
    """Return windows of `window_rows` served rows each, the oldest first, at most `windows`.

    They end with the newest row; what is left of an oldest one counts only where it is the only
    one. Both tables hold features and the prediction; `texts` are the columns of categories.
    """
    compared = []
    for start in _starts(len(served), plan.limits):
        rows = served.iloc[start : start + plan.limits.window_rows]
        window = typed_tables.with_text(typed_tables.of_frame(rows), texts)
        found = comparison.compare_tables(reference, window, plan, n_workers=n_workers)
        first, last = times.iloc[start], times.iloc[start + len(rows) - 1]
        compared.append(Window(first, last, len(rows), found.verdict, found.moved))
    return compared


def _starts(rows: int, limits: Drift) -> list[int]:
    """Return the positions at which the windows start, the oldest first."""
    newest_first = range(rows - limits.window_rows, -1, -limits.window_rows)[: limits.windows]
    return list(reversed(newest_first)) or [0]


def windows_verdict(windows: list[Window], limits: Drift) -> str:
    """Return the verdict of several windows: drift where as many drifted as an alarm needs.

    Where too few could be judged for that ever to be, there is not enough data.
    """
    found = [window.verdict for window in windows]
    if found.count(DRIFT) >= limits.alarm_windows:
        return DRIFT
    judged = len(found) - found.count(NOT_ENOUGH_DATA)
    return NO_DRIFT if judged >= limits.alarm_windows else NOT_ENOUGH_DATA


def windows_recommendation(windows: list[Window], found: TableComparison) -> str:
    """Return in words what to do about windows of which all rows together gave `found`."""
    limits, verdict = found.limits, windows_verdict(windows, found.limits)
    drifted = [window for window in windows if window.verdict == DRIFT]
    if verdict == NOT_ENOUGH_DATA:
        return (
            f"wait for more rows: {_with_enough_rows(windows)} windows of {limits.window_rows} "
            f"could be judged, "
            f"an alarm needs {limits.alarm_windows}"
        )
    if found.does_worse:
        return found.recommendation
    if drifted and verdict == NO_DRIFT:
        return (
            f"look again after the next window: {len(drifted)} of {len(windows)} drifted, "
            f"{limits.alarm_windows} are an alarm"
        )
    if drifted and not (found.features.drifted or found.schema_changes):
        names = [name for window in drifted for name in window.drifted]
        return f"look at {errors.listed(dict.fromkeys(names))}"
    return found.recommendation


def _with_enough_rows(windows: list[Window]) -> int:
    """Return how many windows have the rows for a verdict."""
    return sum(window.verdict != NOT_ENOUGH_DATA for window in windows)


def line(window: Window) -> str:
    """Return what a window came to."""
    drifted = f": {errors.listed(window.drifted, most=3)}" if window.drifted else ""
    return f"  window {window.first} to {window.last}: {window.verdict}{drifted}"
