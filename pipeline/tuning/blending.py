"""Blends: which models to average, and with which weights, chosen on out-of-fold predictions.

The choice is greedy, with replacement (Caruana et al., Ensemble Selection from Libraries of Models,
ICML 2004).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.training.candidates import CandidateOutputs
from pipeline.training.problem import Problem
from pipeline.tuning import final_models
from pipeline.tuning.final_models import Choice, Final

STEPS = 24  # times that a model is added, so the smallest weight is 1 / STEPS
MOST_MEMBERS = 5  # each may be a bag of models, and a prediction asks all of them


def blend_weights(
    y: np.ndarray, outputs: np.ndarray, metric: str, row_weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the weight of each model in the best blend that is found member by member.

    `outputs` has shape (models, rows[, classes]). The blend starts from the best model, adds each
    time the model after which its loss is least, and ends where the loss was least. For classes the
    loss is log loss, whatever the metric: it is smooth, and a blend that is chosen by ranks alone
    can lose its calibration. `row_weight` is what each row counts. Of more than MOST_MEMBERS models
    the first chosen ones share the rest out.
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
        if len(set(chosen)) == MOST_MEMBERS:
            losses[[place for place in range(len(outputs)) if place not in chosen]] = np.inf
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


@dataclass(frozen=True)
class ChosenBlend:
    """The weights of a blend, by name, and those that score it on each fold."""

    weights: dict[str, float]
    by_fold: dict[int, dict[str, float]]

    @property
    def names_used(self) -> list[str]:
        """Return the names that have a weight anywhere."""
        names = list(self.weights)
        for of_fold in self.by_fold.values():
            names += of_fold
        return list(dict.fromkeys(names))


def choose(problem: Problem, out_of_fold: dict[str, np.ndarray]) -> ChosenBlend | None:
    """Return the best blend of some outputs; None where one of them alone is best."""
    names = list(out_of_fold)
    seen = problem.fold >= 0
    outputs = np.stack(list(out_of_fold.values()))
    weights = blend_weights(
        problem.y[seen], outputs[:, seen], problem.primary_metric, problem.weight_of(seen)
    )
    if np.count_nonzero(weights) < 2:
        return None
    by_fold = fold_weights(
        problem.y, outputs, problem.fold, problem.primary_metric, problem.terms.weight
    )
    return ChosenBlend(
        _by_name(names, weights),
        {fold: _by_name(names, of_fold) for fold, of_fold in by_fold.items()},
    )


def _by_name(names: list[str], weights: np.ndarray) -> dict[str, float]:
    """Return the weights by name, without those of nothing."""
    return {name: float(weight) for name, weight in zip(names, weights) if weight > 0}


def candidate(
    problem: Problem, blend: ChosenBlend, library: dict[str, Choice], finals: dict[str, Final]
) -> CandidateOutputs:
    """Return a chosen blend of final models as a candidate.

    `library` has all names that the blend uses, `finals` those of its members.
    """
    names = blend.names_used
    by_fold = {}
    for fold, of_fold in blend.by_fold.items():
        by_fold[fold] = np.array([of_fold.get(name, 0.0) for name in names])
    outputs = np.stack([library[name].out_of_fold for name in names])
    on_test = np.stack([final_models.test_by_fold(problem, library[name]) for name in names])
    test = np.stack([finals[name].test for name in blend.weights])
    return CandidateOutputs(
        model=final_models.mean_model(problem, finals, blend.weights),
        parameters={"members": _members(blend.weights, library, finals)},
        out_of_fold=blended_by_fold(outputs, problem.fold, by_fold),
        test=blended(test, np.array(list(blend.weights.values()))),
        test_by_fold=blended_by_fold(on_test, problem.test_fold, by_fold),
        seconds=sum(finals[name].seconds for name in blend.weights),
    )


def _members(
    weights: dict[str, float], library: dict[str, Choice], finals: dict[str, Final]
) -> dict[str, dict]:
    """Return what best_params.json holds of each member."""
    members = {}
    for name, weight in weights.items():
        recipe = library[name].recipe
        known: dict[str, Any] = {
            "model": recipe.spec.name,
            "weight": rounding.significant(weight),
            **recipe.hyperparameters,
        }
        if len(finals[name].models) > 1:
            known["fold_models"] = len(finals[name].models)
        members[name] = known
    return members
