"""The model card: what a person must know before relying on a model, as a dict and as Markdown."""

from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader

from pipeline.data import targets
from pipeline.models.fitted import Fitted
from pipeline.project import markup, rounding
from pipeline.registry.registration import Request
from pipeline.scoring import metrics, slices, thresholds
from pipeline.scoring.rows import Rows, Terms
from pipeline.scoring.slices import FEWEST_TEST_ROWS

SCHEMA = 1
# of a regression, on each quarter of the target: the errors, as r2 depends on a quarter's spread
SLICE_METRICS = tuple(
    metric.name for metric in metrics.of_task("regression") if not metric.greater_is_better
)
LIMITS = (
    "The intervals show how much the scores depend on which test rows were drawn, not how they "
    "change with time.",
    "The test rows come from the same table as the training rows; other places, times and people "
    "were not tested.",
    "A missing value, a date after the training rows, or an unseen category or word gives a "
    "prediction without a warning.",
    "Fairness between groups of people was not examined.",
)

Parts = dict[str, dict[str, Any]]  # {slice: its rows and scores}


def scores_by_slice(model: Fitted, test: pd.DataFrame, weight: str | None = None) -> Parts:
    """Return the scores of each class, or with intervals those on each quarter of the target.

    `weight` is the column that says how much each row counts.
    """
    spec = model.spec
    target = test[spec.target]
    output = model.output(spec.typed(test))
    terms = Terms() if weight is None else Terms(weight=test[weight].to_numpy())
    rows = Rows(targets.numeric_target(target, spec.classes), output, terms=terms)
    if spec.classes:
        return _scores_by_class(thresholds.decided(rows, spec.rule), spec.classes)
    return _scores_by_quarter(rows, target)


def _scores_by_class(rows: Rows, classes: list[str]) -> Parts:
    scores = metrics.score(rows, classes)
    by_class = [metric.name for metric in metrics.of_task(rows.task) if metric.by_class]
    parts: Parts = {}
    for code, label in enumerate(classes):
        parts[label] = {"rows": int((rows.y == code).sum())}
        for metric in by_class:
            parts[label][metric] = rounding.significant(scores[f"{metric}__{label}"])
    return parts


def _scores_by_quarter(rows: Rows, target: pd.Series) -> Parts:
    parts: Parts = {}
    for quarter in slices.of_column(target, min_rows=1):
        part: dict[str, Any] = {}
        for metric in SLICE_METRICS:
            score = slices.score(quarter, target.to_frame(), rows, metric, None, 0).as_json()
            part["rows"] = score["rows"]
            part[metric] = {bound: score[bound] for bound in ("value", "low", "high")}
        parts[str(quarter)] = part
    return parts


def content(
    request: Request, metadata: dict[str, Any], quality: dict[str, Any], parts: Parts
) -> dict[str, Any]:
    """Return a model's card from its request, metadata.json, quality.json and scores by slice."""
    data = {
        key: quality[key]
        for key in ("source", "synthetic", "data_hash", "split_hash", "rows", "split", "missing")
    }
    model = f"models:/{request.name}@production"
    own_code = metadata.get("own", {}).get("code", {})
    return {
        "schema": SCHEMA,
        "name": request.name,
        "dataset": request.dataset,
        "candidate": request.candidate,
        "model_sha256": request.model_sha256,
        "primary_metric": request.primary_metric,
        "gates": request.gates,
        "task": metadata["task"],
        "target": metadata["target"],
        "target_transform": metadata["target_transform"],
        "classes": metadata["classes"],
        "threshold": metadata["threshold"],
        "features": metadata["features"],
        **({"own_code": own_code} if own_code else {}),
        "params": metadata["params"],
        "data": data,
        "cv": request.cv,
        "test": request.test,
        "slices": parts,
        "limits": limits(request.not_ready, quality["synthetic"], parts),
        "how_to_load": {
            "mlflow": f"mlflow.pyfunc.load_model('{model}').predict(rows)",
            "pipeline": f"python evaluate.py --dataset {request.dataset} --version champion",
        },
    }


def limits(not_ready: list[str], synthetic: bool, parts: Parts) -> list[str]:
    """Return what speaks against using the model, and what the scores do not say."""
    of_data = [f"The comparison calls it not ready: {reason}" for reason in not_ready]
    if synthetic:
        of_data.append("The data are synthetic: the scores say nothing about real ones.")
    small = [name for name, part in parts.items() if part["rows"] < FEWEST_TEST_ROWS]
    if small:
        of_data.append(
            f"The test rows hold fewer than {FEWEST_TEST_ROWS} of {', '.join(small)}: too few to "
            f"judge those by."
        )
    return [*of_data, *LIMITS]


def text(card: dict[str, Any]) -> str:
    """Return the card as Markdown."""
    environment = Environment(
        loader=PackageLoader("pipeline.registry", ""),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # "text" marks what comes from the data: no tag, link or table's bar in it has a meaning
    environment.filters["text"] = markup.markdown
    return environment.get_template("model_card.md.j2").render(card=card)
