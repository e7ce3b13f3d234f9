"""The overview: which model of each dataset, how good, and whether it may be used."""

from collections import Counter
from dataclasses import dataclass

from pipeline.report import advice, best
from pipeline.report.comparison import DatasetResult, MeanRank
from pipeline.report.sections.subject import Subject


@dataclass(frozen=True)
class VerdictCount:
    """How many datasets have a verdict."""

    level: str
    verdict: str
    datasets: int


@dataclass(frozen=True)
class Row:
    """One dataset; skill is the part of the way from guessing to perfect that its score goes."""

    dataset: str
    id: str
    result: DatasetResult
    verdict: str
    skill: float | None
    drift: str | None
    next: str | None


@dataclass(frozen=True)
class Overview:
    """One row per dataset, and how many have each verdict."""

    verdicts: list[VerdictCount]
    rows: list[Row]


def figures(subjects: list[Subject], ranks: list[MeanRank]) -> Overview:
    rows = [_row(subject) for subject in subjects]
    return Overview(_verdict_counts(rows), rows)


def _row(subject: Subject) -> Row:
    result = subject.result
    return Row(
        subject.dataset,
        subject.id,
        result,
        verdict=advice.verdict_words(result),
        skill=best.skill(result, result.primary_metric),
        drift=subject.drift.verdict if subject.drift else None,
        next=result.advice[0].do if result.advice else None,
    )


def _verdict_counts(rows: list[Row]) -> list[VerdictCount]:
    counts = Counter((row.result.verdict, row.verdict) for row in rows)
    ready_first = sorted(counts, key=lambda key: advice.GRAVEST_FIRST.index(key[0]), reverse=True)
    return [VerdictCount(level, verdict, counts[level, verdict]) for level, verdict in ready_first]
