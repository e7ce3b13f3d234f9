"""The registry's decision on the best model, on a machine that registered it."""

import json
from dataclasses import dataclass
from typing import Any

from pipeline.project import files, paths
from pipeline.report.sections.subject import Subject, mlflow_runs


@dataclass(frozen=True)
class Registered:
    """The version, the last decision on it, and where MLflow and the model card lie, if known."""

    name: str
    version: int
    outcome: str
    reason: str
    href: str | None
    card: str | None


def figures(subject: Subject) -> Registered | None:
    sha256 = subject.result.chosen.model_sha256
    decision = _last_decision(subject.dataset, sha256)
    if decision is None:
        return None
    name, version = decision["name"], decision["version"]
    store = _store_address(subject.dataset)
    return Registered(
        name=name,
        version=version,
        outcome=decision["outcome"],
        reason=decision["reason"],
        href=f"{store}/#/models/{name}/versions/{version}" if store else None,
        card=_model_card(sha256),
    )


def _last_decision(dataset: str, sha256: str) -> dict[str, Any] | None:
    """Return the last line of the promotion log on a model."""
    path = paths.promotions(dataset)
    if not path.is_file():
        return None
    decisions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    of_model = [decision for decision in decisions if decision["sha256"] == sha256]
    return of_model[-1] if of_model else None


def _store_address(dataset: str) -> str | None:
    """Return the address of MLflow's server, the beginning of a run's."""
    for address in mlflow_runs(dataset).values():
        return address.partition("/#/")[0]
    return None


def _model_card(sha256: str) -> str | None:
    """Return where a model's card lies beside the page; None where its files are elsewhere."""
    for path in paths.ARTIFACTS.glob("*/models/*/artifacts/data/model/model_card.json"):
        if files.read_json(path, made_by="make sync")["model_sha256"] == sha256:
            return f"../{path.with_suffix('.md').as_posix()}"
    return None
