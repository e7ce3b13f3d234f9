"""What the score of the best of several models says of new rows, before and after its correction.

Nine models are cross-validated on a table, the best is chosen, fitted again on all rows and scored
on 5,000 new ones: the truth. On noise no model is better than guessing.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiment import Claim, Experiment
from pipeline.scoring import bootstrap, choice, metrics, thresholds
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import by_class

COLUMNS = 10
FOLDS = 5
NEW_ROWS = 5000
METRIC = "roc_auc"


@dataclass(frozen=True)
class Table:
    """How rows are drawn: so many of them, the share of positives, and what a column tells."""

    rows: int
    positives: float
    signal: float

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        y = (rng.random(rows) < self.positives).astype(int)
        # a class has a row in each fold
        y[:FOLDS], y[FOLDS : 2 * FOLDS] = 1, 0
        X = rng.normal(size=(rows, COLUMNS))
        X[:, 0] += self.signal * y
        return X, y


def models() -> dict[str, object]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    found: dict[str, object] = {"bayes": GaussianNB()}
    for strength in (0.01, 1.0):
        found[f"logistic {strength}"] = LogisticRegression(C=strength)
    for neighbours in (5, 15, 40):
        found[f"neighbours {neighbours}"] = KNeighborsClassifier(neighbours)
    for depth in (2, 4, 8):
        found[f"tree {depth}"] = DecisionTreeClassifier(max_depth=depth, random_state=0)
    return found


def predicted(y: np.ndarray, output: np.ndarray) -> Rows:
    return thresholds.decided(Rows(y, output), None)


def trial(table: Table, seed: int) -> dict[str, float]:
    """Return how much better than the truth the chosen model's scores are, and what they blame."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    X, y = table.draw(rng, table.rows)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(X, y))
    out_of_fold, cv = {}, {}
    for name, model in models().items():
        output = cross_val_predict(model, X, y, cv=folds, method="predict_proba")
        out_of_fold[name] = predicted(y, output)
        of_folds = [metrics.value(METRIC, out_of_fold[name][places]) for _, places in folds]
        cv[name] = float(np.mean(of_folds))
    best = max(cv, key=cv.__getitem__)
    chosen = models()[best].fit(X, y)  # type: ignore[attr-defined]
    X_new, y_new = table.draw(rng, NEW_ROWS)
    truth = metrics.value(METRIC, predicted(y_new, chosen.predict_proba(X_new)))
    own = metrics.value(METRIC, out_of_fold[best])
    expected = float(choice.expected_scores(out_of_fold, best, METRIC, seed)[METRIC])

    X_test, y_test = table.draw(rng, table.rows // 2)
    test = predicted(y_test, chosen.predict_proba(X_test))
    sampling = by_class(y_test, len(y) + len(y_test))
    measured = bootstrap.resampled(METRIC, test, seed, sampling=sampling)
    figures = {
        "cv": cv[best] - truth,
        "own": own - truth,
        "expected": expected - truth,
    }
    if np.bincount(y_test).min() >= bootstrap.FEWEST_OF_CLASS:
        figures["blamed by own"] = float(bootstrap.clearly_worse(METRIC, own, measured.interval))
        figures["blamed"] = float(bootstrap.clearly_worse(METRIC, expected, measured.interval))
    if measured.value >= truth:
        figures["passed"] = measured.value - truth
    return figures


def noise(seed: int) -> dict[str, float]:
    return trial(Table(rows=400, positives=0.5, signal=0.0), seed)


def rare_noise(seed: int) -> dict[str, float]:
    return trial(Table(rows=600, positives=0.05, signal=0.0), seed)


def signal(seed: int) -> dict[str, float]:
    return trial(Table(rows=300, positives=0.5, signal=0.7), seed)


def claims(what: str) -> tuple[Claim, ...]:
    return (
        Claim("cv", f"{what}: cv flatters the winner", lowest=0.005),
        Claim("own", f"{what}: the winner's score out of fold, above the truth by"),
        Claim("expected", f"{what}: the score to expect, above the truth by", -0.02, 0.02),
        Claim("blamed by own", f"{what}: blamed on time or groups by the winner's own score"),
        Claim("blamed", f"{what}: blamed on time or groups by the score to expect", highest=0.06),
        Claim("passed", f"{what}: test score above the truth of those that pass a gate", 0.0),
    )


EXPERIMENTS = (
    Experiment("choice on noise", "synthetic rows", 150, noise, claims("noise, 400 rows")),
    Experiment(
        "choice on rare noise",
        "synthetic rows",
        150,
        rare_noise,
        # of 15 positive test rows nothing is blamed: they are too few to judge by
        tuple(
            one for one in claims("noise, 600 rows, 5 % positives") if "blamed" not in one.figure
        ),
    ),
    Experiment("choice on signal", "synthetic rows", 150, signal, claims("signal, 300 rows")),
)
