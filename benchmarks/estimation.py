"""How often the range of performance without labels holds the truth, on real tables.

    python -m benchmarks.statistics --only estimation_fair estimation_randhie

Each trial trains on rows drawn from a table, and serves 500 others: drawn alike, and drawn with a
preference for high values of one column, so that the rows change and their meaning does not. Telco
and Adult are not ours to pass on: their trials say nothing where data/raw/ lacks them.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.experiment import Claim, Experiment
from benchmarks.real_tables import ADULT, TELCO
from pipeline.data import kinds
from pipeline.monitoring import estimation
from pipeline.monitoring.outside import outside
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows

TRIALS = 40
TRAINING_ROWS = (600, 3000)  # by turns
SERVED_ROWS = 500
# the row with the highest value is drawn e to this power as often as that with the lowest
PREFERENCE = 2.0
FOLDS = 5


def fair() -> pd.DataFrame:
    """Return statsmodels' survey on extramarital affairs (Fair 1978), 6,366 rows."""
    import statsmodels.api as sm

    frame = sm.datasets.fair.load_pandas().data
    return frame.assign(answer=frame.pop("affairs") > 0)


def randhie() -> pd.DataFrame:
    """Return statsmodels' RAND health insurance experiment (Deb and Trivedi 2002), 20,190 rows."""
    import statsmodels.api as sm

    frame = sm.datasets.randhie.load_pandas().data
    return frame.assign(answer=frame.pop("mdvis") > 2)


def telco() -> pd.DataFrame | None:
    if not TELCO.is_file():
        return None
    frame = pd.read_csv(TELCO).drop(columns="customerID")
    return frame.assign(answer=frame.pop("Churn") == "Yes")


def adult() -> pd.DataFrame | None:
    if not ADULT.is_file():
        return None
    frame = pd.read_csv(ADULT)
    answers = frame.pop(frame.columns[-1])
    return frame.assign(answer=answers == answers.unique()[0])


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of numbers, categories as the places of their sorted values."""
    columns = {}
    for column in frame:
        values = kinds.typed(frame[column]).values
        if kinds.kind_of(values) == kinds.CATEGORY:
            values = values.astype("category").cat.codes.astype(float)
        columns[column] = values
    return pd.DataFrame(columns)


def trial(read: Callable[[], pd.DataFrame | None], seed: int) -> dict[str, float]:
    """Return the share of the scores within their ranges, and what is said of rows outside."""
    frame = read()
    if frame is None:
        return {}
    rng = np.random.default_rng(seed)
    answers = frame.pop("answer").to_numpy(dtype=int)
    X = numbered(frame)
    n_rows = TRAINING_ROWS[seed % len(TRAINING_ROWS)]
    order = rng.permutation(len(X))
    train, rest = order[:n_rows], order[n_rows:]
    alike, others = rest[:SERVED_ROWS], preferred(X, rest, rng)
    held = scores_held(X, answers, train, [alike, others], seed)
    upper = X[X.nunique().idxmax()]
    high = upper.to_numpy() > upper.quantile(0.8)
    return {
        f"alike_{n_rows}": held[0],
        f"changed_{n_rows}": held[1],
        "void": float(outside(X[~high], X[high]) is not None),
        "void_falsely": float(outside(X.iloc[train], X.iloc[alike]) is not None),
    }


def preferred(X: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows that are drawn with a preference for high values of one column."""
    column = X.columns[rng.integers(X.shape[1])]
    ranks = X[column].iloc[rows].rank(pct=True).fillna(0).to_numpy()
    weights = np.exp(PREFERENCE * ranks)
    return rng.choice(rows, SERVED_ROWS, replace=False, p=weights / weights.sum())


def scores_held(
    X: pd.DataFrame, y: np.ndarray, train: np.ndarray, served: list[np.ndarray], seed: int
) -> list[float]:
    """Return the share of accuracy and ROC AUC within the estimate's range, for each served set."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    model = HistGradientBoostingClassifier(max_iter=50, random_state=seed)
    rows, labels = X.iloc[train], y[train]
    oof = cross_val_predict(model, rows, labels, cv=FOLDS, method="predict_proba")
    model.fit(rows, labels)
    calibrated = estimation.calibration(labels, oof)
    held = []
    for some in served:
        output = model.predict_proba(X.iloc[some])
        decisions = output.argmax(axis=1)
        estimates = estimation.estimate(
            calibrated(output),
            output,
            decisions,
            seed,
            estimation.resampled(labels, oof, output, seed),
        )
        truth = Rows(y[some], output, decisions)
        hits = []
        for metric, estimate in estimates.items():
            hits.append(estimate.low <= metrics.value(metric, truth) <= estimate.high)
        held.append(float(np.mean(hits)))
    return held


def claims() -> tuple[Claim, ...]:
    found = []
    for n_rows in TRAINING_ROWS:
        for key, words in (("alike", "rows drawn alike"), ("changed", "another mix of rows")):
            says = f"accuracy and ROC AUC lie in the range without labels: {n_rows:,} training rows"
            found.append(Claim(f"{key}_{n_rows}", f"{says}, {words}", lowest=0.95))
    said = "rows beyond a column's training rows: the estimate is called void"
    found.append(Claim("void", said, lowest=1.0))
    found.append(Claim("void_falsely", "rows drawn alike: it is called void", highest=0.0))
    return tuple(found)


TABLES = {"fair": fair, "randhie": randhie, "telco": telco, "adult": adult}
EXPERIMENTS: tuple[Experiment, ...] = tuple(
    Experiment(f"estimation_{name}", f"{name} (real)", TRIALS, partial(trial, read), claims())
    for name, read in TABLES.items()
)
