"""Results of a dataset as the comparison holds them, from the few figures that a test is about."""

from typing import Any

from pipeline.report import comparison
from pipeline.report.comparison import Candidate, DatasetResult

RESULT = {
    "task": "classification",
    "primary_metric": "roc_auc",
    "target": "churn",
    "source": "tiny.csv",
    "synthetic": False,
    "data_hash": "0" * 32,
    "rows": {"by": "random", "train": 80, "test": 20},
    "features": 3,
    "cv_folds": 4,
    "best": {"name": "ridge"},
    "tuning": None,
    "gates": [],
    "explanation": {"importance": {}, "shap": None},
    "slices": [],
    "advice": [],
    "verdict": "info",
}
CANDIDATE = {
    "stage": "train",
    "params": {},
    "cv": {},
    "cv_oof": {},
    "train": {},
    "test": {},
    "model_sha256": "0" * 64,
}
SLICE = {"train_rows": 100, "error_ratio": 1.5}
TRIALS = {"total": 5, "finished": 5, "pruned": 0, "failed": 0}


def dataset_result(content: dict[str, Any]) -> DatasetResult:
    """Return a dataset's part of the comparison; what the test does not give is filled in."""
    result = RESULT | content
    result["candidates"] = {
        name: CANDIDATE | candidate for name, candidate in content["candidates"].items()
    }
    chosen = result["candidates"][result["best"]["name"]]
    result["expected"] = content.get("expected", chosen["cv_oof"])
    result["best"] = {"by": "cv", "improvement": None} | result["best"]
    result["slices"] = [_slice(part) for part in result["slices"]]
    if result["tuning"]:
        result["tuning"] = {"trials": TRIALS, "best": "", **result["tuning"]}
    whole = {"schema": 1, "overall": [], "datasets": {"churn": result}}
    return comparison.parsed(whole).datasets["churn"]


def candidate(**content: Any) -> Candidate:
    """Return a candidate; what the test does not give is filled in."""
    return comparison.candidate(CANDIDATE | content)


def _slice(part: dict[str, Any]) -> dict[str, Any]:
    return SLICE | part | {"test": {"rows": 40} | part["test"]}
