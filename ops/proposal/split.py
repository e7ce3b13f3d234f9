"""The split of a new table: by time or by group, where its rows show that it should be."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ops.proposal import columns
from ops.proposal.columns import Taken
from pipeline.data import kinds, splits
from pipeline.project.errors import DataError

# different moments below which an order of rows is chance
FEWEST_MOMENTS = 20
# of a row's place and its moment, from which on the rows count as in its order
ORDERED = 0.99
# a number called time may be a duration
TIME_NAME = re.compile(r"(^|[\W_])(date|datetime|timestamp|year|yr|period|quarter)$")
# different things, and the share of rows whose thing comes back, of a column that names things
FEWEST_THINGS, RECURRING = 20, 0.8
THING_NAME = re.compile(
    r"(^|[\W_])(patient|subject|person|customer|client|user|member|machine|device|sensor|station|"
    r"store|shop|school|household|player|vehicle|session)(s|_?(id|no|nr|number|code|key))?$"
)


@dataclass(frozen=True)
class Split:
    """How to split a table, and why, or what else to think of."""

    by: str = "random"
    remarks: list[str] = field(default_factory=list)


def split(frame: pd.DataFrame, taken: list[Taken]) -> Split:
    """Return the split that the rows of a table ask for.

    By time where they stand in the order of a column of dates. A column that names things that come
    back, such as patients, is a remark: whether new ones are to be predicted, a table cannot say.
    """
    remarks = []
    formats = {column.column: column.formats for column in taken}
    for name in _candidates(frame, taken):
        moments = _moments(frame[name], formats.get(name, []))
        if moments is None or moments.nunique() < FEWEST_MOMENTS:
            continue
        if _is_ordered(moments):
            return Split(
                f"time:{name}",
                [
                    f"split time:{name}: the rows stand in its order, so later rows are predicted "
                    f"from earlier ones; random where they are not to be"
                ],
            )
        remarks.append(f"split time:{name} where later rows are to be predicted from earlier ones")
    for name in things(frame, taken):
        n_things = frame[name].nunique()
        remarks.append(
            f"split group:{name} where new ones are to be predicted: {n_things:,} of them come "
            f"back in {len(frame):,} rows"
        )
    return Split(remarks=remarks)


def _candidates(frame: pd.DataFrame, taken: list[Taken]) -> list[str]:
    """Return the columns of dates, then those of numbers that are named as a time."""
    named = [
        name for name in columns.of_role(taken, columns.NUMBERS) if TIME_NAME.search(_snake(name))
    ]
    return [*columns.of_role(taken, columns.DATES), *named]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _moments(values: pd.Series, formats: list[str]) -> pd.Series | None:
    """Return the times of a column, None where one is missing or cannot be read."""
    if values.isna().any():
        return None
    try:
        return splits.moments(kinds.as_dates(values, formats) if formats else values, "")
    except DataError:
        return None


def _is_ordered(moments: pd.Series) -> bool:
    """Return whether rows stand from the earliest to the latest or the other way, but for a few."""
    places = np.arange(len(moments))
    rank_correlation = np.corrcoef(moments.rank(), places)[0, 1]
    return bool(abs(rank_correlation) >= ORDERED)


def things(frame: pd.DataFrame, taken: list[Taken]) -> list[str]:
    """Return the columns that name things, such as patients, most of which come back."""
    found = []
    for name in columns.of_role(taken, columns.NUMBERS, columns.CATEGORIES, columns.CODES):
        values = frame[name].dropna()
        if not _names_things(name, values):
            continue
        counts = values.value_counts()
        recurring = counts[counts > 1].sum() / len(frame)
        if len(counts) >= FEWEST_THINGS and recurring >= RECURRING:
            found.append(name)
    return found


def _names_things(name: str, values: pd.Series) -> bool:
    """Return whether a column names things, by its own name or by its values."""
    if pd.api.types.is_numeric_dtype(values):
        if (values % 1 != 0).any():
            return False
    elif columns.is_machine_made(values.astype(str)):
        return True
    return columns.is_named_as_identifier(name) or bool(THING_NAME.search(_snake(name)))
