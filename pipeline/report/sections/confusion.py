"""The confusion matrix of the best model on the test rows."""

from dataclasses import dataclass

from pipeline.report.sections.subject import COLOUR_STEPS, MOST_CLASSES, Subject


@dataclass(frozen=True)
class Cell:
    """How many rows, their share of the row, and the step of colour, 0 to COLOUR_STEPS."""

    count: int
    share: float
    right: bool
    step: int


@dataclass(frozen=True)
class Row:
    """One actual class."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Confusion:
    """Rows are the actual classes, columns the predicted ones."""

    labels: list[str]
    rows: list[Row]


def figures(subject: Subject) -> Confusion | None:
    matrix = subject.result.chosen.confusion_matrix
    if matrix is None or len(matrix.labels) > MOST_CLASSES:
        return None
    rows = []
    for place, label in enumerate(matrix.labels):
        rows.append(Row(label, _cells(matrix.counts[place], right=place)))
    return Confusion(matrix.labels, rows)


def _cells(counts: list[int], right: int) -> list[Cell]:
    total = sum(counts) or 1
    cells = []
    for place, count in enumerate(counts):
        step = -(-COLOUR_STEPS * count // total)
        cells.append(Cell(count, count / total, place == right, step))
    return cells
