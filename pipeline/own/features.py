"""The user's own features: a function that makes the columns that models are fitted on.

    def features(frame: pd.DataFrame) -> pd.DataFrame

It takes the typed inputs, never the target, and returns the same rows with columns added, replaced
or left out. A row's features follow from this row alone: the model is asked for single rows later.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.own import loading
from pipeline.own.loading import OwnObject
from pipeline.project.errors import DataError, listed

FUNCTION = "features"
# as many are in memory twice at most, and a slow function is heard of after so many
ROWS_AT_A_TIME = 5_000
# that are computed again one by one, shuffled and beside the target
CHECKED_ROWS = 50
# the last digits of a sum depend on how many rows are added at a time
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# trees and boosters read numbers into 32 bits
LARGEST = float(np.finfo(np.float32).max)

Step = Callable[..., None]


class OwnCodeFault(DataError):
    """The user's own code raised, or gave what cannot be used."""


def load(path: str, where: str) -> OwnObject:
    """Return the function of a file of features; raises UsageError where there is none."""
    return loading.function(path, FUNCTION, where)


def apply(found: OwnObject, frame: pd.DataFrame, step: Step | None = None) -> pd.DataFrame:
    """Return what the function makes of typed inputs; `frame` stays as it is.

    Many rows are computed a part at a time, and `step(rows)` is called after each. Raises
    OwnCodeFault where the function raises, or does not return a table of the same rows.
    """
    parts = []
    for first in range(0, max(len(frame), 1), ROWS_AT_A_TIME):
        parts.append(_called(found, frame.iloc[first : first + ROWS_AT_A_TIME]))
        if step is not None:
            step(len(parts[-1]))
    _check_columns(found, parts)
    return parts[0] if len(parts) == 1 else pd.concat(parts)


def _called(found: OwnObject, frame: pd.DataFrame) -> pd.DataFrame:
    path = found.code.path
    try:
        result = found.value(frame.copy())
    except KeyError as error:
        there = f"its frame has {listed(list(frame.columns))}, and never the target"
        raise OwnCodeFault(f"{loading.fault(error, path)}; {there}") from error
    except (Exception, SystemExit) as error:
        raise OwnCodeFault(loading.fault(error, path)) from error
    who = f"{path}: {FUNCTION}()"
    if not isinstance(result, pd.DataFrame):
        raise OwnCodeFault(f"{who} returns {_kind(result)}; return a pandas DataFrame")
    if len(result) != len(frame):
        raise OwnCodeFault(
            f"{who} returns {len(result)} of {len(frame)} rows; return every row, also one that "
            f"lacks a value, with missing ones"
        )
    if not result.index.equals(frame.index):
        raise OwnCodeFault(
            f"{who} returns the rows in another order or with another index; keep those of its "
            f"frame: assign columns to it, without merge, sort_values and reset_index"
        )
    _check_names(who, result)
    return result


def _check_names(who: str, result: pd.DataFrame) -> None:
    names = [column for column in result.columns if not isinstance(column, str) or not column]
    twice = list(result.columns[result.columns.duplicated()])
    if names or twice or not len(result.columns):
        what = "no column" if not names + twice else f"columns named {listed(names + twice)}"
        raise OwnCodeFault(f"{who} returns {what}; give each column a text of its own as its name")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _check_columns(found: OwnObject, parts: list[pd.DataFrame]) -> None:
    """Raise OwnCodeFault where parts of a table have different columns."""
    for part in parts[1:]:
        if list(part.columns) != list(parts[0].columns):
            other = sorted(set(part.columns) ^ set(parts[0].columns)) or list(part.columns)
            raise OwnCodeFault(
                f"{found.code.path}: {FUNCTION}() returns other columns for some rows than for "
                f"others ({listed(other)}); which columns there are must not depend on the rows"
            )


# the check of a function before anything is fitted on what it makes


@dataclass(frozen=True)
class Checked:
    """What a function is checked on: typed training inputs, their target, and how rows are named.

    `line` returns the place of a row in the user's file, for messages.
    """

    inputs: pd.DataFrame
    target: pd.Series
    line: Callable[[pd.Index], str]


