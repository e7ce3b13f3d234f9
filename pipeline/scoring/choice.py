"""The one chooser: orders candidates by their cross-validated metric and takes the best.

The best of several flatters itself: `expected_scores` says by how much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.project.errors import DataError
from pipeline.scoring import metrics
from pipeline.scoring.bootstrap import BLOCK_CELLS
from pipeline.scoring.rows import Rows, WeightedRows
from pipeline.scoring.sampling import BY_ROW, Sampling, Weights

DRAWS = 500  # of the rows that choose, for the scores to expect


@dataclass(frozen=True)
class Contender:
    """What the choice looks at: a candidate's type of model and its cross-validated metric.

    `mean` is None, with a reason, where the metric is not defined on every fold.
    """

    model_type: str | None
    mean: float | None
    reason: str | None = None


def ranked(
    contenders: Mapping[str, Contender], metric: str, simplest_first: Sequence[str]
) -> list[str]:
    """Return the names from the best to the worst by the metric, those without it last.

    A tie goes to the simpler, by the place of its type of model in `simplest_first`, then to the
    first by name.
    """
    simplicity = {name: place for place, name in enumerate(simplest_first)}
    sign = metrics.sign(metric)

    def best_first(name: str) -> tuple[bool, float, int, str]:
        one = contenders[name]
        place = simplicity.get(one.model_type or "", len(simplicity))
        return one.mean is None, -sign * (one.mean or 0), place, name

    return sorted(contenders, key=best_first)


def best_candidate(
    contenders: Mapping[str, Contender], metric: str, simplest_first: Sequence[str]
) -> str:
    """Return the name of the best.

    Raises DataError where the metric is not defined for any of them.
    """
    best = ranked(contenders, metric, simplest_first)[0]
    if contenders[best].mean is None:
        reason = contenders[best].reason or "not defined"
        raise DataError(
            f"no candidate has a cross-validated {metric}: it is {reason}, as a class is absent "
            f"there; change train.primary_metric, train.cv_folds or prepare.split"
        )
    return best


def expected_scores(
    candidates: Mapping[str, Rows], best: str, metric: str, seed: int, sampling: Sampling = BY_ROW
) -> dict[str, np.ndarray]:
    """Return every metric to expect of the best candidate on rows that did not choose it.

    It is the best of several on `candidates`, their rows out of fold, and in part by chance. So
    rows are drawn many times, the best on the drawn rows is chosen, and the others say how much
    better or worse it is there than `best` (the bias correction of Tsamardinos, Greasidou and
    Borboudakis, Machine Learning 107 (2018), as a difference from `best`, so that what a metric of
    fewer rows loses is no part of it). By class where a metric is, shape (classes,); a draw on
    which a metric is not defined takes nothing off.
    """
    chosen = candidates[best]
    wanted = metrics.of_rows(chosen)
    lost: dict[str, list[np.ndarray]] = {one.name: [] for one in wanted}
    weights = Weights(sampling, len(chosen), seed)
    draws = min([DRAWS, *(one.most_draws for one in wanted if one.most_draws is not None)])
    most = max(1, min(draws, BLOCK_CELLS // len(chosen)))
    for start in range(0, draws, most):
        drawn = weights.draw(min(most, draws - start))
        names, others = _chosen_by(candidates, metric, drawn), np.where(drawn > 0, 0.0, 1.0)
        for name in np.unique(names[names != best]):
            left_out = others[names == name]
            here = WeightedRows(candidates[name], left_out)
            of_best = WeightedRows(chosen, left_out)
            for one in wanted:
                lost[one.name].append(one.weighted(here) - one.weighted(of_best))
    expected = {}
    for one in wanted:
        expected[one.name] = (
            metrics.values_of(one, chosen) + _sum_of_defined(lost[one.name]) / draws
        )
    return expected


def _chosen_by(candidates: Mapping[str, Rows], metric: str, drawn: np.ndarray) -> np.ndarray:
    """Return the name of the candidate that is best on each draw, shape (draws,)."""
    measure, values = metrics.lookup(metric), []
    for rows in candidates.values():
        of_draws = metrics.headline(measure, measure.weighted(WeightedRows(rows, drawn)))
        values.append(np.nan_to_num(metrics.sign(metric) * of_draws, nan=-np.inf))
    return np.array(list(candidates))[np.argmax(values, axis=0)]


def _sum_of_defined(parts: list[np.ndarray]) -> np.ndarray:
    if not parts:
        return np.zeros(())
    return np.nansum(np.concatenate(parts), axis=0)
