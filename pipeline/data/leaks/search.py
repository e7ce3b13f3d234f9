"""The search for leaks: each check on what the ones before it have left.

Every column is looked at a bounded number of times, and pairs are made of the best few columns, so
that the time is at most linear in the columns.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.data.leaks import associations, columns, lags, pairs, recurrences
from pipeline.data.leaks.table import Leak, TrainingTable, columns_of

CHECKS = (
    columns.telling_columns,
    lags.lagged_columns,
    recurrences.recurring_pairs,
    pairs.combined_columns,
    pairs.paired_columns,
)


@dataclass(frozen=True)
class LeakSearch:
    """What was found, the certain first, and how well the place of a row tells its target.

    `row_order` is 0 where it tells no more than a guess, and 1 where it does so without error.
    """

    found: list[Leak]
    row_order: float

    def as_json(self, allowed: list[str]) -> dict[str, Any]:
        """Return it as quality.json holds it; what names `allowed` columns alone apart."""
        named = [leak for leak in self.found if leak.allowed(allowed)]
        others = [leak for leak in self.found if not leak.allowed(allowed)]
        return {
            "leakage_allowed": {", ".join(leak.columns): round(leak.score, 4) for leak in named},
            "leaks": [leak.as_json() for leak in others],
            "row_order": round(self.row_order, 4),
        }


def search(table: TrainingTable) -> LeakSearch:
    """Return what in the table gives the target away or may."""
    return LeakSearch(find(table), row_order(table))


def find(table: TrainingTable) -> list[Leak]:
    """Return what gives the target away or may, the certain first."""
    found = recurrences.recurring_columns(table)
    scores = {}
    for column in table.features.columns.difference(columns_of(found), sort=False):
        values = table.sampled(column)
        scores[column] = associations.score_of_column(values, table.looked_at)
    for check in CHECKS:
        found += check(table, scores)
        named = set(columns_of(found))
        scores = {name: score for name, score in scores.items() if name not in named}
    return sorted(found, key=lambda leak: not leak.certain)


def row_order(table: TrainingTable) -> float:
    """Return how well the place of a row tells its target: 0 as a guess does, 1 without error."""
    places = pd.Series(table.positions, table.features.index, dtype="float64")
    places = places[table.looked_at.values.index]
    score = associations.score_of_column(places, table.looked_at)
    return max(0.0, table.looked_at.above_chance(score))
