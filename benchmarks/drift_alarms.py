"""How often the drift alarm is wrong, and how often it is right.

    python -m benchmarks.drift_alarms [--pairs 200]

False alarms: pairs of tables drawn alike, 16 columns, 60 to 5,000 rows. Found: one column of 16
changed, 1,000 rows on both sides. Seeds are fixed; each share is printed with its 95 % interval
(Wilson 1927).
"""

import argparse

import numpy as np
import pandas as pd

from pipeline.drift.comparison import compare_columns
from pipeline.drift.verdicts import DRIFT
from pipeline.project.params import Drift

ROWS = (60, 125, 250, 500, 1000, 2500, 5000)
LEVELS = {"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}


def table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return 16 independent columns of numbers and categories, three of them with gaps."""
    columns = {f"normal_{k}": rng.normal(size=rows) for k in range(4)}
    columns |= {f"skewed_{k}": rng.exponential(size=rows) for k in range(3)}
    columns |= {"heavy": rng.standard_t(2, rows), "count": rng.poisson(3, rows).astype(float)}
    columns |= {
        f"class_{k}": rng.choice(list(LEVELS), rows, p=list(LEVELS.values())) for k in range(3)
    }
    columns |= {
        "rare": rng.choice(["no", "yes"], rows, p=[0.98, 0.02]),
        "many": rng.integers(0, 200, rows).astype(str),
    }
    columns |= {
        "towns": rng.choice([f"town {k}" for k in range(12)], rows),
        "uniform": rng.random(rows),
    }
    texts = ("rare", "many", "towns", "class_0", "class_1", "class_2")
    frame = pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))
    for name in ("normal_0", "skewed_0", "class_0"):
        frame.loc[rng.random(rows) < 0.1, name] = None
    return frame


def shifted(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(normal_1=frame["normal_1"] + 0.5)


def doubled_variance(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(normal_1=frame["normal_1"] * 2**0.5)


def doubled_category(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    p = {"a": 0.5 * 8 / 9, "b": 0.3 * 8 / 9, "c": 0.2, "d": 0.1 * 8 / 9}
    return frame.assign(
        class_1=pd.Series(rng.choice(list(p), len(frame), p=list(p.values())), dtype="str")
    )


def more_missing(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(uniform=frame["uniform"].where(rng.random(len(frame)) >= 0.1))


CHANGES = {
    "shift of 0.5 standard deviations": (shifted, "normal_1"),
    "variance doubles": (doubled_variance, "normal_1"),
    "category of 10 % doubles": (doubled_category, "class_1"),
    "missing share rises by 10 points": (more_missing, "uniform"),
}


def false_alarms(pairs: int, rows: int, seed: int = 0) -> int:
    """Return in how many of so many pairs drawn alike any column is called drifted."""
    rng = np.random.default_rng([seed, rows])
    alarms = 0
    for _ in range(pairs):
        columns = compare_columns(table(rng, rows), table(rng, rows), Drift())
        alarms += any(column.verdict == DRIFT for column in columns.values())
    return alarms


def found(pairs: int, change: str, rows: int = 1000, seed: int = 1) -> int:
    """Return in how many of so many pairs the one changed column is called drifted."""
    rng = np.random.default_rng([seed, rows])
    alter, column = CHANGES[change]
    hits = 0
    for _ in range(pairs):
        columns = compare_columns(table(rng, rows), alter(rng, table(rng, rows)), Drift())
        hits += columns[column].verdict == DRIFT
    return hits


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return interval.low, interval.high


def line(name: str, hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{name:40} {hits:5} of {n:5} {hits / n:8.1%}   [{low:.1%}, {high:.1%}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--pairs", type=int, default=200, help="of tables in each line (default 200)"
    )
    pairs = parser.parse_args().pairs
    print("alarms where nothing changed")
    hits = {rows: false_alarms(pairs, rows) for rows in ROWS}
    for rows, count in hits.items():
        print(line(f"{rows:,} rows", count, pairs))
    print(line("all", sum(hits.values()), pairs * len(ROWS)))
    print("found, 1,000 rows")
    for change in CHANGES:
        print(line(change, found(pairs, change), pairs))


if __name__ == "__main__":
    main()
