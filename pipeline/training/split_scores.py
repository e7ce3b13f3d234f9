"""Whether a model does worse on the test rows because of these rows: the folds' models on both.

An out-of-fold score and a test score differ for three reasons that have nothing to do with the
rows: they are of other models, one of them chose the candidate, which flatters it, and both have
errors. Here the models are those of the folds on either side, and which candidate counts on a fold
is chosen on the others.
"""

from dataclasses import replace

import numpy as np

from pipeline.data.splits import read_split
from pipeline.project.params import Dataset
from pipeline.scoring import bootstrap, metrics, scores, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import OutOfFold, Rows
from pipeline.scoring.sampling import BY_ROW, Sampling
from pipeline.scoring.terms.reading import read_terms
from pipeline.training import predictions
from pipeline.training.predictions import OUT_OF_FOLD, TEST_BY_FOLD, Predicted
from pipeline.training.results.content import StageResults, classes_of
from pipeline.training.sampling import sampling_of_rows


def gain_on_training_rows(trained: StageResults, spec: Dataset) -> Resampled:
    """Return how much better train's models do on the rows that they did not see than on test rows.

    The value is positive where they do better on the training rows. Raises DataError where the
    predictions are absent.
    """
    dataset, candidates = trained["dataset"], trained["candidates"]
    classes = classes_of(next(iter(candidates.values())))
    stages = dict.fromkeys(candidates, "train")
    parts = []
    for split, part in (("train", OUT_OF_FOLD), ("test", TEST_BY_FOLD)):
        predicted = predictions.read_predicted(dataset, part, stages, classes)
        frame = read_split(dataset, split).loc[predicted.rows]
        terms = read_terms(frame, predicted.y, classes, spec)
        parts.append(replace(predicted, terms=terms))
    training, test = parts
    return gain_of_predictions(
        training,
        test,
        trained["primary_metric"],
        trained["seed"],
        sampling_of_rows(dataset, "train", spec, training.rows),
        sampling_of_rows(dataset, "test", spec, test.rows),
    )


def gain_of_predictions(
    training: Predicted,
    test: Predicted,
    metric: str,
    seed: int,
    sampling: Sampling = BY_ROW,
    test_sampling: Sampling = BY_ROW,
) -> Resampled:
    """Return the same from the folds' predictions for either split, and how its rows are drawn."""
    on_training, on_test = judged_rows(training, test, metric)
    return bootstrap.difference(
        bootstrap.resampled(metric, on_training, seed, sampling=sampling),
        # draws of its own, as these are other rows
        bootstrap.resampled(metric, on_test, seed + 1, sampling=test_sampling),
    )


def is_clear(gain: Resampled) -> bool:
    """Return whether it lies above 0 with all of its 95 % interval."""
    return gain.interval.low > 0


def judged_rows(training: Predicted, test: Predicted, metric: str) -> tuple[Rows, Rows]:
    """Return training and test rows with the output of the candidate that the other folds choose.

    Both have the fold of each row; a threshold is chosen on the other folds as well.
    """
    fold, test_fold = training.fold, test.fold
    if fold is None or test_fold is None:
        raise ValueError("the predictions must be by fold")
    first = next(iter(training.outputs.values()))
    output, test_output = np.empty_like(first), np.empty_like(next(iter(test.outputs.values())))
    decisions, test_decisions = np.zeros(len(fold), int), np.zeros(len(test_fold), int)
    for number, name in chosen_by_others(training, metric).items():
        here, there = fold == number, test_fold == number
        output[here], test_output[there] = training.outputs[name][here], test.outputs[name][there]
        if first.ndim == 2:
            rule = thresholds.best_rule(
                training.y[~here],
                training.outputs[name][~here],
                metric if thresholds.decides(metric) else "accuracy",
                training.terms[~here],
            )
            decisions[here] = thresholds.decide(output[here], rule)
            test_decisions[there] = thresholds.decide(test_output[there], rule)
    if first.ndim == 1:
        return (
            Rows(training.y, output, terms=training.terms),
            Rows(test.y, test_output, terms=test.terms),
        )
    return (
        Rows(training.y, output, decisions, training.terms),
        Rows(test.y, test_output, test_decisions, test.terms),
    )


def chosen_by_others(training: Predicted, metric: str) -> dict[int, str]:
    """Return {fold: the candidate with the best mean of the metric over the other folds}."""
    if training.fold is None:
        raise ValueError("the predictions must be by fold")
    numbers = np.unique(training.fold)
    sign, names = metrics.sign(metric), list(training.outputs)
    by_fold = []
    for output in training.outputs.values():
        out_of_fold = OutOfFold(training.y, output, training.fold, training.terms)
        by_fold.append(scores.fold_scores(out_of_fold, metric, "accuracy"))
    values = sign * np.array(by_fold)
    chosen = {}
    for place, number in enumerate(numbers):
        means = np.delete(values, place, axis=1).mean(axis=1)
        # a candidate without a score on some fold is not chosen
        chosen[int(number)] = names[int(np.argmax(np.nan_to_num(means, nan=-np.inf)))]
    return chosen
