"""Columns that tell the target by themselves, some of them by the order of the rows."""

import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.data.leaks import associations, lags
from pipeline.data.leaks.associations import CLASSIFICATION, Answers
from pipeline.data.leaks.table import DROP, SPLIT_BY_TIME, Leak, TrainingTable

# from which on a column is suspected: balanced accuracy, r2
SUSPECT = {CLASSIFICATION: 0.97, "regression": 0.99}
# balanced accuracy of a column with no more values than there are classes, as a copy has
SUSPECT_COPY = 0.95
# how much better than a guess a column that numbers the rows may tell the target: it should not
SUSPECT_ORDER = 0.5
# a counter's range in rows: some rows are left out, or in the test split
MOST_SPREAD = 3


def telling_columns(table: TrainingTable, scores: dict[str, float]) -> list[Leak]:
    """Return the columns that tell the target by themselves, or by the order of the rows."""
    found = []
    for column, score in scores.items():
        leak = _telling(column, score, table)
        if _tells_by_order(column, score, table):
            found.append(_by_order(leak))
        elif leak.certain or score >= _bound(table.sampled(column), table.looked_at):
            found.append(leak)
    return found


def _telling(column: str, score: float, table: TrainingTable) -> Leak:
    """Return what a column says of the target, as a leak."""
    share = associations.repeated_share(table.sampled(column), table.looked_at)
    certain = share >= associations.REPEATED
    if certain:
        what = f"{column} alone repeats {table.target} in {share:.1%} of the rows"
    else:
        what = f"{column} alone predicts {table.target} ({table.scored(score)})"
    return Leak([column], "column", share if certain else score, certain, what, DROP)


def _bound(values: pd.Series, answers: Answers) -> float:
    """Return the score from which on a column is suspected."""
    n_values = values.nunique(dropna=False)
    if answers.task == CLASSIFICATION and n_values <= answers.values.nunique():
        return SUSPECT_COPY
    return SUSPECT[answers.task]


def _tells_by_order(column: str, score: float, table: TrainingTable) -> bool:
    """Say whether a column counts the rows, or rises with them among like targets, and tells much.

    Where the split is by time, that is a trend.
    """
    if table.split_kind == "time" or table.looked_at.above_chance(score) < SUSPECT_ORDER:
        return False
    values = table.features[column]
    return _is_counter(values) or lags.follows_rows(values, table.answers, table.positions)


def _is_counter(values: pd.Series) -> bool:
    if kinds.kind_of(values) != NUMBER or values.hasnans or not values.is_unique:
        return False
    is_whole = (values % 1 == 0).all()
    return bool(is_whole and values.max() - values.min() < MOST_SPREAD * len(values))


def _by_order(leak: Leak) -> Leak:
    what = f"{leak.what}, and stands in the order of the rows"
    return Leak(leak.columns, "order", leak.score, leak.certain, what, SPLIT_BY_TIME)
