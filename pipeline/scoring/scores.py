"""The scores of a candidate, out of fold and on both splits."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.bootstrap import Score
from pipeline.scoring.definitions.classification import COST
from pipeline.scoring.rows import OutOfFold, Rows, Terms
from pipeline.scoring.sampling import BY_ROW, Sampling
from pipeline.scoring.thresholds import Rule

# that carry the error where the shares below are reached
FEW_ROWS = 5
LEAST_SHARE = 0.1
NORMAL_KURTOSIS = 3


@dataclass(frozen=True)
class FoldScores:
    """One metric of each fold; nan where a fold's rows do not define it."""

    values: tuple[float, ...]

    def as_json(self) -> dict[str, float | str | None]:
        """Return mean and standard deviation; None, with the reason, where a fold has no value.

        A mean over the other folds would pass for one over all of them.
        """
        undefined = sum(not math.isfinite(value) for value in self.values)
        if undefined:
            reason = f"not defined on {undefined} of {len(self.values)} folds"
            return {"mean": None, "std": None, "reason": reason}
        return {
            "mean": rounding.significant(float(np.mean(self.values))),
            "std": rounding.significant(float(np.std(self.values))),
        }


@dataclass(frozen=True)
class HeaviestRows:
    """Few rows that carry the error: `share` of the squared error of all `of` rows is theirs."""

    rows: int
    of: int
    share: float

    def __str__(self) -> str:
        return f"{self.rows} of {self.of:,} rows make {100 * self.share:.0f} % of the squared error"


def heaviest_rows(rows: Rows) -> HeaviestRows | None:
    """Return the rows with the largest errors where the intervals can be too narrow for them.

    That is where the errors' kurtosis is twice a normal distribution's, and a few rows make a good
    part of their squares. None too for classes.
    """
    if rows.task == "classification" or not rows.squared_errors.any():
        return None
    squares = np.sort(rows.squared_errors)
    kurtosis = np.mean(squares**2) / np.mean(squares) ** 2
    share = squares[-FEW_ROWS:].sum() / squares.sum()
    if kurtosis < 2 * NORMAL_KURTOSIS or share < LEAST_SHARE:
        return None
    return HeaviestRows(FEW_ROWS, len(rows), rounding.to_digits(float(share), digits=2))


@dataclass(frozen=True)
class CandidateScores:
    """A candidate's scores by metric: of each fold, of all folds' rows together, of both splits.

    The rule of decisions is a threshold where there are two classes. The confusion matrix, of the
    test rows, is None for regression. `heaviest_rows` are test rows that carry the error, if some
    do.
    """

    cv: dict[str, FoldScores]
    cv_oof: dict[str, float]
    train: dict[str, float]
    test: dict[str, Score]
    rule: Rule
    confusion_matrix: dict[str, list[Any]] | None
    heaviest_rows: HeaviestRows | None

    def as_json(self) -> dict[str, Any]:
        """Return what train.json and tune.json hold of it."""
        content: dict[str, Any] = {
            "cv": {metric: folds.as_json() for metric, folds in self.cv.items()},
            "cv_oof": _rounded(self.cv_oof),
            "train": _rounded(self.train),
            "test": {metric: score.as_json() for metric, score in self.test.items()},
        }
        if self.confusion_matrix is not None:
            content |= thresholds.rule_as_json(self.rule)
            content["confusion_matrix"] = self.confusion_matrix
        if self.heaviest_rows is not None:
            content["heaviest_rows"] = asdict(self.heaviest_rows)
        return content


def candidate_scores(
    out_of_fold: OutOfFold,
    train: Rows,
    test: Rows,
    classes: list[str] | None,
    threshold_metric: str,
    seed: int,
    sampling: Sampling = BY_ROW,
) -> CandidateScores:
    """Return the scores of a candidate from its output out of fold and on both splits.

    `train` and `test` come without decisions: those are made by the rule that is best out of fold,
    by `threshold_metric`. `sampling` says how the test rows were drawn.
    """
    predicted, rule, pooled_decisions = out_of_fold.predicted, None, None
    if classes:
        y, output = out_of_fold.y[predicted], out_of_fold.output[predicted]
        terms = out_of_fold.terms[predicted]
        rule = thresholds.best_rule(y, output, threshold_metric, terms)
        pooled_decisions = thresholds.cross_fitted_decisions(out_of_fold, threshold_metric)
    pooled = Rows(out_of_fold.y, out_of_fold.output, pooled_decisions, out_of_fold.terms)
    train, test = thresholds.decided(train, rule), thresholds.decided(test, rule)
    by_fold = [
        metrics.score(pooled[out_of_fold.fold == number], classes) for number in out_of_fold.folds
    ]
    return CandidateScores(
        cv={name: FoldScores(tuple(fold[name] for fold in by_fold)) for name in by_fold[0]},
        cv_oof=metrics.score(pooled[predicted], classes),
        train=metrics.score(train, classes),
        test=scores_with_intervals(test, classes, seed, sampling),
        rule=rule,
        confusion_matrix=test.confusion_matrix(classes) if classes else None,
        heaviest_rows=heaviest_rows(test),
    )


def scores_with_intervals(
    rows: Rows, classes: list[str] | None, seed: int, sampling: Sampling = BY_ROW
) -> dict[str, Score]:
    """Return every metric of the rows, with its interval but for those by class."""
    intervals = bootstrap.intervals(rows, seed, sampling=sampling)
    values = metrics.score(rows, classes)
    return {name: Score(value, intervals.get(name)) for name, value in values.items()}


def costs_of_constant_decisions(
    y: np.ndarray, terms: Terms, classes: list[str], seed: int, sampling: Sampling = BY_ROW
) -> dict[str, Score]:
    """Return what it costs to decide for one class whatever the row, by class.

    It is what a model has to beat: to act on all rows, or on none.
    """
    costs = {}
    for code, label in enumerate(classes):
        certain = np.tile(np.eye(len(classes))[code], (len(y), 1))
        constant = Rows(y, certain, np.full(len(y), code), terms)
        costs[label] = bootstrap.resampled(COST, constant, seed, sampling=sampling).score
    return costs


def fold_scores(out_of_fold: OutOfFold, metric: str, threshold_metric: str) -> list[float]:
    """Return one metric of each fold that has predictions, as `candidate_scores` computes it.

    nan where it is not defined.
    """
    decisions = None
    if metrics.lookup(metric).of == "labels":
        decisions = thresholds.cross_fitted_decisions(out_of_fold, threshold_metric)
    rows = Rows(out_of_fold.y, out_of_fold.output, decisions, out_of_fold.terms)
    return [metrics.value(metric, rows[out_of_fold.fold == number]) for number in out_of_fold.folds]


def _rounded(scores: dict[str, float]) -> dict[str, float | None]:
    return {metric: rounding.significant(value) for metric, value in scores.items()}
