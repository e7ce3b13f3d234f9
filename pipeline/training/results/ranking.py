"""The ranking of candidates by the cross-validated metric."""

from pipeline.models import catalogue
from pipeline.scoring import choice
from pipeline.scoring.choice import Contender
from pipeline.training.results.content import Candidate, StageResults


def ranked(candidates: dict[str, Candidate], metric: str) -> list[str]:
    """Return the candidates' names from the best to the worst by the cross-validated metric."""
    return choice.ranked(_contenders(candidates, metric), metric, catalogue.SIMPLEST_FIRST)


def best_candidate(candidates: dict[str, Candidate], metric: str) -> str:
    """Return the name of the best candidate by the cross-validated metric.

    A tie goes to the simpler model, see scoring/choice.py. Raises DataError where the metric is
    undefined for all of them.
    """
    contenders = _contenders(candidates, metric)
    return choice.best_candidate(contenders, metric, catalogue.SIMPLEST_FIRST)


def summary(results: StageResults, best: str) -> dict[str, str | float | None]:
    """Return what `dvc metrics show` prints of a stage: the best candidate and its scores."""
    metric, candidate = results["primary_metric"], results["candidates"][best]
    cv = candidate["cv"][metric]
    return {
        "candidate": best,
        "cv": cv["mean"],
        "cv_std": cv["std"],
        "test": candidate["test"][metric]["value"],
    }


def _contenders(candidates: dict[str, Candidate], metric: str) -> dict[str, Contender]:
    contenders = {}
    for name, candidate in candidates.items():
        folds = candidate["cv"][metric]
        model_type = candidate["params"].get("model_type")
        contenders[name] = Contender(model_type, folds["mean"], folds.get("reason"))
    return contenders
