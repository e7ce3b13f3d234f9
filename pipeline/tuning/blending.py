"""Blends: which models to average, and with which weights, chosen on out-of-fold predictions.

The choice is greedy, with replacement (Caruana et al., Ensemble Selection from Libraries of Models,
ICML 2004).
"""

import numpy as np

from pipeline.models import fitted as models_fitted
from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.training.candidates import CandidateOutputs, Fit, Recipe
from pipeline.training.problem import Problem

STEPS = 12  # members that are added, so the smallest weight is 1 / STEPS


def blend_weights(
    y: np.ndarray, outputs: np.ndarray, metric: str, row_weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the weight of each model in the best blend that is found member by member.

    `outputs` has shape (models, rows[, classes]). The blend starts from the best model, adds each
    time the model after which its loss is least, and ends where the loss was least. For classes the
    loss is log loss, whatever the metric: it is smooth, and a blend that is chosen by ranks alone
    can lose its calibration. `row_weight` is what each row counts.
    """
    loss = metrics.lookup(metric).blend_loss
    needed = outputs
    if outputs.ndim == 3:
        needed = outputs[:, np.arange(len(y)), y]  # the probability of each row's own class
    total = np.zeros(len(y))
    chosen: list[int] = []
    best_loss = np.inf
    best_count = 1
    for count in range(1, STEPS + 1):
        means = (total + needed) / count
        losses = np.average(loss(means, y), axis=1, weights=row_weight)
        added = int(np.argmin(losses))
        chosen.append(added)
        total += needed[added]
        if losses[added] < best_loss:
            best_loss = losses[added]
            best_count = count
    times_chosen = np.bincount(chosen[:best_count], minlength=len(outputs))
    return times_chosen / best_count


def blended(outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the models' outputs, of shape (rows[, classes])."""
    return np.tensordot(weights, outputs, axes=1)


def fold_weights(
    y: np.ndarray,
    outputs: np.ndarray,
    fold: np.ndarray,
    metric: str,
    row_weight: np.ndarray | None = None,
) -> dict[int, np.ndarray]:
    """Return the weights that blend the outputs on each fold, chosen by the others.

    Weights that were chosen on the very rows that they are scored on flatter the blend.
    """
    weights = {}
    for number in np.unique(fold[fold >= 0]):
        others = (fold >= 0) & (fold != number)
        counted = None if row_weight is None else row_weight[others]
        weights[int(number)] = blend_weights(y[others], outputs[:, others], metric, counted)
    return weights


def blended_by_fold(
    outputs: np.ndarray, fold: np.ndarray, weights: dict[int, np.ndarray]
) -> np.ndarray:
    """Return the blend of outputs of shape (models, rows[, classes]), by the weights of each fold.

    It is nan where no fold predicts.
    """
    result = np.full(outputs.shape[1:], np.nan)
    for number, of_fold in weights.items():
        here = fold == number
        result[here] = blended(outputs[:, here], of_fold)
    return result


def weights_by_name(problem: Problem, out_of_fold: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the weights of the best blend of some outputs, without those of no weight."""
    seen = problem.fold >= 0
    outputs = np.stack(list(out_of_fold.values()))
    weights = blend_weights(
        problem.y[seen], outputs[:, seen], problem.primary_metric, problem.weight_of(seen)
    )
    chosen = {}
    for name, weight in zip(out_of_fold, weights):
        if weight > 0:
            chosen[name] = float(weight)
    return chosen


def blend(
    problem: Problem,
    weights: dict[str, float],
    fits: list[Fit],
    recipes: dict[str, Recipe],
    out_of_fold: dict[str, np.ndarray],
    test_by_fold: dict[str, np.ndarray],
) -> CandidateOutputs:
    """Return the blend of some fits on all rows, in the order of `weights`, as a candidate.

    `out_of_fold` and `test_by_fold` are the outputs of all that the members were chosen from.
    """
    values = list(weights.values())
    models = [fit.model for fit in fits]
    test_outputs = np.stack([fit.test_output for fit in fits])
    outputs = np.stack(list(out_of_fold.values()))
    outputs_on_test = np.stack(list(test_by_fold.values()))
    by_fold = fold_weights(
        problem.y, outputs, problem.fold, problem.primary_metric, problem.terms.weight
    )
    return CandidateOutputs(
        model=models_fitted.blend(models, values, problem.model_spec("blend")),
        parameters={"members": _members(weights, recipes)},
        out_of_fold=blended_by_fold(outputs, problem.fold, by_fold),
        test=blended(test_outputs, np.array(values)),
        test_by_fold=blended_by_fold(outputs_on_test, problem.test_fold, by_fold),
        seconds=sum(fit.seconds for fit in fits),
    )


def _members(weights: dict[str, float], recipes: dict[str, Recipe]) -> dict[str, dict]:
    """Return what best_params.json holds of each member."""
    members = {}
    for name, weight in weights.items():
        recipe = recipes[name]
        known = {"model": recipe.spec.name, "weight": rounding.significant(weight)}
        members[name] = {**known, **recipe.hyperparameters}
    return members