def check(found: OwnObject, checked: Checked, made: pd.DataFrame, seed: int) -> None:
    """Raise OwnCodeFault where a row's features depend on more than the row itself.

    `made` is what the function made of all the inputs. Some rows are computed again: once more, one
    by one, in another order, and with the target beside them.
    """
    target = str(checked.target.name)
    if target in made.columns:
        raise OwnCodeFault(
            f"{found.code.path}: {FUNCTION}() returns a column {target!r}, the name of the target; "
            f"give it another name"
        )
    _check_values(found, made)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(made))[:CHECKED_ROWS])
    some = checked.inputs.iloc[rows]
    _compare(found, checked, apply(found, some), apply(found, some), REPEATED)
    singly = pd.concat([apply(found, some.iloc[[row]]) for row in range(len(some))])
    _compare(found, checked, made.iloc[rows], singly, ALONE)
    shuffled = apply(found, some.iloc[rng.permutation(len(some))])
    _compare(found, checked, made.iloc[rows], shuffled.loc[some.index], SHUFFLED)
    try:
        seen = apply(found, some.assign(**{target: checked.target.iloc[rows]}))
    except OwnCodeFault:
        # it does not know what to do with one more column, which no other caller gives it
        return
    seen = seen.drop(columns=target, errors="ignore")
    _compare(found, checked, made.iloc[rows], seen, WITH_TARGET)


def _check_values(found: OwnObject, made: pd.DataFrame) -> None:
    """Raise OwnCodeFault where a column holds nothing, or a number beyond what models take."""
    for column in made.columns:
        values = made[column]
        if values.isna().all():
            raise OwnCodeFault(
                f"{found.code.path}: {FUNCTION}(): {column!r} has no value in any training row; "
                f"leave it out"
            )
        if _is_number(values):
            finite = values[np.isfinite(values.to_numpy(dtype="float64", na_value=np.nan))]
            if (finite.abs() > LARGEST).any():
                raise OwnCodeFault(
                    f"{found.code.path}: {FUNCTION}(): {column!r} holds numbers beyond "
                    f"{LARGEST:.3g}, the largest that models take; rescale it"
                )


@dataclass(frozen=True)
class Way:
    """A way to compute some rows again, how messages name it, and what a difference means."""

    first: str
    again: str
    meaning: str


OTHER_ROWS = (
    "it looks at other rows, which a prediction for one row does not have; use the row's own "
    "values, and fit what needs many rows in a transformer (data.transformers)"
)
REPEATED = Way(
    "at first",
    "when it was computed again",
    "it must not depend on chance, on time or on what ran before",
)
ALONE = Way("among all training rows", "by itself", OTHER_ROWS)
SHUFFLED = Way("in the file's order", "in another order", OTHER_ROWS)
WITH_TARGET = Way(
    "without the target",
    "with it",
    "it looks at the target, which is unknown at prediction time; leave it out",
)


def _compare(
    found: OwnObject, checked: Checked, one: pd.DataFrame, other: pd.DataFrame, way: Way
) -> None:
    """Raise OwnCodeFault that names the first row and column in which two results differ."""
    who = f"{found.code.path}: {FUNCTION}()"
    if list(one.columns) != list(other.columns):
        names = sorted(set(one.columns) ^ set(other.columns)) or list(one.columns)
        raise OwnCodeFault(
            f"{who} returns other columns {way.first} than {way.again} ({listed(names)}): "
            f"{way.meaning}"
        )
    for column in one.columns:
        places = np.flatnonzero(_differs(one[column], other[column]))
        if len(places):
            row = places[0]
            raise OwnCodeFault(
                f"{who}: {column!r} of {checked.line(one.index[[row]])} is "
                f"{_shown(one[column].iloc[row])} {way.first} and "
                f"{_shown(other[column].iloc[row])} {way.again}: {way.meaning}"
            )


def _differs(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Return, shape (rows,), whether two columns differ; missing values equal each other."""
    missing, missing_too = one.isna().to_numpy(), other.isna().to_numpy()
    both = ~missing & ~missing_too
    differs = missing != missing_too
    if _is_number(one) and _is_number(other):
        left, right = (values.to_numpy(dtype="float64", na_value=np.nan) for values in (one, other))
        close = np.isclose(left, right, rtol=RELATIVE, atol=ABSOLUTE)
    else:
        left, right = one.astype(object).to_numpy(), other.astype(object).to_numpy()
        close = np.array([_same(a, b) for a, b in zip(left, right)], dtype=bool)
    differs[both] = ~close[both]
    return differs


def _same(one: object, other: object) -> bool:
    """Say whether two values are equal: 1 and 1.0 are, which a column may hold for the same row."""
    return str(one) == str(other) or type(one == other) is bool and one == other


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(str(value))
