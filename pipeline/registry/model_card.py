"""The model card: what a person must know before relying on a model, as a dict and as Markdown."""

import numpy as np
import pandas as pd

from pipeline.data import kinds, targets
from pipeline.models.fitted import Model
from pipeline.project import rounding
from pipeline.scoring import metrics, thresholds
from pipeline.scoring import slices as scoring_slices
from pipeline.scoring.rows import Rows
from pipeline.scoring.slices import FEWEST_TEST_ROWS


def slices(model: Model, test: pd.DataFrame) -> dict[str, dict]:
    """Return the scores of each class, or, with intervals, of the test rows in each quarter of the target's values."""
    spec, target = model.spec, test[model.spec.target]
    output = model.output(kinds.conform(test, spec.inputs))
    if spec.task == "classification":
        y = targets.class_numbers(target, spec.classes)
        rows = thresholds.decided(Rows(y, output), spec.threshold)
        scores = metrics.score(rows, spec.classes)
        return {
            label: {"rows": int((y == number).sum())}
            | {
                metric.name: rounding.significant(scores[f"{metric.name}__{label}"])
                for metric in metrics.of_task(spec.task)
                if metric.by_class
            }
            for number, label in enumerate(spec.classes)
        }
    rows = Rows(target.to_numpy(dtype=np.float64), output)
    found = {}
    for part in scoring_slices.of_column(target, min_rows=1):
        scores = {
            metric: scoring_slices.score(part, target.to_frame(), rows, metric, None, 0).as_json()
            for metric in ("rmse", "mae")
        }
        found[str(part)] = {"rows": scores["rmse"]["rows"]} | {
            metric: {bound: score[bound] for bound in ("value", "low", "high")}
            for metric, score in scores.items()
        }
    return found


def content(request: dict, metadata: dict, quality: dict, slices: dict[str, dict]) -> dict:
    """Return the card of a model from its request, its metadata, its data's quality and its scores by slice."""
    scores = {
        part: {
            metric: value
            for metric, value in metadata["metrics"][part].items()
            if "__" not in metric
        }
        for part in ("cv", "test")
    }
    card = {
        key: request[key]
        for key in ("name", "dataset", "candidate", "model_sha256", "primary_metric", "gates")
    }
    card |= {
        key: metadata[key]
        for key in (
            "task",
            "target",
            "target_transform",
            "classes",
            "threshold",
            "features",
            "params",
        )
    }
    card["data"] = {
        key: quality[key]
        for key in ("source", "synthetic", "data_hash", "split_hash", "rows", "split", "missing")
    }
    return {
        "schema": 1,
        **card,
        **scores,
        "slices": slices,
        "limits": limits(card, slices),
        "how_to_load": {
            "mlflow": f"mlflow.pyfunc.load_model('models:/{card['name']}@production').predict(rows)",
            "pipeline": f"python evaluate.py --dataset {card['dataset']} --version champion",
        },
    }


def limits(card: dict, slices: dict[str, dict]) -> list[str]:
    """Return what the scores do not say."""
    few = [name for name, scores in slices.items() if scores["rows"] < FEWEST_TEST_ROWS]
    found = (
        ["The data are synthetic: the scores say nothing about real ones."]
        if card["data"]["synthetic"]
        else []
    )
    if few:
        found.append(
            f"The test rows hold fewer than {FEWEST_TEST_ROWS} of {', '.join(few)}: no ground to judge those by."
        )
    return found + [
        "The intervals tell how much the scores depend on which test rows were drawn, not how they change with time.",
        "The test rows come from the same table as the training rows; other places, times and people were not looked at.",
        "A missing value, or a category that the training rows do not hold, gives a prediction and no warning.",
        "Fairness between groups of people was not examined.",
    ]


def text(card: dict) -> str:
    """Return the card as Markdown."""
    from jinja2 import Environment, PackageLoader

    page = Environment(
        loader=PackageLoader("pipeline.registry", ""),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    ).get_template("model_card.md.j2")
    return page.render(card=card)
