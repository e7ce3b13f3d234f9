"""How often the 95 % interval of a score holds its true value, and how often "worse" is wrong.

The true value is that of the distribution that rows are drawn from: known by formula, of a million
rows, or of all rows of a real table, of whose errors each trial draws some with replacement.
"""

from functools import cache

import numpy as np
from scipy.signal import lfilter

from benchmarks.experiment import Claim, Experiment
from benchmarks.real_tables import house_price_errors
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import BY_ROW, Sampling, by_class

MANY = 1_000_000
SIGNAL = 1.5  # of the one feature, in log odds
TEST_SHARE = 0.2
SMALL, MEDIUM, LARGE = 100, 292, 1000


def holds(metric: str, rows: Rows, truth: float, seed: int, sampling: Sampling = BY_ROW) -> float:
    low, high = bootstrap.resampled(metric, rows, seed, sampling=sampling).interval
    return float(low <= truth <= high)


# errors of numbers


def of_errors(errors: np.ndarray) -> Rows:
    return Rows(np.zeros(len(errors)), errors)


def numbers(seed: int) -> dict[str, float]:
    """Return whether the interval of rmse and mae holds the truth, by the tails of the errors."""
    rng = np.random.default_rng(seed)
    figures = {}
    for size in (SMALL, MEDIUM, LARGE):
        normal, heavy = of_errors(rng.normal(size=size)), of_errors(rng.standard_t(3, size))
        figures[f"rmse normal {size}"] = holds("rmse", normal, 1.0, seed)
        figures[f"rmse t3 {size}"] = holds("rmse", heavy, 3**0.5, seed)
        figures[f"mae t3 {size}"] = holds("mae", heavy, 2 * 3**0.5 / np.pi, seed)
    return figures


def houses(seed: int) -> dict[str, float]:
    """Return whether the interval of errors drawn of House Prices' own holds theirs."""
    errors = house_price_errors()
    if errors is None:
        return {}
    everyone = of_errors(errors)
    rng = np.random.default_rng(seed)
    figures = {}
    for size in (SMALL, MEDIUM, LARGE):
        drawn = everyone[rng.integers(len(everyone), size=size)]
        for metric in ("rmse", "mae"):
            truth = metrics.value(metric, everyone)
            figures[f"{metric} {size}"] = holds(metric, drawn, truth, seed)
    return figures


# classes


def classified(rng: np.random.Generator, rows: int, intercept: float) -> Rows:
    """Return rows of two classes and what a model that is somewhat too sure predicts for them."""
    feature = rng.normal(size=rows)
    y = (rng.random(rows) < chance(SIGNAL * feature + intercept)).astype(int)
    positive = chance(1.2 * SIGNAL * feature + intercept)
    return thresholds.decided(Rows(y, np.column_stack([1 - positive, positive])), 0.3)


def chance(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


@cache
def truth_of(metric: str, intercept: float) -> float:
    return metrics.value(metric, classified(np.random.default_rng(0), MANY, intercept))


def split_by_class(rows: Rows) -> Rows:
    """Return a test split with the classes' shares of the table."""
    places = []
    for code in (0, 1):
        of_class = np.flatnonzero(rows.y == code)
        places.append(of_class[: round(TEST_SHARE * len(of_class))])
    return rows[np.concatenate(places)]


RARE = -3.0  # the intercept: 9.7 % of rows are positive


def classes(seed: int) -> dict[str, float]:
    """Return whether intervals hold the truth: of stratified splits, and of labels as they come."""
    rng = np.random.default_rng(seed)
    figures = {}
    for positives in (15, 50, 150):
        size = round(positives / 0.097)
        test = split_by_class(classified(rng, round(size / TEST_SHARE), RARE))
        sampling = by_class(test.y, round(size / TEST_SHARE))
        for metric in ("roc_auc", "average_precision", "log_loss"):
            truth = truth_of(metric, RARE)
            figures[f"{metric} split {positives}"] = holds(metric, test, truth, seed, sampling)
    served = classified(rng, 600, RARE)
    expected = metrics.value("log_loss", classified(rng, 2400, RARE))
    interval = bootstrap.resampled("log_loss", served, seed).interval
    truth = truth_of("log_loss", RARE)
    figures["log_loss served"] = float(interval.low <= truth <= interval.high)
    figures["worse served"] = float(bootstrap.clearly_worse("log_loss", expected, interval))
    return figures


# rows that are not independent


def dependent(seed: int) -> dict[str, float]:
    """Return whether intervals hold the truth where errors are alike in time or in groups."""
    rng = np.random.default_rng(seed)
    in_time = lfilter([1], [1, -0.5], rng.normal(size=600))[100:]
    groups = np.repeat(np.arange(60), 5)
    grouped = rng.normal(size=60)[groups] + rng.normal(size=300)
    by_time, by_group = Sampling("time", np.arange(500)), Sampling("group", groups)
    truth_in_time = (1 / (1 - 0.5**2)) ** 0.5
    return {
        "time": holds("rmse", of_errors(in_time), truth_in_time, seed, by_time),
        "group": holds("rmse", of_errors(grouped), 2**0.5, seed, by_group),
    }


HELD = "the 95 % interval of {} holds the truth"


def held(figure: str, what: str, lowest: float = 0.93) -> Claim:
    return Claim(figure, HELD.format(what), lowest, 0.98)


EXPERIMENTS = (
    Experiment(
        "intervals of numbers",
        "synthetic rows",
        trials=300,
        trial=numbers,
        claims=tuple(
            [held(f"rmse normal {n}", f"rmse, {n} rows, normal errors") for n in (100, 292, 1000)]
            + [held(f"mae t3 {n}", f"mae, {n} rows, t3 errors", 0.91) for n in (100, 292, 1000)]
            + [
                held(f"rmse t3 {n}", f"rmse, {n} rows, t3 errors: 78 to 88 %", 0.78)
                for n in (100, 292, 1000)
            ]
        ),
    ),
    Experiment(
        "intervals of houses",
        "House Prices",
        trials=300,
        trial=houses,
        claims=(
            held("rmse 100", "rmse, 100 rows of which few carry the error: 75 to 85 %", 0.75),
            held("rmse 292", "rmse, 292 rows of which few carry the error: 85 to 93 %", 0.85),
            held("rmse 1000", "rmse, 1000 rows of which few carry the error"),
            held("mae 100", "mae, 100 rows of the same: 88 to 94 %", 0.88),
            held("mae 292", "mae, 292 rows of the same"),
            held("mae 1000", "mae, 1000 rows of the same"),
        ),
    ),
    Experiment(
        "intervals of classes",
        "synthetic rows",
        trials=300,
        trial=classes,
        claims=(
            held("roc_auc split 15", "roc_auc, 15 positive rows: too few to judge by", 0.85),
            held("roc_auc split 50", "roc_auc, 50 positive rows"),
            held("roc_auc split 150", "roc_auc, 150 positive rows"),
            held("average_precision split 50", "average_precision, 50 positive rows"),
            held("log_loss split 50", "log_loss, stratified split, 50 positive rows"),
            held("log_loss served", "log_loss of 600 labels that came row by row"),
            # the score before, of 2,400 rows, has an error of its own
            Claim("worse served", 'no change, yet "the model does worse": 5 of 100', highest=0.05),
        ),
    ),
    Experiment(
        "intervals of dependent rows",
        "synthetic rows",
        trials=300,
        trial=dependent,
        claims=(
            held("time", "rmse, 500 rows in time, each error half of the one before", 0.90),
            held("group", "rmse, 60 groups of 5 rows, half of the variance by group", 0.91),
        ),
    ),
)
