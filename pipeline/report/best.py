"""The best candidate of a dataset: what it is compared with, what it gains, where it does worse."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import cleaning, splits
from pipeline.models import catalogue
from pipeline.project import errors, paths, rounding
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Dataset
from pipeline.project.settings.judging import Gate, Slices
from pipeline.report import charts, comparison
from pipeline.report.comparison import (
    Best,
    Candidate,
    DatasetResult,
    Improvement,
    MeanRank,
    SliceResult,
    SliceTest,
)
from pipeline.scoring import choice, gates, metrics, slices, thresholds
from pipeline.scoring.choice import Contender
from pipeline.scoring.gates import Verdict
from pipeline.scoring.rows import Rows, Terms
from pipeline.scoring.sampling import Sampling
from pipeline.scoring.slices import Slice
from pipeline.scoring.terms.reading import read_terms
from pipeline.training import expected, predictions
from pipeline.training.predictions import OUT_OF_FOLD, TEST, Predicted
from pipeline.training.results.reading import ScoredCandidates
from pipeline.training.sampling import sampling_of_test

DUMMY = "dummy"  # the candidate that ignores the features


def ranked(candidates: dict[str, Candidate], metric: str) -> list[str]:
    """Return the candidates' names from the best to the worst by the cross-validated metric."""
    return choice.ranked(_contenders(candidates, metric), metric, catalogue.SIMPLEST_FIRST)


def _best_of(candidates: dict[str, Candidate], metric: str) -> str:
    contenders = _contenders(candidates, metric)
    return choice.best_candidate(contenders, metric, catalogue.SIMPLEST_FIRST)


def _contenders(candidates: dict[str, Candidate], metric: str) -> dict[str, Contender]:
    contenders = {}
    for name, candidate in candidates.items():
        folds = candidate.cv[metric]
        contenders[name] = Contender(candidate.model_type, folds.mean, folds.reason)
    return contenders


def choose(candidates: dict[str, Candidate], metric: str) -> Best:
    """Return the best candidate and its gain over the best of train's models.

    Where it is that one itself, its gain is that over the dummy.
    Raises DataError where the cross-validated metric is undefined for all candidates.
    """
    best = _best_of(candidates, metric)
    of_train = {name: one for name, one in candidates.items() if one.stage == "train"}
    best_of_train = _best_of(of_train, metric)
    baseline = DUMMY if best == best_of_train else best_of_train
    return Best(best, f"cv {metric}", _improvement(candidates, metric, best, baseline))


def hold_gates(
    wanted: Mapping[str, Gate], candidate: Candidate, expected: Mapping[str, float | None]
) -> list[Verdict]:
    """Return the verdict of each gate on the best candidate; out of fold it is what to expect."""
    return gates.verdicts(wanted, candidate.test, expected)


def _improvement(
    candidates: dict[str, Candidate], metric: str, best: str, baseline: str
) -> Improvement | None:
    """Return how much better the best candidate's cross-validated metric is than a baseline's."""
    if baseline not in candidates or best == baseline:
        return None
    value, compared_with = candidates[best].cv[metric].mean, candidates[baseline].cv[metric].mean
    if value is None or compared_with is None:
        return Improvement(baseline, None, None)
    gain = metrics.gain(metric, value, compared_with)
    percent = rounding.significant(100 * gain / abs(compared_with)) if compared_with else None
    return Improvement(baseline, rounding.significant(gain), percent)


def overall_metrics(result: DatasetResult) -> list[str]:
    """Return the metrics of the best candidate but those of a single class."""
    return [metric for metric in result.chosen.test if "__" not in metric]


def skill(result: DatasetResult, metric: str) -> float | None:
    """Return the part of the way from guessing (dummy) to perfect that the test score goes.

    None without a dummy, and where guessing is perfect or there is no best value. The dummy's
    threshold favours the positive class: for accuracy, guessing is to name the most frequent one.
    """
    dummy, chosen = result.candidates.get(DUMMY), result.chosen
    if dummy is None or metric not in dummy.test or metric not in chosen.test:
        return None
    value, guess = chosen.test[metric].value, dummy.test[metric].value
    if metric == "accuracy" and guess is not None:
        guess = max(guess, _share_of_most_frequent_class(chosen))
    perfect = metrics.lookup(metric).perfect
    if value is None or guess is None or guess == perfect or not math.isfinite(perfect):
        return None
    return (value - guess) / (perfect - guess)


def _share_of_most_frequent_class(candidate: Candidate) -> float:
    if candidate.confusion_matrix is None:
        return 0.0
    rows = candidate.confusion_matrix.rows_of_classes()
    return max(rows) / sum(rows)


def best_figures(result: DatasetResult) -> dict[str, Any]:
    """Return the few figures of the best candidate that `dvc metrics show` prints."""
    return {
        "candidate": result.best.name,
        "stage": result.chosen.stage,
        "primary_metric": result.primary_metric,
        "cv": result.cv.mean,
        "cv_std": result.cv.std,
        "test": result.test.value,
        "test_low": result.test.low,
        "test_high": result.test.high,
        "data": "synthetic" if result.synthetic else "real",
    }


def mean_ranks(results: dict[str, DatasetResult]) -> list[MeanRank]:
    """Return the candidates that every dataset has, by their mean rank over the datasets.

    Ranks are among these candidates alone, so that a dataset with many does not weigh more.
    """
    names_by_dataset = [set(result.candidates) for result in results.values()]
    everywhere = set.intersection(*names_by_dataset) - {DUMMY}
    orders = []
    for result in results.values():
        order = ranked(result.candidates, result.primary_metric)
        orders.append([name for name in order if name in everywhere])
    means = {}
    for name in everywhere:
        places = [order.index(name) + 1 for order in orders]
        means[name] = sum(places) / len(places)
    best_first = sorted(means, key=lambda name: (means[name], name))
    return [MeanRank(name, rounding.to_digits(means[name])) for name in best_first]


