"""Doubts of a score: columns that may give the answer away, and a score that few problems allow."""

from collections.abc import Iterator, Sequence

from pipeline.data.leaks.table import Leak, by_what_to_do
from pipeline.project.rounding import number_text
from pipeline.report.comparison import Advice, DatasetResult

WATCH = "watch"
# out of fold; the ROC AUC of honest models is above it now and then, their F1 rarely
TOO_GOOD = 0.99
METRICS = {"classification": "f1", "regression": "r2"}


def doubts(result: DatasetResult, leaks: Sequence[Leak]) -> Iterator[Advice]:
    """Return what the leaks found before training, and the score of the best model, call for."""
    for do, what in by_what_to_do(leaks).items():
        yield Advice(WATCH, f"The answer may be given away: {what}.", _sentence(do))
    yield from too_good(result)


def too_good(result: DatasetResult) -> Iterator[Advice]:
    """Return a piece of advice where the best model is better than most problems allow."""
    metric = METRICS[result.task]
    score = result.chosen.cv_oof.get(metric)
    if score is None or score <= TOO_GOOD:
        return
    yield Advice(
        WATCH,
        f"An out-of-fold {metric} of {number_text(score)} is too good to be true in most problems.",
        "Check that every column is known at prediction time, and that rows of one person, machine "
        "or place do not stand in both splits: prepare.split: group:<column>.",
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
