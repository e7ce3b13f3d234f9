"""All metrics of the chosen models over the datasets, coloured from guessing to perfect."""

from dataclasses import dataclass

from pipeline.report import best
from pipeline.report.comparison import DatasetResult, MeanRank
from pipeline.report.sections.subject import COLOUR_STEPS, Subject

MOST_RANKS = 5


@dataclass(frozen=True)
class Cell:
    """A test score with its step of colour, 1 to COLOUR_STEPS; none for another task's metric."""

    of_task: bool
    value: float | None = None
    skill: float | None = None
    step: int | None = None
    primary: bool = False


@dataclass(frozen=True)
class Row:
    """The chosen model of one dataset."""

    dataset: str
    cells: list[Cell]


@dataclass(frozen=True)
class AllMetrics:
    """A table of datasets by metrics, and the candidates that are best over all datasets."""

    metrics: list[str]
    rows: list[Row]
    ranks: list[MeanRank]


def figures(subjects: list[Subject], ranks: list[MeanRank]) -> AllMetrics | None:
    if len(subjects) < 2:
        return None
    names: dict[str, None] = {}
    for subject in subjects:
        names |= dict.fromkeys(best.overall_metrics(subject.result))
    rows = []
    for subject in subjects:
        cells = [_cell(subject.result, metric) for metric in names]
        rows.append(Row(subject.dataset, cells))
    return AllMetrics(list(names), rows, ranks[:MOST_RANKS])


def _cell(result: DatasetResult, metric: str) -> Cell:
    score = result.chosen.test.get(metric)
    if score is None:
        return Cell(of_task=False)
    skill = best.skill(result, metric)
    primary = metric == result.primary_metric
    return Cell(True, score.value, skill, _colour_step(skill), primary)


def _colour_step(skill: float | None) -> int | None:
    if skill is None:
        return None
    below_perfect = max(0.0, min(skill, 0.999))
    return 1 + int(COLOUR_STEPS * below_perfect)
