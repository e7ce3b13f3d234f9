"""Two candidates of a dataset, any two, side by side: what the page's script shows of them."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.report import best
from pipeline.report.sections.subject import MOST_CLASSES, Subject

FEWEST = 2


@dataclass(frozen=True)
class Candidates:
    """The candidates from the best to the worst, of which the first two are shown at first."""

    dataset: str
    names: list[str]


def figures(subject: Subject) -> Candidates | None:
    """Return the candidates; None where the rows they are compared on are not on this machine."""
    names = best.ranked(subject.result.candidates, subject.result.primary_metric)
    if subject.pictures.pairs is None or len(names) < FEWEST:
        return None
    return Candidates(subject.dataset, names)


def beside(subject: Subject) -> dict[str, Any] | None:
    """Return the figures of all candidates and pairs, as JSON."""
    pairs, result = subject.pictures.pairs, subject.result
    if pairs is None:
        return None
    scores = {}
    for name, candidate in result.candidates.items():
        scores[name] = {
            metric: [
                candidate.test[metric].value,
                candidate.test[metric].low,
                candidate.test[metric].high,
            ]
            for metric in best.overall_metrics(result)
        }
    return asdict(pairs) | {
        "target": result.target,
        "metric": result.primary_metric,
        "scores": scores,
        "confusion": _confusion(subject),
        "slices": [{"where": part.where, "rows": part.test.rows} for part in result.slices],
    }


def _confusion(subject: Subject) -> dict[str, Any] | None:
    """Return the labels and each candidate's counts; None where there are none, or many classes."""
    matrix = subject.result.chosen.confusion_matrix
    if matrix is None or len(matrix.labels) > MOST_CLASSES:
        return None
    counts = {}
    for name, candidate in subject.result.candidates.items():
        if candidate.confusion_matrix is not None:
            counts[name] = candidate.confusion_matrix.counts
    return {"labels": matrix.labels, "counts": counts}
