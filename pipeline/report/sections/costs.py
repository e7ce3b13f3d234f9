"""What decisions cost on the test rows: those of the best model, and one class for all rows."""

from dataclasses import dataclass

from pipeline.report.comparison import BoundedScore
from pipeline.report.sections.subject import MOST_CLASSES, Subject
from pipeline.scoring.definitions.classification import COST


@dataclass(frozen=True)
class Row:
    """One way to decide, and what it costs per 1,000 test rows."""

    decision: str
    cost: BoundedScore


@dataclass(frozen=True)
class Costs:
    """The best model's decisions first, then the constant ones."""

    rows: list[Row]
    rule: str


def figures(subject: Subject) -> Costs | None:
    constant = subject.result.constant_decisions
    if constant is None:
        return None
    chosen, classes = subject.result.chosen, list(constant)
    rows = [Row(f"by {subject.result.best.name}", chosen.test[COST])]
    for label in classes[:MOST_CLASSES]:
        rows.append(Row(_constant(label, classes), constant[label]))
    rule = "The class of least expected cost is decided for, by the probabilities of the model."
    if chosen.threshold is not None:
        rule = (
            f"A row counts as {classes[-1]} from a probability of {chosen.threshold:.4g} on, which "
            f"costs least out of fold."
        )
    return Costs(rows, rule)


def _constant(label: str, classes: list[str]) -> str:
    """Return the words for deciding for one class; of two, the positive one is acted on."""
    if len(classes) > 2:
        return f"{label} for all rows"
    act = "on all rows" if label == classes[1] else "on no row"
    return f"act {act}: {label}"
