"""How often drift is called where rows were drawn alike, and how often changes are found.

    python -m benchmarks.statistics --only drift_alarms_synthetic drift_found

The real tables are Telco (data/raw/Telco-Customer-Churn.csv, from IBM) and House Prices
(data/raw/house_prices_train.csv, of Kaggle's competition); without its file a table says
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.experiment import Claim, Experiment
from benchmarks.real_tables import HOUSE_PRICES, TELCO, real_table
from pipeline.data.typed_tables import of_frame
from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import Roles
from pipeline.drift.verdicts import DRIFT
from pipeline.project.settings.drift import Drift

ROWS = (60, 125, 250, 500, 1000, 2500, 5000)
# rows of a window of a real table; the rest of it is the reference. None: one half against another
WINDOWS = (50, 100, 292, 500, None)
LEVELS = {"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}
ALARMS = "rows drawn alike are called drift in at most 5 of 100 comparisons"


def compare(reference: pd.DataFrame, current: pd.DataFrame, seed: int = 0) -> TableComparison:
    tables = (of_frame(reference), of_frame(current))
    return compare_tables(*tables, Plan(Roles(), Drift(), seed))


def alarm(found: TableComparison) -> float:
    return float(found.verdict == DRIFT)


# rows drawn alike


def table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return 21 independent columns of numbers and categories, some of them with gaps."""
    columns = {f"normal_{k}": rng.normal(size=rows) for k in range(4)}
    columns |= {f"skewed_{k}": rng.exponential(size=rows) for k in range(3)}
    columns |= {"heavy": rng.standard_t(2, rows), "count": rng.poisson(3, rows).astype(float)}
    columns |= {
        f"class_{k}": rng.choice(list(LEVELS), rows, p=list(LEVELS.values())) for k in range(3)
    }
    columns |= {
        "rare": rng.choice(["no", "yes"], rows, p=[0.98, 0.02]),
        "many": rng.integers(0, 200, rows).astype(str),
        "towns": rng.choice([f"town {k}" for k in range(12)], rows),
        "uniform": rng.random(rows),
        "constant": np.full(rows, 7.0),
        "cauchy": rng.standard_cauchy(rows),
        "code": [f"code {k}" for k in rng.integers(0, 50 * rows, rows)],
        "sparse_text": np.where(rng.random(rows) < 0.005, "there", None),
        "sparse_number": np.where(rng.random(rows) < 0.01, rng.normal(size=rows), np.nan),
    }
    frame = pd.DataFrame(columns)
    for name in ("normal_0", "skewed_0", "class_0"):
        frame[name] = frame[name].where(rng.random(rows) >= 0.1, None)
    return frame


