"""Doubts of a score: a leak, more than few problems allow, too few rows, less than was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.data.leaks.table import MOST_NAMED, Leak, by_what_to_do, columns_of
from pipeline.project.rounding import number_text
from pipeline.report.comparison import Advice, Candidate, DatasetResult
from pipeline.scoring import bootstrap, metrics

WATCH, INFO = "watch", "info"
# out of fold; the ROC AUC of honest models is above it now and then, their F1 rarely
TOO_GOOD = 0.99
METRICS = {"classification": "f1", "regression": "r2"}


def doubts(result: DatasetResult, leaks: Sequence[Leak]) -> Iterator[Advice]:
    """Return what the leaks found before training, and the score of the best model, call for."""
    for do, what in by_what_to_do(leaks).items():
        columns = columns_of([leak for leak in leaks if leak.do == do])
        yield Advice(
            WATCH, f"The answer may be given away: {what}.", f"{_first_of(columns)}: {do}."
        )
    yield from too_good(result)
    yield from rare_class_in_test(result)
    yield from few_rows_carry_the_error(result)
    yield from worse_than_cross_validation(result)


def too_good(result: DatasetResult) -> Iterator[Advice]:
    """Return a piece of advice where the best model is better than most problems allow."""
    metric = METRICS[result.task]
    score = result.chosen.cv_oof.get(metric)
    if score is None or score <= TOO_GOOD:
        return
    yield Advice(
        WATCH,
        f"An out-of-fold {metric} of {number_text(score)} is too good to be true in most problems.",
        f"Find out why the {metric} is that high: check that every column is known at prediction "
        "time, and that rows of one person, machine or place do not stand in both splits "
        "(prepare.split: group:<column>).",
    )


@dataclass(frozen=True)
class RareClass:
    """A class with too few test rows to judge by."""

    label: str
    rows: int


def rare_class(candidate: Candidate) -> RareClass | None:
    """Return the rarest class of the test split where it is too rare to judge by."""
    matrix = candidate.confusion_matrix
    if matrix is None:
        return None
    rows, label = min(zip(matrix.rows_of_classes(), matrix.labels))
    return RareClass(label, rows) if rows < bootstrap.FEWEST_OF_CLASS else None


def rare_class_in_test(result: DatasetResult) -> Iterator[Advice]:
    """The test split holds too few rows of a class."""
    rare = rare_class(result.chosen)
    if rare is None:
        return
    gate_on_test = any(gate.on == "test" for gate in result.gates)
    other_gate = ", and let the gates look at the out-of-fold scores (on: oof)"
    yield Advice(
        WATCH,
        f"The test split holds {rare.rows} rows of class {rare.label}, too few to judge by: below "
        f"{bootstrap.FEWEST_OF_CLASS} the interval is too narrow.",
        f"Collect more rows of class {rare.label}{other_gate if gate_on_test else ''}.",
    )


def few_rows_carry_the_error(result: DatasetResult) -> Iterator[Advice]:
    """A few test rows make much of the squared error, so that the interval hangs on them."""
    heaviest = result.chosen.heaviest_rows
    if heaviest is not None:
        yield Advice(
            INFO,
            f"{heaviest} on the test split: the interval of {result.primary_metric} can "
            "be too narrow, as other rows may hold errors as large or none.",
            f"Look at the {heaviest.rows} rows with the largest errors; where they count no more "
            "than others, judge by mae.",
        )


def worse_than_cross_validation(result: DatasetResult) -> Iterator[Advice]:
    """The score to expect lies beyond the better end of the test score's interval.

    That is the out-of-fold score less what being the best of several flatters it. Too few rows of
    a class say nothing on it.
    """
    metric, test = result.primary_metric, result.test
    expected = result.expected[metric]
    too_few = rare_class(result.chosen) is not None
    if too_few or expected is None or test.low is None or test.high is None:
        return
    better_than_low = metrics.is_better(metric, expected, test.low)
    better_than_high = metrics.is_better(metric, expected, test.high)
    if better_than_low and better_than_high:
        yield Advice(
            WATCH,
            f"The test {metric} of {number_text(test.value)} is worse than cross-validation "
            f"promised: {number_text(expected)}.",
            f"Check why the test {metric} is worse than cross-validation: do the test rows come "
            "from another time or another group?",
        )


def _first_of(columns: Sequence[str]) -> str:
    """Return the first of the columns, each once, and how many more there are."""
    names = list(dict.fromkeys(columns))
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
