"""The request for a registration: which model is to be in the registry, with the evidence for it.

Register writes it to metrics/registration/, with the same bytes for the same model, and a bundle
carries it as request.json.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.project import files, paths

SCHEMA = 1


@dataclass(frozen=True)
class Request:
    """A model that is to be registered under a name.

    `cv` holds {metric: {mean, std}}, `test` {metric: {value, low, high}}, `gates` the verdicts of
    validate_metrics.py, `not_ready` what the comparison says against its use. The fields stand in
    the file in this order.
    """

    dataset: str
    name: str
    candidate: str
    stage: str
    model_sha256: str
    data_hash: str
    split_hash: str
    synthetic: bool
    primary_metric: str
    cv: dict[str, dict[str, float | None]]
    test: dict[str, dict[str, float | None]]
    gates: list[dict[str, Any]]
    not_ready: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the stage that made the model stores it, in the project."""
        return paths.models(self.dataset, self.stage) / self.candidate

    def as_json(self) -> dict[str, Any]:
        """Return the request as its file holds it."""
        return {"schema": SCHEMA, **asdict(self)}


def from_json(content: dict[str, Any]) -> Request:
    """Return the request that a file holds; an older one may lack the last fields."""
    known = [one.name for one in fields(Request)]
    return Request(**{name: content[name] for name in known if name in content})


def write_request(path: Path, request: Request) -> None:
    """Write a request; equal ones have equal bytes."""
    files.write_json(path, request.as_json())


def read_request(path: Path, made_by: str) -> Request:
    """Return the request of a file; DataError names the command `made_by` where there is none."""
    return from_json(files.read_json(path, made_by=made_by))


def current_request(dataset: str) -> Request | None:
    """Return a dataset's request; None where there is none, or its model is no longer stored."""
    path = paths.registration(dataset)
    if not path.is_file():
        return None
    request = read_request(path, made_by=f"python register_model.py --dataset {dataset}")
    metadata = request.folder / "metadata.json"
    if not metadata.is_file():
        return None
    stored = files.read_json(metadata, made_by=f"dvc repro {request.stage}@{dataset}")
    return request if stored.get("model_sha256") == request.model_sha256 else None


def overall_scores(scores: dict[str, Any]) -> dict[str, Any]:
    """Return the scores over all rows, without those of single classes, such as f1__setosa."""
    return {metric: score for metric, score in scores.items() if "__" not in metric}


def score_texts(request: Request) -> dict[str, str]:
    """Return defined scores as text: cv_rmse with its deviation, test_rmse with its interval."""
    texts = {}
    for metric, score in request.cv.items():
        if score["mean"] is not None:
            texts[f"cv_{metric}"] = f"{score['mean']:.4g} ± {score['std']:.2g}"
    for metric, score in request.test.items():
        if score["value"] is None:
            continue
        text = f"{score['value']:.4g}"
        if score.get("low") is not None:
            text += f" [{score['low']:.4g}, {score['high']:.4g}]"
        texts[f"test_{metric}"] = text
    return texts
