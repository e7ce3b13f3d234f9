"""The one chooser: orders candidates by their cross-validated metric and takes the best."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.project.errors import DataError
from pipeline.scoring import metrics


def ranked(
    candidates: Mapping[str, Mapping[str, Any]], metric: str, simplest_first: Sequence[str]
) -> list[str]:
    """Return the candidates' names from the best to the worst by the cross-validated metric.

    `candidates` are as train.json and tune.json hold them. Those without the metric are last. A tie
    goes to the simpler, by the place of its model type in `simplest_first`, then to the first by
    name.
    """
    simplicity = {name: place for place, name in enumerate(simplest_first)}
    sign = metrics.sign(metric)

    def best_first(name: str) -> tuple[bool, float, int, str]:
        mean = candidates[name]["cv"][metric]["mean"]
        model_type = candidates[name]["params"].get("model_type")
        place = simplicity.get(model_type, len(simplicity))
        return mean is None, -sign * (mean or 0), place, name

    return sorted(candidates, key=best_first)


def best_candidate(
    candidates: Mapping[str, Mapping[str, Any]], metric: str, simplest_first: Sequence[str]
) -> str:
    """Return the name of the best candidate by the cross-validated metric.

    Raises DataError where the metric is undefined for all of them.
    """
    best = ranked(candidates, metric, simplest_first)[0]
    folds = candidates[best]["cv"][metric]
    if folds["mean"] is None:
        reason = folds.get("reason", "not defined")
        raise DataError(
            f"no candidate has a cross-validated {metric}: it is {reason}, as a class is absent "
            f"there; change train.primary_metric, train.cv_folds or prepare.split"
        )
    return best
