"""The one chooser: orders candidates by their cross-validated metric and takes the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.project.errors import DataError
from pipeline.scoring import metrics


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
