"""How scored rows were drawn, and so how a bootstrap has to draw them again."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """What is drawn at a time.

    row    each row by itself, as labels of served rows come, or rows of a file
    class  rows of each class by themselves, as a stratified split takes them from a table
    group  all rows of a group, whose errors are alike
    time   rows in a row, whose errors are alike (blocks)

    `units` are the class or the group of each row as a number, or its place in time; shape (rows,).
    `table_rows` is the size of the table that was split by class: the share of its classes is as
    uncertain as that of so many rows.
    """

    by: Literal["row", "class", "group", "time"]
    units: np.ndarray | None = None
    table_rows: int | None = None

    def of_part(self, kept: np.ndarray) -> "Sampling":
        """Return the sampling of some of the rows; no split fixes how many of a class they hold."""
        if self.units is None or self.by == "class":
            return BY_ROW
        return replace(self, units=self.units[kept])


BY_ROW = Sampling("row")


def by_split(kind: str, units: np.ndarray | None) -> Sampling:
    """Return the sampling of a split by group or by time, and of any other row by row.

    `units` are those of splits.units, of the rows that are scored.
    """
    if kind == "group":
        return Sampling("group", units)
    return Sampling("time", units) if kind == "time" else BY_ROW


def by_class(y: np.ndarray, table_rows: int) -> Sampling:
    """Return the sampling of a split that was stratified by class codes."""
    return Sampling("class", y, table_rows)


class Weights:
    """Draws, so many at a time, how often each row is drawn; the same for a seed.

    Rows are drawn with replacement (Efron 1979), whole groups likewise (Davison and Hinkley 1997,
    section 3.8), rows in time as circular blocks (Politis and Romano 1992) of the cube root of
    their number.
    """

    def __init__(self, sampling: Sampling, rows: int, seed: int) -> None:
        self.rows = rows
        self.sampling = sampling
        self.strata = _strata(sampling, rows)
        # one generator each, so that the draws do not depend on how many are drawn at a time
        generators = np.random.default_rng(seed).spawn(len(self.strata) + 1)
        self.generators, self.of_shares = generators[:-1], generators[-1]

    def draw(self, count: int) -> np.ndarray:
        """Return the weights of `count` draws, shape (count, rows)."""
        if self.sampling.by == "group":
            return self._of_groups(count)
        if self.sampling.by == "time":
            return self._of_blocks(count)
        weights = np.zeros((count, self.rows))
        taken = self._rows_of_strata(count)
        for number, (places, generator) in enumerate(zip(self.strata, self.generators)):
            of_draw = np.repeat(np.arange(count), taken[:, number])
            drawn = generator.integers(len(places), size=len(of_draw))
            weights[:, places] = _counts(of_draw, drawn, count, len(places))
        return weights

    def _rows_of_strata(self, count: int) -> np.ndarray:
        """Return how many rows each draw takes of each stratum, shape (count, strata).

        The share of a class varies as it does from one table to the next; a class that such a table
        would lack keeps a row, without which there would be nothing to score.
        """
        sizes = np.array([len(places) for places in self.strata])
        if self.sampling.table_rows is None:
            return np.tile(sizes, (count, 1))
        of_table = self.of_shares.multinomial(
            self.sampling.table_rows, sizes / self.rows, size=count
        )
        return np.maximum(np.rint(of_table * self.rows / self.sampling.table_rows), 1).astype(int)

    def _of_groups(self, count: int) -> np.ndarray:
        groups, codes = np.unique(self._units(), return_inverse=True)
        size = len(groups)
        drawn = self.generators[0].integers(size, size=count * size)
        of_draw = np.repeat(np.arange(count), size)
        return _counts(of_draw, drawn, count, size).astype(float)[:, codes]

    def _of_blocks(self, count: int) -> np.ndarray:
        length = max(1, round(self.rows ** (1 / 3)))
        blocks = -(-self.rows // length)
        starts = self.generators[0].integers(self.rows, size=(count, blocks))
        drawn = (starts[:, :, None] + np.arange(length)) % self.rows
        drawn = drawn.reshape(count, -1)[:, : self.rows].ravel()
        of_draw = np.repeat(np.arange(count), self.rows)
        weights = np.zeros((count, self.rows))
        weights[:, np.argsort(self._units(), kind="stable")] = _counts(
            of_draw, drawn, count, self.rows
        )
        return weights

    def _units(self) -> np.ndarray:
        if self.sampling.units is None:
            raise ValueError(f"a sampling by {self.sampling.by} needs units")
        return self.sampling.units


def _strata(sampling: Sampling, rows: int) -> list[np.ndarray]:
    """Return the places of the rows that are drawn from together."""
    if sampling.by != "class" or sampling.units is None:
        return [np.arange(rows)]
    return [np.flatnonzero(sampling.units == code) for code in np.unique(sampling.units)]


def _counts(of_draw: np.ndarray, drawn: np.ndarray, count: int, size: int) -> np.ndarray:
    """Return how often each draw has each of `size` numbers, shape (count, size)."""
    # each draw gets numbers of its own, so that one count serves them all
    return np.bincount(of_draw * size + drawn, minlength=count * size).reshape(count, size)
