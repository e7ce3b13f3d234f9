"""Synthetic tables to compare, and their comparison with default settings."""

import numpy as np
import pandas as pd

from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import Roles
from pipeline.drift.verdicts import ColumnResult
from pipeline.project.settings.drift import Drift

LIMITS = Drift()


def categories(rng: np.random.Generator, rows: int, shares: dict[str, float]) -> pd.Series:
    return pd.Series(rng.choice(list(shares), rows, p=list(shares.values())), dtype="str")


def compare_columns(reference, current, limits: Drift = LIMITS) -> dict[str, ColumnResult]:
    return compare_tables(reference, current, Plan(Roles(), limits)).columns


def column_verdicts(reference, current, limits: Drift = LIMITS) -> dict[str, str]:
    results = compare_columns(reference, current, limits)
    return {name: column.verdict for name, column in results.items()}


def compare(reference, current, n_workers: int = 1, **plan) -> TableComparison:
    return compare_tables(reference, current, Plan(Roles(), LIMITS, **plan), n_workers=n_workers)


def sales(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return sales with a price and a price that a model predicted."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 20, rows).round(2),
            "town": rng.choice(["Aville", "Bford"], rows),
            "day": pd.date_range("2026-01-01", periods=rows).strftime("%Y-%m-%d"),
        }
    )
    frame["price"] = (2 * frame["size"] + rng.normal(0, 5, rows)).round(2)
    return frame.assign(predicted=(2 * frame["size"]).round(2))
