"""The scores to expect of the best candidate: out of fold, less what its being chosen flatters."""

import numpy as np

from pipeline.data import splits
from pipeline.project import paths, rounding
from pipeline.project.params import Dataset
from pipeline.scoring import choice, metrics, thresholds
from pipeline.scoring.rows import OutOfFold, Rows, Terms
from pipeline.scoring.terms.reading import read_terms
from pipeline.training import predictions
from pipeline.training.predictions import OUT_OF_FOLD, Predicted
from pipeline.training.results.content import classes_of
from pipeline.training.results.reading import ScoredCandidates
from pipeline.training.sampling import sampling_of_rows


def expected_scores(
    dataset: str, spec: Dataset, standing: ScoredCandidates, seed: int
) -> dict[str, float | None]:
    """Return each metric to expect of the best candidate on rows that had no part in its choice.

    It is read from the stored predictions of all candidates out of fold; the trials of a search but
    the best have none, so that what is chosen among them still flatters. Raises DataError where the
    predictions are not there.
    """
    metric, best = standing.trained["primary_metric"], standing.best()
    contenders = {}
    for name, candidate in standing.by_name.items():
        if candidate["cv"][metric]["mean"] is not None:
            contenders[name] = candidate["stage"]
    classes = classes_of(standing.by_name[best])
    predicted = predictions.read_predicted(dataset, OUT_OF_FOLD, contenders, classes)
    frame = splits.read_split(dataset, "train").loc[predicted.rows]
    terms = read_terms(frame, predicted.y, classes, spec)
    rows = {}
    for name in contenders:
        rows[name] = _rows(predicted, predicted.outputs[name], spec.train.deciding_metric, terms)
    sampling = sampling_of_rows(dataset, "train", spec, predicted.rows)
    expected = choice.expected_scores(rows, best, metric, seed, sampling)
    return _by_name(expected, classes)


def is_known(dataset: str, standing: ScoredCandidates) -> bool:
    """Return whether the rows and the predictions that these scores are read from are here."""
    stages = {candidate["stage"] for candidate in standing.by_name.values()}
    folders = [paths.predictions(dataset, stage) for stage in stages]
    return paths.processed(dataset).is_dir() and all(folder.is_dir() for folder in folders)


def _rows(predicted: Predicted, output: np.ndarray, threshold_metric: str, terms: Terms) -> Rows:
    if output.ndim == 1:
        return Rows(predicted.y, output, terms=terms)
    assert predicted.fold is not None
    out_of_fold = OutOfFold(predicted.y, output, predicted.fold, terms)
    decisions = thresholds.cross_fitted_decisions(out_of_fold, threshold_metric)
    return Rows(predicted.y, output, decisions, terms)


def _by_name(expected: dict[str, np.ndarray], classes: list[str] | None) -> dict[str, float | None]:
    """Return the values as train.json has those out of fold: rounded, those of classes last."""
    scores, by_class = {}, {}
    for name, values in expected.items():
        measure = metrics.lookup(name)
        scores[name] = rounding.significant(float(metrics.headline(measure, values)))
        if measure.by_class and classes:
            for label, of_class in zip(classes, values):
                by_class[f"{name}__{label}"] = rounding.significant(float(of_class))
    return scores | by_class
