"""Messy tables, drawn at random: columns of every kind and spelling, few rows, odd targets."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Draw = Callable[[np.random.Generator, int], object]


def _german(rng: np.random.Generator, n: int) -> list[str]:
    numbers = [f"{number:,.2f}" for number in rng.uniform(0, 9000, n)]
    return [text.translate(str.maketrans(",.", ".,")) for text in numbers]


def _with_word(rng: np.random.Generator, n: int) -> list[str]:
    word = rng.choice(["unknown", "?", "n/k", "-"])
    return [word if rng.random() < 0.1 else f"{rng.normal():.3f}" for _ in range(n)]


def _days(rng: np.random.Generator, n: int, form: str) -> list[str]:
    days = pd.date_range("2023-01-01", periods=n, freq=rng.choice(["h", "D", "7D"]))
    return list(days.strftime(form))


COLUMNS: dict[str, Draw] = {
    "row": lambda rng, n: np.arange(n),
    "customer_id": lambda rng, n: rng.permutation(n) * 7 + 1000,
    "patient": lambda rng, n: rng.integers(0, max(2, n // 4), n),
    "token": lambda rng, n: [rng.bytes(16).hex() for _ in range(n)],
    "zip": lambda rng, n: [f"{number:05}" for number in rng.integers(500, 99_999, n)],
    "size": lambda rng, n: rng.normal(100, 30, n),
    "count": lambda rng, n: rng.poisson(3, n),
    "income": lambda rng, n: rng.lognormal(10, 1, n).round(),
    "huge": lambda rng, n: rng.normal(size=n) * 1e12,
    "cost": lambda rng, n: [f"${number:,.2f}" for number in rng.uniform(0, 5000, n)],
    "growth": lambda rng, n: [f"{number:.1f}%" for number in rng.normal(3, 9, n)],
    "gauge": _with_word,
    "mixed": lambda rng, n: [f"{number}" if number % 9 else "some" for number in range(n)],
    "umsatz": _german,
    "town": lambda rng, n: rng.choice(["Aville", "Bford", "Cham", None], n),
    "many": lambda rng, n: [f"k{number}" for number in rng.integers(0, n, n)],
    "note": lambda rng, n: [f"the {place}th order came late again" for place in range(n)],
    "flag": lambda rng, n: rng.random(n) < 0.4,
    "day": lambda rng, n: _days(rng, n, "%Y-%m-%d"),
    "tag": lambda rng, n: _days(rng, n, "%d.%m.%Y"),
    "stamp": lambda rng, n: _days(rng, n, "%Y%m%d"),
    "year": lambda rng, n: np.sort(rng.integers(1990, 2024, n)),
    "empty": lambda rng, n: [None] * n,
    "same": lambda rng, n: ["x"] * n,
    "sparse": lambda rng, n: np.where(rng.random(n) < 0.03, 1.0, np.nan),
}
TARGETS: dict[str, Draw] = {
    "number": lambda rng, n: rng.normal(size=n),
    "price": lambda rng, n: [f"{number:,.2f} €" for number in rng.lognormal(8, 1, n)],
    "grade": lambda rng, n: rng.binomial(6, 0.5, n) + 3,
    "two": lambda rng, n: rng.choice(["yes", "no"], n),
    "rare": lambda rng, n: np.where(np.arange(n) % 40 == 0, "fraud", "fine"),
    "codes": lambda rng, n: rng.integers(0, 3, n),
    "several": lambda rng, n: rng.choice([f"class {k}" for k in range(9)], n),
    "gaps": lambda rng, n: np.where(rng.random(n) < 0.1, None, rng.choice(["a", "b"], n)),
    "patients": lambda rng, n: np.where(np.arange(n) // 5 % 3 == 0, "ill", "well"),
    "sorted": lambda rng, n: np.sort(rng.choice(["a", "b", "c"], n)),
}


def messy_table(seed: int) -> pd.DataFrame:
    """Return a table whose last column is the target."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.choice([30, 80, 250, 400]))
    names = rng.choice(list(COLUMNS), size=rng.integers(2, 9), replace=False)
    table = pd.DataFrame({name: COLUMNS[name](rng, n_rows) for name in names})
    for name in names[: len(names) // 3]:
        table[name] = table[name].astype(object).where(rng.random(n_rows) > 0.05, None)
    if "town" not in table and rng.random() < 0.5:
        table["signal"] = rng.normal(size=n_rows)
    target = rng.choice(list(TARGETS))
    table["goal"] = TARGETS[target](rng, n_rows)
    if rng.random() < 0.15:
        table["copy"] = table["goal"]
        table = table[[*table.columns.drop("goal"), "goal"]]
    return table


def write_messy(table: pd.DataFrame, path: Path, seed: int) -> Path:
    """Write a table in one of several forms; return the file."""
    rng = np.random.default_rng(seed)
    separator = str(rng.choice([",", ";", "\t"]))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))
    packed = str(rng.choice(["", ".gz", ".zip"]))
    file = path / f"messy{seed}.csv{packed}"
    table.to_csv(file, index=False, sep=separator, encoding=encoding)
    return file
