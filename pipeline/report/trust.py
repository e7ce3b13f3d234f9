"""Advice on the scores themselves: whether the rows are enough to judge by, and what they promise."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.project.rounding import number_text
from pipeline.report.comparison import Advice, Candidate
from pipeline.report.evidence import INFO, WATCH, Evidence
from pipeline.scoring import bootstrap, metrics


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


def rare_class_in_test(evidence: Evidence) -> Iterator[Advice]:
    """The test split holds too few rows of a class."""
    rare = rare_class(evidence.result.chosen)
    if rare is None:
        return
    gate_on_test = any(gate.on == "test" for gate in evidence.result.gates)
    other_gate = ", and let the gates look at the out-of-fold scores (on: oof)"
    yield Advice(
        WATCH,
        f"The test split holds {rare.rows} rows of class {rare.label}, too few to judge by: below "
        f"{bootstrap.FEWEST_OF_CLASS} the interval is too narrow.",
        f"Collect more rows of that class{other_gate if gate_on_test else ''}.",
    )


def few_rows_carry_the_error(evidence: Evidence) -> Iterator[Advice]:
    """A few test rows make much of the squared error, so that the interval hangs on them."""
    heaviest = evidence.result.chosen.heaviest_rows
    if heaviest is not None:
        yield Advice(
            INFO,
            f"{heaviest} on the test split: the interval of {evidence.result.primary_metric} can "
            "be too narrow, as other rows may hold errors as large or none.",
            "Look at these rows; where they count no more than others, judge by mae.",
        )


def worse_than_cross_validation(evidence: Evidence) -> Iterator[Advice]:
    """The score to expect lies beyond the better end of the test score's interval.

    That is the out-of-fold score less what being the best of several flatters it.
    """
    result, metric = evidence.result, evidence.result.primary_metric
    expected, test = result.expected[metric], result.test
    if expected is None or test.low is None or test.high is None:
        return
    better_than_low = metrics.is_better(metric, expected, test.low)
    better_than_high = metrics.is_better(metric, expected, test.high)
    if better_than_low and better_than_high:
        yield Advice(
            WATCH,
            f"The test {metric} of {number_text(test.value)} is worse than cross-validation "
            f"promised: {number_text(expected)}.",
            "Check how the split is made: do the test rows come from another time or another "
            "group?",
        )
