"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

from collections.abc import Sequence

from pipeline.project.errors import DataError
from pipeline.scoring import metrics


def ranked(candidates: dict, metric: str, simplest_first: Sequence[str]) -> list[str]:
    """Return the candidates' names from the best to the worst by the cross-validated metric.

    A tie goes to the simpler, by the place of its model type in `simplest_first`, then to the first by name.
    """
    simplicity = {name: place for place, name in enumerate(simplest_first)}
    sign = -metrics.sign(metric)

    def rank(name):
        mean = candidates[name]["cv"][metric]["mean"]
        model_type = candidates[name]["params"].get("model_type")
        return mean is None, sign * (mean or 0), simplicity.get(model_type, len(simplicity)), name

    return sorted(candidates, key=rank)


def best_candidate(candidates: dict, metric: str, simplest_first: Sequence[str]) -> str:
    """Return the name of the best candidate by the cross-validated metric.

    Raises DataError where the metric is undefined for all of them.
    """
    if all(scores["cv"][metric]["mean"] is None for scores in candidates.values()):
        raise DataError(
            f"no candidate has a cross-validated {metric}: a class is absent in every fold; change "
            f"train.primary_metric, train.cv_folds or prepare.split"
        )
    return ranked(candidates, metric, simplest_first)[0]
