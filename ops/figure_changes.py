"""Changes of figures between two commits, in words: how a best candidate and its scores moved."""

from dataclasses import dataclass

from pipeline.project.rounding import number_text
from pipeline.report.comparison import DatasetResult
from pipeline.scoring import metrics

NONE = "–"
NEW, UNCHANGED, BETTER, WORSE = "new", "unchanged", "better", "worse"


@dataclass(frozen=True)
class Best:
    """The best candidate of a dataset and its primary metric."""

    name: str
    metric: str
    cv: float | None
    test: float | None
    low: float | None
    high: float | None


def best(result: DatasetResult | None) -> Best | None:
    """Return a dataset's best candidate, None where there are no results."""
    return best_of(result) if result else None


def best_of(result: DatasetResult) -> Best:
    """Return the figures of a dataset's best candidate."""
    test = result.test
    name, metric, cv = result.best.name, result.primary_metric, result.cv.mean
    return Best(name, metric, cv, test.value, test.low, test.high)


def move(before: Best | None, now: Best) -> str:
    """Return in one word how the cross-validated metric of a best candidate changed."""
    if before is None or before.metric != now.metric or before.cv is None or now.cv is None:
        return NEW
    if before.cv == now.cv:
        return UNCHANGED
    return better_or_worse(before.cv, now.cv, now.metric)


def better_or_worse(before: float, now: float, metric: str) -> str:
    """Return the word for a value that is not what it was."""
    return BETTER if metrics.is_better(metric, now, before) else WORSE


def change(before: float | None, now: float | None, metric: str) -> str:
    """Return a figure and, if it changed, the former one, an arrow, and whether it is better."""
    if before is None or before == now:
        return number_text(now)
    if now is None:
        return f"{number_text(before)} → {NONE}"
    arrow = "▲" if now > before else "▼"
    by = f" by {100 * abs(now - before) / abs(before):.2g} %" if before else ""
    word = better_or_worse(before, now, metric)
    return f"{number_text(before)} → {number_text(now)} {arrow} {word}{by}"


def within_interval(old: Best, new: Best) -> str:
    """Return the words for a test score that changed no further than the interval that it had."""
    if old.low is None or old.high is None or new.test is None or old.test == new.test:
        return ""
    if not old.low <= new.test <= old.high:
        return ""
    return f", within its interval {number_text(old.low)} to {number_text(old.high)}"