@dataclass(frozen=True)
class BestPredictions:
    """Stored predictions of the best candidates, the best one first, on both splits.

    `all_on_test` holds those of every candidate on the test rows.
    """

    names: list[str]
    out_of_fold: Predicted
    test: Predicted
    all_on_test: Predicted


def read_predictions(dataset: str, result: DatasetResult) -> BestPredictions | None:
    """Return the predictions of the candidates that are drawn.

    None where the rows are not here: a clone has the figures of all datasets before it has them.
    """
    stored = paths.predictions(dataset, result.chosen.stage)
    if not paths.processed(dataset).is_dir() or not stored.is_dir():
        return None
    ranking = ranked(result.candidates, result.primary_metric)
    names = [name for name in ranking if name != DUMMY or name == result.best.name]
    names = names[: charts.MOST_CURVES]
    all_stages = {name: result.candidates[name].stage for name in ranking}
    stages = {name: all_stages[name] for name in names}
    return BestPredictions(
        names,
        out_of_fold=predictions.read_predicted(dataset, OUT_OF_FOLD, stages, result.classes),
        test=predictions.read_predicted(dataset, TEST, stages, result.classes),
        all_on_test=predictions.read_predicted(dataset, TEST, all_stages, result.classes),
    )


@dataclass(frozen=True)
class BestOnSplit:
    """The rows of a split that have predictions: features, targets and the best model's output.

    `y` has shape (rows,), `output` (rows,) or (rows, classes). `sampling` says how a test split
    drew them, `terms` by what they are scored.
    """

    X: pd.DataFrame
    y: np.ndarray
    output: np.ndarray
    sampling: Sampling
    terms: Terms


def read_split(
    dataset: str, split: str, spec: Dataset, result: DatasetResult, predicted: Predicted
) -> BestOnSplit:
    """Return the features of a split's rows beside the best model's predictions.

    Without the time that orders the rows: no test row is of the time of a training row.
    """
    frame = splits.read_split(dataset, split)
    columns = cleaning.feature_columns(frame, spec.data, spec.prepare)
    columns = [name for name in columns if name != spec.prepare.split_column]
    output = predicted.outputs[result.best.name]
    rows = frame.loc[predicted.rows]
    codes = predicted.y if output.ndim == 2 else None
    sampling = sampling_of_test(rows, codes, spec.prepare, result.rows.train, spec.data.file)
    terms = read_terms(rows, predicted.y, result.classes, spec)
    return BestOnSplit(rows[columns], predicted.y, output, sampling, terms)


def find_slices(train: BestOnSplit, settings: Slices) -> list[Slice]:
    """Return the slices that params.yaml names and those that a search finds.

    They are looked for among the out-of-fold errors of the training rows.
    """
    return slices.find(train.X, slices.errors(train.y, train.output), settings)


def scored_slices(
    result: DatasetResult, found: list[Slice], train: BestOnSplit, test: BestOnSplit, seed: int
) -> list[SliceResult]:
    """Return slices with their errors on the training rows; the test rows judge them."""
    error = slices.errors(train.y, train.output)
    rows = thresholds.decided(Rows(test.y, test.output, terms=test.terms), result.chosen.rule)
    metric, overall = result.primary_metric, result.test.value
    scored = []
    for part in found:
        of_part = part.mask(train.X)
        score = slices.score(part, test.X, rows, metric, overall, seed, test.sampling)
        scored.append(
            SliceResult(
                where=str(part),
                origin=part.origin,
                train_rows=int(of_part.sum()),
                error_ratio=_error_ratio(error, of_part),
                test=SliceTest(**score.as_json()),
            )
        )
    return scored


def check_slice_columns(dataset: str, columns: list[str], features: pd.Index) -> None:
    """Raise UsageError where params.yaml asks for slices of a column that is not a feature."""
    unknown = [column for column in columns if column not in features]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.slices.columns: no feature {unknown[0]!r} in the "
            f"table; there are: {errors.listed(features, most=100)}"
        )


def _error_ratio(error: np.ndarray, rows: np.ndarray) -> float | None:
    mean = error.mean()
    return rounding.significant(error[rows].mean() / mean, digits=4) if mean > 0 else None


def expected_scores(
    dataset: str, spec: Dataset, standing: ScoredCandidates, seed: int
) -> dict[str, float | None]:
    """Return the scores to expect of the best candidate on rows that had no part in its choice.

    Where the predictions are not here, as in a clone, they are those of the last comparison.
    """
    chosen = standing.by_name[standing.best()]
    if expected.is_known(dataset, standing):
        return expected.expected_scores(dataset, spec, standing, seed)
    last = _previous(dataset, chosen["model_sha256"])
    return last.expected if last else chosen["cv_oof"]


def previous_slices(dataset: str, result: DatasetResult) -> list[SliceResult]:
    """Return the slices of the last comparison if the best model is still the same, else none."""
    last = _previous(dataset, result.chosen.model_sha256)
    return last.slices if last else []


def _previous(dataset: str, model_sha256: str) -> DatasetResult | None:
    """Return a dataset's part of the last comparison if that chose this model, else None."""
    if not paths.COMPARISON.is_file():
        return None
    try:
        last = comparison.read().datasets.get(dataset)
    except DataError:  # of a form that cannot be read any more; it is about to be replaced
        return None
    if last is None or last.chosen.model_sha256 != model_sha256:
        return None
    return last
