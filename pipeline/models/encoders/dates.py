"""The encoder of dates: days since the first one, parts of the calendar, days between two dates."""

from collections.abc import Sequence
from itertools import combinations, islice
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

# microseconds
HOUR = 3_600e6
DAY = 24 * HOUR
ELAPSED = "days"
SINE, COSINE = " sine", " cosine"
HOUR_OF_DAY = "hour"
# parts of a date that come back, and after how many of their unit
PERIODS = {"month": 12.0, "day of week": 7.0, "day of year": 365.25, HOUR_OF_DAY: 24.0}
# the days after which they do
PERIODS_IN_DAYS = {"month": 365.25, "day of week": 7.0, "day of year": 365.25, HOUR_OF_DAY: 1.0}
# two columns of dates each, the first ones: they grow with the square of the columns
MOST_PAIRS = 50


def microseconds(X: pd.DataFrame) -> np.ndarray:
    """Return dates in UTC as microseconds since 1970, NaN where missing; shape (rows, columns)."""
    columns = []
    for name in X.columns:
        moments = X[name].to_numpy(dtype="datetime64[us]")
        numbers = moments.astype(np.int64).astype(np.float64)
        columns.append(np.where(np.isnat(moments), np.nan, numbers))
    return np.column_stack(columns)


class DateEncoder(TransformerMixin, BaseEstimator):
    """Makes numbers of columns of dates; what is missing stays NaN.

    Of each column these are the days since the earliest training date and, where they vary in the
    training rows, year, month, day of week (Monday is 0), day of year and hour; of two columns the
    days between them. With `cyclic` the parts that come back have their sine and cosine as well,
    so that December is near January for a linear model.

    Of the columns in `seasonal`, which order the rows, the test rows are later than any training
    row: of these it takes the parts that come back, where the training rows hold a whole period of
    them, and neither days nor year. Before that a part only says how much time has passed.

    first_   the earliest date of each column, in microseconds since 1970
    parts_   (place of the column, part) of every number but the days between
    pairs_   (place of the earlier column, place of the later one) of the days between two
    """

    def __init__(self, cyclic: bool = False, seasonal: Sequence[str] | None = None) -> None:
        self.cyclic = cyclic
        self.seasonal = seasonal

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the earliest dates and which parts vary; `X` holds dates in UTC."""
        moments = microseconds(X)
        self.feature_names_in_ = list(X.columns)
        self.n_features_in_ = len(X.columns)
        self.first_ = [_earliest(column) for column in moments.T]
        self.parts_: list[tuple[int, str]] = []
        parts = calendar(moments)
        for place in range(len(X.columns)):
            own = {name: values[:, place] for name, values in parts.items()}
            varying = self._varying_parts(own)
            if X.columns[place] in (self.seasonal or ()):
                varying = _seasons(varying, moments[:, place])
            self.parts_ += [(place, part) for part in varying]
        pairs = islice(combinations(range(len(X.columns)), 2), MOST_PAIRS)
        self.pairs_ = list(pairs)
        return self

    def _varying_parts(self, own: dict[str, np.ndarray]) -> list[str]:
        """Return the parts of a column: those that vary, and the days in any case."""
        parts = [ELAPSED]
        for name, values in own.items():
            there = values[~np.isnan(values)]
            if not len(there) or there.min() == there.max():
                continue
            parts.append(name)
            if self.cyclic and name in PERIODS:
                parts += [f"{name}{SINE}", f"{name}{COSINE}"]
        return parts

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the numbers of each row, shape (rows, numbers)."""
        return self.encoded(microseconds(X))

    def encoded(self, moments: np.ndarray) -> np.ndarray:
        """Return the same for microseconds since 1970, of shape (rows, columns)."""
        parts = calendar(moments)
        parts[ELAPSED] = (moments - np.array(self.first_)) / DAY
        if self.cyclic:
            for part, period in PERIODS.items():
                turned = parts[part] * (2 * np.pi / period)
                parts[f"{part}{SINE}"] = np.sin(turned)
                parts[f"{part}{COSINE}"] = np.cos(turned)
        columns = [parts[part][:, place] for place, part in self.parts_]
        for one, later in self.pairs_:
            columns.append((moments[:, later] - moments[:, one]) / DAY)
        return np.array(columns).T

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each number."""
        names = self.feature_names_in_
        found = [f"{names[place]}: {part}" for place, part in self.parts_]
        found += [f"{names[later]} less {names[one]}: days" for one, later in self.pairs_]
        return np.array(found, dtype=object)

    def owners(self) -> list[str]:
        """Return the column of the table that each number is of, of two the later one."""
        names = self.feature_names_in_
        places = [place for place, _ in self.parts_] + [later for _, later in self.pairs_]
        return [names[place] for place in places]

    def second_owners(self) -> dict[int, str]:
        """Return the other column of the numbers that are of two, {place of the number: column}."""
        names = self.feature_names_in_
        first = len(self.parts_)
        return {first + n: names[one] for n, (one, _) in enumerate(self.pairs_)}


def _seasons(parts: list[str], moments: np.ndarray) -> list[str]:
    """Return the parts of which these moments hold a whole period; the hour where there is none."""
    there = moments[~np.isnan(moments)]
    days = (there.max() - there.min()) / DAY if len(there) else 0.0
    seasons = []
    for part in parts:
        period = PERIODS_IN_DAYS.get(part.removesuffix(SINE).removesuffix(COSINE))
        if period is not None and days >= period:
            seasons.append(part)
    # a table of nothing else would leave an estimator without a column
    return seasons or [HOUR_OF_DAY]


def _earliest(column: np.ndarray) -> float:
    there = column[~np.isnan(column)]
    return float(there.min()) if len(there) else 0.0


def calendar(moments: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parts of the calendar of microseconds since 1970, each of the same shape.

    The hour has its fraction: 10.5 is half past ten. What is missing stays NaN.
    """
    days = np.floor(moments / DAY)
    missing = np.isnan(days)
    dates = np.where(missing, 0, days).astype(np.int64).astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    parts = {
        "year": years.astype(np.int64) + 1970.0,
        "month": months.astype(np.int64) % 12 + 1.0,
        # 1970 began on a Thursday
        "day of week": (days + 3) % 7,
        "day of year": (dates - years).astype(np.int64) + 1.0,
        "hour": moments % DAY / HOUR,
    }
    if missing.any():
        parts = {name: np.where(missing, np.nan, values) for name, values in parts.items()}
    return parts