def alarm_of_synthetic(seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    rows = ROWS[seed % len(ROWS)]
    return {"alarm": alarm(compare(table(rng, rows), table(rng, rows), seed))}


def alarm_of_real(path: Path) -> Callable[[int], dict[str, float]]:
    def trial(seed: int) -> dict[str, float]:
        rows = real_table(path)
        if rows is None:
            return {}
        size = WINDOWS[seed % len(WINDOWS)] or len(rows) // 2
        order = np.random.default_rng(seed).permutation(len(rows))
        return {"alarm": alarm(compare(rows.iloc[order[size:]], rows.iloc[order[:size]], seed))}

    return trial


# changes that are to be found


def shifted(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(normal_1=frame["normal_1"] + 0.5)


def doubled_variance(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(normal_1=frame["normal_1"] * 2**0.5)


def doubled_category(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    p = {"a": 0.5 * 8 / 9, "b": 0.3 * 8 / 9, "c": 0.2, "d": 0.1 * 8 / 9}
    return frame.assign(class_1=rng.choice(list(p), len(frame), p=list(p.values())))


def more_missing(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(uniform=frame["uniform"].where(rng.random(len(frame)) >= 0.1))


CHANGES = {
    "shift": (shifted, "normal_1"),
    "variance": (doubled_variance, "normal_1"),
    "category": (doubled_category, "class_1"),
    "missing": (more_missing, "uniform"),
}


def found_of(change: str, seed: int, rows: int = 1000) -> float:
    """Return whether the one changed column of the synthetic table is called drifted."""
    rng = np.random.default_rng([1, seed])
    alter, column = CHANGES[change]
    found = compare(table(rng, rows), alter(rng, table(rng, rows)), seed)
    return float(found.columns[column].verdict == DRIFT)


def changes_found(seed: int) -> dict[str, float]:
    return {change: found_of(change, seed) for change in CHANGES}


# changes of a few rows


@dataclass(frozen=True)
class Subtle:
    """A change of a share of a table's rows."""

    share: float
    alter: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return customers whose prices follow from what they bought, and what they paid in all."""
    plan = rng.choice(["basic", "plus", "all"], rows, p=[0.5, 0.3, 0.2])
    extras = rng.binomial(4, 0.4, rows)
    months = rng.integers(1, 73, rows).astype(float)
    base = pd.Series(plan).map({"basic": 20.0, "plus": 50.0, "all": 80.0}).to_numpy()
    price = (base + 5 * extras + rng.normal(0, 1, rows)).round(2)
    paid = (price * months * rng.normal(1, 0.04, rows)).round(2)
    return pd.DataFrame(
        {
            "plan": plan,
            "extras": extras,
            "months": months,
            "price": price,
            "paid": paid,
            "age": rng.normal(45, 15, rows).round(),
            "region": rng.choice([f"region {k}" for k in range(8)], rows),
            "payment": rng.choice(["card", "transfer", "cheque"], rows, p=[0.5, 0.3, 0.2]),
        }
    )


def another_segment(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return as many young customers of the smallest plan who pay by cheque."""
    age = rng.normal(22, 2, len(rows)).round()
    return rows.assign(plan="basic", price=(20 + 5 * rows["extras"]), payment="cheque", age=age)


def cheaper(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(price=(rows["price"] * 0.9).round(2))


def in_years(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(months=(rows["months"] / 12).round())


def renamed(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(payment="Credit card")


SUBTLE = {
    "segment": Subtle(0.05, another_segment),
    "price": Subtle(0.1, cheaper),
    "years": Subtle(0.03, in_years),
    "renamed": Subtle(0.01, renamed),
}


def changed_rows(change: Subtle, rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return new customers of whom a share is changed, the first rows."""
    frame = customers(rng, rows)
    count = round(change.share * rows)
    return pd.concat([change.alter(frame[:count], rng), frame[count:]], ignore_index=True)


def subtle_found(seed: int) -> dict[str, float]:
    """Return which changes are found: by an alarm, or the renamed category by a note."""
    figures = {}
    for rows in (500, 2000):
        for name, change in SUBTLE.items():
            rng = np.random.default_rng([2, seed, rows])
            found = compare(customers(rng, 5000), changed_rows(change, rng, rows), seed)
            in_notes = any(note.startswith("payment: ") for note in found.notes)
            figures[f"{name}_{rows}"] = float(in_notes) if name == "renamed" else alarm(found)
    return figures


EXPERIMENTS = (
    Experiment(
        "drift_alarms_synthetic",
        "synthetic rows, 21 columns, 60 to 5,000 rows",
        140,
        alarm_of_synthetic,
        (Claim("alarm", ALARMS, highest=0.05),),
    ),
    Experiment(
        "drift_alarms_telco",
        "Telco: windows of 50, 100, 292, 500 rows, and halves",
        60,
        alarm_of_real(TELCO),
        (Claim("alarm", ALARMS, highest=0.05),),
    ),
    Experiment(
        "drift_alarms_house_prices",
        "House Prices: windows of 50, 100, 292, 500 rows, and halves",
        60,
        alarm_of_real(HOUSE_PRICES),
        (Claim("alarm", ALARMS, highest=0.05),),
    ),
    Experiment(
        "drift_found",
        "synthetic rows, 21 columns, 1,000 rows on both sides",
        40,
        changes_found,
        (
            Claim("shift", "a shift of 0.5 standard deviations is found", lowest=0.95),
            Claim("variance", "a variance that doubles is found", lowest=0.9),
            Claim("category", "a category of 10 % that doubles is found", lowest=0.9),
            Claim("missing", "a missing share that rises by 10 points is found", lowest=0.95),
        ),
    ),
    Experiment(
        "drift_found_in_few_rows",
        "synthetic customers, 5,000 reference rows",
        20,
        subtle_found,
        (
            Claim("segment_500", "another segment in 5 % of 500 rows is found", lowest=0.9),
            Claim("segment_2000", "another segment in 5 % of 2,000 rows is found", lowest=0.9),
            Claim("price_500", "10 % of prices times 0.9 in 500 rows are found", lowest=0.9),
            Claim("price_2000", "10 % of prices times 0.9 in 2,000 rows are found", lowest=0.9),
            Claim("years_500", "months as years in 3 % of 500 rows are found", lowest=0.9),
            Claim("years_2000", "months as years in 3 % of 2,000 rows are found", lowest=0.9),
            Claim("renamed_500", "a category renamed in 1 % of 500 rows is noted", lowest=0.95),
            Claim("renamed_2000", "a category renamed in 1 % of 2,000 rows is noted", lowest=0.95),
        ),
    ),
)
